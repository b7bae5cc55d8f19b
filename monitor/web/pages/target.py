"""The page of one target: its lanes per location, its windows, its latest runs, its latency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from monitor.core.intervals import Span
from monitor.core.model import Outcome, State, Target, Verdict
from monitor.core.outages.maintenance import Maintenance
from monitor.core.outages.uptime import METHOD, bounds
from monitor.core.outages.windows import Window
from monitor.core.scheduling.budget import allowance_of, money
from monitor.core.timefmt import duration_text
from monitor.core.views.lanes import GAP
from monitor.core.views.latency import latency_text, percentile
from monitor.web.frame.cell_view import CellView
from monitor.web.frame.charts import draw_axis, draw_latency
from monitor.web.frame.components import (
    Figure,
    Freshness,
    LaneRow,
    Link,
    freshness,
    lane_row,
    period_text,
    run_href,
    target_href,
)
from monitor.web.frame.context import DisplaySettings
from monitor.web.frame.query_params import Shown, address, move_links, zoom_links
from monitor.web.frame.time_format import Moment, TimeFormatter
from monitor.web.pages.incident import Edge, edge


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReading:
    """What the page knows of one target: a cell per location, its runs newest first, its latency points."""

    key: str
    cells: Sequence[CellView]
    outcomes: Sequence[Outcome]
    older: str | None
    points: Sequence[tuple[datetime, float | None, float | None]]
    period: Span
    bucket: timedelta
    now: datetime
    newest: datetime | None
    pauses: Sequence[Maintenance] = ()  # of people, not ended yet


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRow:
    """How the target stands seen from one location."""

    location: str
    state: State
    since: Moment | None
    uptime: Figure
    coverage: str
    runs: str
    p50: str
    p95: str
    p99: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetWindowRow:
    """One window of the target."""

    location: str
    state: State
    start: Edge
    end: Edge | None
    lasted: str
    failed: str
    first_href: str
    last_href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run in a table."""

    href: str
    at: Moment
    location: str
    kind: str
    verdict: str
    what: str
    message: str
    connect: str
    ready: str
    first_text: str
    final: str
    wer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRow:
    """A pause of a person that has not ended yet."""

    id: int
    name: str
    author: str
    start: Moment | None
    end: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPage:
    """Everything on the page of a target, worded."""

    title: str
    key: str
    endpoint: str
    model: str
    pathway: str
    facts: Sequence[tuple[str, str]]
    warnings: Sequence[str]
    state: State
    places: Sequence[PlaceRow]
    lanes: Sequence[LaneRow]
    axis: Markup
    latency: Markup
    latency_words: str
    period: str
    zooms: Sequence[Link]
    moves: Sequence[Link]
    windows: Sequence[TargetWindowRow]
    runs: Sequence[RunRow]
    filters: Sequence[Link]
    older: Link | None
    pauses: Sequence[PauseRow]
    fresh: Freshness
    method: str


def _pause_row(one: Maintenance, face: TimeFormatter) -> PauseRow:
    return PauseRow(
        id=one.id or 0,
        name=one.name,
        author=one.author or "",
        start=face(one.start) if one.start else None,
        end=face(one.end) if one.end else None,
    )


def place_row(cell: CellView, reading: TargetReading, face: TimeFormatter) -> PlaceRow:
    """How the cell stands, and its numbers over the period."""
    standing = cell.standing(reading.now)
    uptime = cell.uptime(reading.period, reading.now)
    return PlaceRow(
        location=cell.cell.location,
        state=standing.state,
        since=face(standing.since) if standing.since else None,
        uptime=Figure(uptime.figure(), uptime.basis()),
        coverage=f"{uptime.coverage * 100:.1f} %",
        runs=f"{uptime.failed}/{uptime.total}",
        p50=latency_text(percentile(cell.histogram, 0.5)),
        p95=latency_text(percentile(cell.histogram, 0.95)),
        p99=latency_text(percentile(cell.histogram, 0.99)),
    )


def window_row(window: Window, gaps: Sequence[Span], face: TimeFormatter) -> TargetWindowRow:
    """One window with both its edges; the *gaps* of its cell are not certain to have been down."""
    return TargetWindowRow(
        location=window.cell.location,
        state=window.state,
        start=edge(window.start, window.start_after, face),
        end=edge(window.end, window.end_after, face) if window.end else None,
        lasted=bounds([window], gaps).text(),
        failed=f"{window.failed}/{window.total}",
        first_href=run_href(window.first_id),
        last_href=run_href(window.last_id),
    )


def run_row(outcome: Outcome, face: TimeFormatter) -> RunRow:
    """One run in a line."""
    timings = outcome.timings_ms
    what = " at ".join(part.value for part in (outcome.failure, outcome.stage) if part)
    said = [outcome.type or "", f"code {outcome.code}" if outcome.code else "", outcome.message or ""]
    return RunRow(
        href=run_href(outcome.id),
        at=face(outcome.started_at),
        location=outcome.location,
        kind=outcome.kind.value,
        verdict=outcome.verdict.value,
        what=what,
        message=": ".join(part for part in said if part)[:160],
        connect=latency_text(timings.get("connect")),
        ready=latency_text(timings.get("ready")),
        first_text=latency_text(timings.get("first_text")),
        final=latency_text(timings.get("final")),
        wer="–" if outcome.wer is None else f"{outcome.wer:.2f}",
    )


