"""Reading the store into what pages know: a few questions per page, whatever the number of targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from monitor.core.intervals import Span, clip
from monitor.core.model import Cell, State, Verdict
from monitor.core.outages.blind_spans import own_spans
from monitor.core.outages.gaps import Gap, gap_at
from monitor.core.outages.maintenance import covered
from monitor.core.outages.masking import pause
from monitor.core.outages.rule import GAP_INTERVALS
from monitor.core.outages.unmeasured import Unmeasured, margin_of, read_unmeasured
from monitor.core.outages.windows import Window
from monitor.core.views.cell_state import LastRun, measured_counts, planned_since, state_of, unseen_of
from monitor.core.views.lanes import Counts, find_unseen
from monitor.core.views.latency import drift_words, merge, percentile
from monitor.store.database.engine import Transaction
from monitor.store.derivation.history import StoreHistory
from monitor.store.derivation.maintenance import read_maintenance
from monitor.store.derivation.marks import read_marks
from monitor.store.derivation.self_observations import read_self_observations
from monitor.store.incidents.incidents import read_last_ends, read_open_windows, read_windows
from monitor.store.outcomes.ranges import read_counts, read_latency_counts
from monitor.store.outcomes.read import Page, read_outcomes_page
from monitor.store.outcomes.rollups import read_daily_rollups, read_hourly_rollups
from monitor.store.overview import (
    SeenCell,
    read_bucket_counts,
    read_run_counts,
    read_seen_cells,
    read_silences,
)
from monitor.web.frame.cell_view import CellView
from monitor.web.frame.display_settings import DisplaySettings
from monitor.web.frame.errors import BadQuery

LatencyPoint = tuple[datetime, float | None, float | None]

_HOUR = timedelta(hours=1)
_UNKNOWN_EVERY = timedelta(minutes=5)


def read_states(tx: Transaction, settings: DisplaySettings, now: datetime) -> tuple[CellView, ...]:
    """Every cell as it is at *now*; its numbers are those of the last hour."""
    return read_cells(tx, settings=settings, period=Span(now - _HOUR, now), now=now)


def read_cells(
    tx: Transaction,
    *,
    settings: DisplaySettings,
    period: Span,
    bucket: timedelta | None = None,
    now: datetime,
    target: str | None = None,
) -> tuple[CellView, ...]:
    """Every cell, or those of one target, at *now* and with the numbers of any *period*.

    With a *bucket* what its lane needs as well; the period consists of whole buckets then.
    """
    reading = _Reading(tx, settings, now, target)
    return (*reading.views(period, bucket), *reading.not_yet_run(period, bucket))


def interval_of(one: SeenCell, settings: DisplaySettings) -> timedelta:
    """How far apart the cell's runs are meant to be."""
    watch = settings.by_key.get(one.cell.target)
    return one.every or (watch and watch.every) or _UNKNOWN_EVERY


