"""Reading the store into what pages know: a few questions per page, whatever the number of targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.intervals import Span
from monitor.core.model import Cell, Verdict
from monitor.core.outages.blind_spans import find_blocks, own_spans, unmeasured_spans
from monitor.core.outages.gaps import derive_gaps
from monitor.core.outages.history import History, StoredRun
from monitor.core.outages.maintenance import Maintenance, covered
from monitor.core.outages.masking import pause
from monitor.core.outages.windows import Window
from monitor.core.views.lanes import GAP, MAINTENANCE, Unseen, find_unseen
from monitor.core.views.latency import merge, percentile
from monitor.store.database.engine import Transaction
from monitor.store.derivation.history import StoreHistory
from monitor.store.derivation.maintenance import read_maintenance
from monitor.store.derivation.marks import read_marks
from monitor.store.derivation.self_observations import read_self_observations
from monitor.store.incidents.incidents import read_windows
from monitor.store.outcomes.read import Page, read_outcomes_page
from monitor.store.outcomes.rollups import read_hourly_rollups
from monitor.store.overview import (
    SeenCell,
    read_bucket_counts,
    read_latency_sums,
    read_seen_cells,
    read_silences,
)
from monitor.web.frame.cell_view import CellView, LastRun
from monitor.web.frame.display_settings import DisplaySettings
from monitor.web.frame.errors import BadQuery

LatencyPoint = tuple[datetime, float | None, float | None]

_UNKNOWN_EVERY = timedelta(minutes=5)


def read_standings(tx: Transaction, settings: DisplaySettings, now: datetime) -> tuple[CellView, ...]:
    """Every cell as it stands at *now*; its numbers are those of the last hour only."""
    hour = Span(now - timedelta(hours=1), now)
    return read_cells(tx, settings=settings, period=hour, bucket=hour.length, now=now)


def read_cells(
    tx: Transaction,
    *,
    settings: DisplaySettings,
    period: Span,
    bucket: timedelta,
    now: datetime,
    target: str | None = None,
) -> tuple[CellView, ...]:
    """Every cell, or those of one target, with all that its lane and its numbers over *period* need."""
    every = _intervals(settings)
    seen = read_seen_cells(tx, target)
    wanted = None if target is None else [target]
    end = min(period.end, now)
    found = _by_cell(read_windows(tx, period.start, now))
    counts = read_bucket_counts(tx, period.start, end, bucket, wanted)
    histograms = read_latency_sums(tx, period.start, end)
    plans = read_maintenance(tx)
    holes = _read_holes(tx, [one.cell for one in seen], Span(period.start, end), every, plans)
    _add_maintenance(holes, plans, Span(period.start, max(period.end, now)))
    _add_own(tx, holes, Span(period.start, end))
    marks = read_marks(tx, *period)
    measured = (
        replace(
            _standing(one, found.get(one.cell, ()), interval_of(one, settings), period, bucket, now),
            unseen=find_unseen(period, first_at=one.first_at, holes=holes.get(one.cell, ()), now=now),
            counts=counts.get(one.cell, {}),
            histogram=histograms.get(one.cell, ()),
            marks=marks,
        )
        for one in seen
    )
    return (*measured, *_not_yet_run(settings, seen, period, bucket, target, now))


def _not_yet_run(
    settings: DisplaySettings,
    seen: Sequence[SeenCell],
    period: Span,
    bucket: timedelta,
    target: str | None,
    now: datetime,
) -> Iterator[CellView]:
    """The configured targets without a run: a page that left them out would call the rest everything."""
    known = {one.cell.target for one in seen}
    for one in settings.targets:
        if one.key in known or target not in (None, one.key):
            continue
        yield CellView(
            cell=Cell(one.endpoint.name, one.model, one.pathway, settings.location),
            provider=one.endpoint.provider,
            region=one.endpoint.region,
            every=one.every,
            watched=True,
            first_at=None,
            steady_since=None,
            last=None,
            period=period,
            bucket=bucket,
            now=now,
            unseen=find_unseen(period, first_at=None, holes=(), now=now),
        )


def interval_of(one: SeenCell, settings: DisplaySettings) -> timedelta:
    """How far apart the cell's runs are meant to be."""
    watch = settings.by_key.get(one.cell.target)
    return one.every or (watch and watch.every) or _UNKNOWN_EVERY


def _intervals(settings: DisplaySettings) -> Mapping[str, timedelta]:
    return {target.key: target.every for target in settings.targets}


def _standing(
    one: SeenCell,
    found: Sequence[Window],
    every: timedelta,
    period: Span,
    bucket: timedelta,
    now: datetime,
) -> CellView:
    return CellView(
        cell=one.cell,
        provider=one.provider,
        region=one.region,
        every=every,
        watched=one.watched,
        first_at=one.first_at,
        steady_since=one.since_gap or one.first_at,
        last=LastRun(id=one.last_id, started_at=one.last_at, verdict=one.last_verdict),
        windows=found,
        period=period,
        bucket=bucket,
        now=now,
    )