def target_page(
    reading: TargetReading,
    shown: Shown,
    *,
    settings: DisplaySettings,
    face: TimeFormatter,
    verdict: str | None,
) -> TargetPage:
    """The page of a target with at least one cell."""
    cell = reading.cells[0].cell
    path, until = target_href(reading.key), shown.period.end if shown.moved else None
    places = tuple(place_row(one, reading, face) for one in reading.cells)
    windows = [window_row(window, _gaps(one), face) for one in reading.cells for window in one.windows]
    return TargetPage(
        title=reading.key,
        key=reading.key,
        endpoint=cell.endpoint,
        model=cell.model,
        pathway=cell.pathway,
        facts=_facts(reading.cells[0], settings),
        warnings=_warnings(reading, settings),
        state=max((place.state for place in places), key=_badness),
        places=places,
        lanes=tuple(
            lane_row(
                one.lane(reading.period, reading.bucket, reading.now),
                target=reading.key,
                model=one.cell.location,
                pathway="",
                place="",
                state=place.state,
                figure=place.uptime,
                face=face,
            )
            for one, place in zip(reading.cells, places, strict=True)
        ),
        axis=draw_axis(reading.period, reading.now),
        latency=draw_latency(reading.points, reading.period, _failures(reading)),
        latency_words=_latency_words(reading),
        period=period_text(reading.period),
        zooms=zoom_links(path, shown),
        moves=move_links(path, shown, reading.now),
        windows=sorted(windows, key=lambda row: row.start.at.iso, reverse=True),
        runs=tuple(run_row(outcome, face) for outcome in reading.outcomes),
        filters=tuple(
            Link(
                text=name or "all",
                href=address(path, shown.zoom.name, until, verdict=name) + "#runs",
                current=name == verdict,
            )
            for name in (None, *Verdict)
        ),
        older=_older(reading, path, shown, verdict),
        pauses=tuple(_pause_row(one, face) for one in reading.pauses),
        fresh=freshness(reading.now, reading.newest, settings, face),
        method=METHOD,
    )


def _gaps(cell: CellView) -> list[Span]:
    return [Span(hole.start, hole.end) for hole in cell.unseen if hole.reason == GAP]


def _older(reading: TargetReading, path: str, shown: Shown, verdict: str | None) -> Link | None:
    if reading.older is None:
        return None
    until = shown.period.end if shown.moved else None
    href = address(path, shown.zoom.name, until, verdict=verdict, cursor=reading.older)
    return Link(text="older runs", href=f"{href}#runs")


def _badness(state: State) -> int:
    return (State.UP, State.MAINTENANCE, State.UNKNOWN, State.DEGRADED, State.DOWN).index(state)


def _facts(cell: CellView, settings: DisplaySettings) -> Sequence[tuple[str, str]]:
    target = settings.by_key.get(cell.cell.target)
    facts = [("provider", cell.provider or ""), ("region", cell.region or "")]
    if target is None:
        facts.append(("watched", "no longer, or never: what is shown was stored earlier"))
    else:
        facts += [
            ("asked", f"every {duration_text(target.every)}, at most {target.max_per_minute} a minute"),
            ("clip", target.clip),
            ("host model", target.session_model or ""),
            ("configuration", target.configuration),
            ("daily budget", _budget(target)),
        ]
    return tuple((name, value) for name, value in facts if value)


def _warnings(reading: TargetReading, settings: DisplaySettings) -> Sequence[str]:
    """What will end or has changed without failing: retirements, and drift in the newest run shown."""
    ending = [one.sentence(reading.now) for one in settings.retirements if reading.key in one.targets]
    drift = reading.outcomes[0].extra.get("drift") if reading.outcomes else None
    told = drift if isinstance(drift, list) else []
    return [*ending, *(f"Drift: {sentence}" for sentence in told)]


def _budget(target: Target) -> str:
    allowance = allowance_of(target.endpoint)
    if allowance is None:
        return ""
    kept = money(allowance.usd - allowance.limit(urgent=False))
    return f"{money(allowance.usd)} for {target.endpoint.name}, {kept} of it kept for an open incident"


def _latency_words(reading: TargetReading) -> str:
    known = [value for _, *pair in reading.points for value in pair if value]
    if not known:
        return ""
    least, most = latency_text(min(known)), latency_text(max(known))
    return (
        f"p50 (line) and p95 (dashed) of the final text, logarithmic, {least} to {most}; "
        "ticks at the top: failed runs, which have none"
    )


def _failures(reading: TargetReading) -> Sequence[datetime]:
    """The middle of every bucket in which a run failed."""
    bad = {at for cell in reading.cells for at, counts in cell.counts.items() if counts.failed}
    return [at + reading.bucket / 2 for at in sorted(bad)]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPage:
    """A target that is watched and has no run yet."""

    title: str
    key: str
    every: str