class _Reading:
    """One reading of the store, of all cells or of those of one target."""

    def __init__(self, tx: Transaction, settings: DisplaySettings, now: datetime, target: str | None) -> None:
        self._tx, self._settings, self._now, self._target = tx, settings, now, target
        self._keys = None if target is None else [target]
        self._seen = read_seen_cells(tx, target)
        self._plans = read_maintenance(tx)
        self._history = StoreHistory(tx, {target.key: target.every for target in settings.targets})
        self._margin = margin_of(self._history)

    def views(self, period: Span, bucket: timedelta | None) -> Iterator[CellView]:
        """What is known of each cell that was ever run."""
        tx, now = self._tx, self._now
        passed = Span(period.start, max(period.start, min(period.end, now)))
        found = self._unmeasured(passed)
        current = found if passed.end == now else self._unmeasured(Span(now, now))
        masked, paused = found.masked, self._paused_counts(passed, bucket)
        touching = _by_cell(read_windows(tx, period.start, passed.end))
        open_, ends = _by_cell(read_open_windows(tx)), read_last_ends(tx)
        raw = self._counts(passed, bucket)
        histograms = read_latency_counts(tx, *passed, self._keys)
        marks = () if bucket is None else read_marks(tx, *period)
        for one in self._seen:
            last = self._last(one)
            state, since = state_of(
                windows=open_.get(one.cell, ()),
                last_end=ends.get(one.cell),
                last=last,
                blind=current.of(one.cell),
                planned=planned_since(self._plans, one.cell, now),
                steady_since=one.since_gap or one.first_at,
                patience=GAP_INTERVALS * interval_of(one, self._settings),
                now=now,
            )
            buckets = measured_counts(
                raw.get(one.cell, {}),
                masked=masked.get(one.cell, ()),
                paused=paused.get(one.cell, {}),
                period=passed,
                bucket=bucket,
            )
            yield CellView(
                cell=one.cell,
                provider=one.provider,
                region=one.region,
                every=interval_of(one, self._settings),
                watched=one.watched,
                now=now,
                period=period,
                bucket=bucket,
                state=state,
                since=since,
                last=last,
                windows=touching.get(one.cell, ()),
                unseen=unseen_of(one.cell, found, self._plans, period=period, first_at=one.first_at, now=now),
                counts=Counts.of(buckets.values()),
                buckets=buckets,
                histogram=histograms.get(one.cell, ()),
                marks=marks,
            )

    def not_yet_run(self, period: Span, bucket: timedelta | None) -> Iterator[CellView]:
        """The configured targets without a run: a page that left them out would call the rest everything."""
        known = {one.cell.target for one in self._seen}
        for target in self._settings.targets:
            if target.key in known or self._target not in (None, target.key):
                continue
            cell = Cell(target.endpoint.name, target.model, target.pathway, self._settings.location)
            yield CellView(
                cell=cell,
                provider=target.endpoint.provider,
                region=target.endpoint.region,
                every=target.every,
                watched=True,
                now=self._now,
                period=period,
                bucket=bucket,
                state=State.UNKNOWN,
                since=None,
                last=None,
                unseen=find_unseen(period, first_at=None, holes=(), now=self._now),
            )

    def _last(self, one: SeenCell) -> LastRun | None:
        """The newest run by now: one that is dated in the future says nothing of it."""
        if one.last_at <= self._now:
            return LastRun(one.last_id, one.last_at, one.last_verdict)
        run = self._history.last_run(one.cell, self._now)
        return None if run is None else LastRun(run.id, run.started_at, run.verdict)

    def _counts(self, period: Span, bucket: timedelta | None) -> Mapping[Cell, Mapping[datetime, Counts]]:
        if bucket is not None:
            return read_bucket_counts(self._tx, *period, bucket, self._keys)
        found = read_counts(self._tx, *period, self._keys)
        return {cell: {period.start: counts} for cell, counts in found.items()}

    def _paused_counts(
        self, period: Span, bucket: timedelta | None
    ) -> Mapping[Cell, Mapping[datetime, Counts]]:
        """The runs inside maintenance, whatever became of them."""
        spans: dict[Span, set[str]] = {}
        for target in {one.cell.target for one in self._seen} if self._plans else ():
            for span in clip(covered(self._plans, target, *period), period):
                spans.setdefault(span, set()).add(target)
        found: dict[Cell, dict[datetime, Counts]] = {}
        for span, targets in spans.items():
            if bucket is None:
                read = {
                    cell: {period.start: some} for cell, some in read_counts(self._tx, *span, targets).items()
                }
            else:
                read = read_run_counts(self._tx, *span, bucket, targets)
            for cell, parts in read.items():
                sums = found.setdefault(cell, {})
                for at, counts in parts.items():
                    sums[at] = Counts.of([counts, sums.get(at, Counts())])
        return found

    def _unmeasured(self, period: Span) -> Unmeasured:
        """What was not measured in a period that has passed.

        Where no run tells of a blind span, the gaps that are told are all, and no run needs to be read.
        Maintenance may stand between such a run and the period.
        """
        since, until = period.start - self._margin, min(period.end + self._margin, self._now)
        targets = {one.cell.target for one in self._seen}
        is_planned = any(covered(self._plans, target, since, until) for target in targets)
        told = None if is_planned else read_silences(self._tx, since, until)
        if told is None:
            history = pause(self._history.prefetch(since, until), self._plans)
            return read_unmeasured(history, period, now=self._now)
        gaps = [
            Gap(cell=cell, start=span.start, end=span.end) for cell, spans in told.items() for span in spans
        ]
        last = (gap_at(self._history, one.cell, period.end, now=self._now) for one in self._seen)
        own = [
            span
            for place in sorted({one.cell.location for one in self._seen})
            for span in own_spans(read_self_observations(self._tx, place, *period), now=self._now)
        ]
        return Unmeasured(gaps=[*gaps, *(gap for gap in last if gap)], own=own, blocks=(), stretches=())


def _by_cell(found: Iterable[Window]) -> Mapping[Cell, list[Window]]:
    grouped: dict[Cell, list[Window]] = {}
    for window in found:
        grouped.setdefault(window.cell, []).append(window)
    return grouped


def read_drift(tx: Transaction, cells: Sequence[Cell], now: datetime) -> str | None:
    """Whether the last 24 hours were slower than the 30 days before, of all locations together."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    midnight = hour.replace(hour=0) - timedelta(days=1)
    recent = read_hourly_rollups(tx, hour - timedelta(hours=23), now, cells)
    before = read_daily_rollups(tx, midnight - timedelta(days=30), midnight, cells)
    return drift_words(merge(one.latencies for one in recent), merge(one.latencies for one in before))


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