def _by_cell(found: Iterable[Window]) -> Mapping[Cell, list[Window]]:
    grouped: dict[Cell, list[Window]] = {}
    for window in found:
        grouped.setdefault(window.cell, []).append(window)
    return grouped


def _add_maintenance(holes: dict[Cell, list[Unseen]], plans: Sequence[Maintenance], period: Span) -> None:
    for cell, known in holes.items() if plans else ():
        for span in covered(plans, cell.target, *period):
            known.append(Unseen(span.start, span.end, MAINTENANCE))


def _read_holes(
    tx: Transaction,
    cells: Sequence[Cell],
    period: Span,
    every: Mapping[str, timedelta],
    plans: Sequence[Maintenance],
) -> dict[Cell, list[Unseen]]:
    """Gaps and blind spans per cell; what ends after the period is read up to its end only."""
    if period.end <= period.start:
        return {}
    history = StoreHistory(tx, every)
    told = read_silences(tx, *period)
    if told is not None:
        return _gaps_only(history, cells, told, period.end)
    known = pause(history.prefetch(*period), plans)
    runs = {cell: known.not_passed(cell, period.start, period.end) for cell in cells}
    holes: dict[Cell, list[Unseen]] = {}
    for cell in cells:
        gaps = derive_gaps(known, cell, runs[cell], now=period.end)
        spans = unmeasured_spans(known, cell, runs[cell], now=period.end)
        holes[cell] = [Unseen(gap.start, gap.end, GAP) for gap in gaps]
        holes[cell] += [Unseen(span.start, span.end, span.reason) for span in spans]
    _add_blocks(known, runs, holes, period.end)
    return holes


def _gaps_only(
    history: StoreHistory, cells: Sequence[Cell], told: Mapping[Cell, Sequence[Span]], end: datetime
) -> dict[Cell, list[Unseen]]:
    """The gaps that are told, and the one after the last run before *end*: no run needs to be read."""
    holes: dict[Cell, list[Unseen]] = {}
    for cell in cells:
        ended = [Unseen(gap.start, gap.end, GAP) for gap in told.get(cell, ())]
        trailing = derive_gaps(history, cell, (), now=end)
        holes[cell] = [*ended, *(Unseen(gap.start, gap.end, GAP) for gap in trailing)]
    return holes


def _add_own(tx: Transaction, holes: dict[Cell, list[Unseen]], period: Span) -> None:
    """The stretches in which the monitor itself was unfit, on every lane of its location."""
    for location in sorted({cell.location for cell in holes}):
        for span in own_spans(read_self_observations(tx, location, *period), now=period.end):
            for cell, known in holes.items():
                if cell.location == location:
                    known.append(Unseen(span.start, span.end, span.reason))


def _add_blocks(
    history: History,
    runs: Mapping[Cell, Sequence[StoredRun]],
    holes: dict[Cell, list[Unseen]],
    now: datetime,
) -> None:
    """The stretches in which a whole location reached nothing."""
    for location in sorted({cell.location for cell in runs}):
        here = {cell: notable for cell, notable in runs.items() if cell.location == location}
        for block in find_blocks(history, here, now=now):
            for cell in here:
                holes[cell].append(Unseen(block.span.start, block.span.end, block.span.reason))


def read_points(
    tx: Transaction, cells: Sequence[Cell], period: Span, bucket: timedelta
) -> tuple[LatencyPoint, ...]:
    """p50 and p95 of all locations together, per bucket but never finer than an hour; None where unknown."""
    width = max(bucket, timedelta(hours=1))
    found: dict[datetime, list[Sequence[int]]] = {}
    start = period.start.replace(minute=0)
    for rollup in read_hourly_rollups(tx, start, period.end, cells):
        found.setdefault(start + (rollup.start - start) // width * width, []).append(rollup.latencies)
    steps = range((period.end - start) // width)
    counts = ((start + step * width, merge(found.get(start + step * width, ()))) for step in steps)
    return tuple((at + width / 2, percentile(one, 0.5), percentile(one, 0.95)) for at, one in counts)


def read_runs(
    tx: Transaction, target: str, until: datetime, verdict: Verdict | None, cursor: str | None, limit: int
) -> Page:
    """Runs of one target before *until*, newest first; BadQuery for a cursor that is not ours."""
    verdicts = None if verdict is None else [verdict]
    try:
        return read_outcomes_page(
            tx, targets=[target], until=until, verdicts=verdicts, after=cursor, limit=limit
        )
    except ValueError:
        raise BadQuery("cursor", "is none of ours: begin again without it") from None
