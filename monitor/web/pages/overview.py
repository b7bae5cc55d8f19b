"""The first page: open incidents, the matrix per endpoint, a lane per target, the table, what was before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from markupsafe import Markup

from monitor.core.alerting.model_retirement import MILESTONES
from monitor.core.model import Pathway, State
from monitor.core.outages.uptime import METHOD, CellState, Uptime, worst
from monitor.core.timefmt import duration_words
from monitor.core.views.latency import latency_text, percentile
from monitor.web.frame.cell_view import CellView, OverviewView
from monitor.web.frame.charts import draw_axis
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
from monitor.web.frame.query_params import Shown, move_links, zoom_links
from monitor.web.frame.time_format import Moment, TimeFormatter
from monitor.web.pages.incidents import IncidentCard, incident_card

_PATHWAYS = {pathway.value: number for number, pathway in enumerate(Pathway)}


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixCell:
    """Model × pathway of one endpoint, the worst of its locations."""

    href: str
    label: str
    state: State
    since: Moment | None
    lasting: str
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """One model; a pathway that is not watched has no cell."""

    model: str
    cells: Sequence[MatrixCell | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointCard:
    """One endpoint: its matrix and its lanes, the pathways of one model next to each other."""

    name: str
    watched: bool
    provider: str
    region: str
    state: State
    pathways: Sequence[str]
    rows: Sequence[MatrixRow]
    lanes: Sequence[LaneRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRow:
    """One line of the table of targets."""

    href: str
    endpoint: str
    model: str
    pathway: str
    location: str
    state: State
    since: Moment | None
    last: Moment | None
    last_href: str
    last_verdict: str
    uptime: Figure
    uptime_range: str
    coverage: str
    runs: str
    interval: str
    p50: str
    p95: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetirementNote:
    """The watched models that their vendor ends soon: in one line, and each in its own."""

    line: str
    sentences: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewPage:
    """Everything on the first page, worded."""

    title: str
    state: State | None
    headline: str
    detail: str
    fresh: Freshness
    open_incidents: Sequence[IncidentCard]
    recent: Sequence[IncidentCard]
    endpoints: Sequence[EndpointCard]
    targets: Sequence[TargetRow]
    several_locations: bool
    axis: Markup
    period: str
    zooms: Sequence[Link]
    moves: Sequence[Link]
    method: str
    demo_incident: int | None
    demo_day: str | None
    watched: Sequence[str]
    ending: RetirementNote | None


def overview_page(
    reading: OverviewView, shown: Shown, *, settings: DisplaySettings, face: TimeFormatter
) -> OverviewPage:
    """The page of a reading of the period that is *shown*."""
    began = any(cell.last for cell in reading.cells)
    measured = {cell.cell.endpoint for cell in reading.cells if sum(cell.totals)}
    cells = sorted(
        reading.cells if began else (), key=lambda cell: (cell.cell.endpoint not in measured, *_order(cell))
    )
    standings = {id(cell): cell.standing(reading.now) for cell in cells}
    uptimes = {id(cell): cell.uptime(reading.period, reading.now) for cell in cells}
    watched = [standings[id(cell)].state for cell in cells if cell.watched]
    headline, detail = _headline(watched, cells)
    several = len({cell.cell.location for cell in cells}) > 1
    return OverviewPage(
        title="Overview",
        state=worst(watched) if watched else None,
        headline=headline,
        detail=detail,
        fresh=freshness(reading.now, reading.newest, settings, face),
        open_incidents=tuple(incident_card(one, face) for one in reading.unresolved),
        recent=tuple(incident_card(one, face) for one in reading.recent),
        endpoints=tuple(
            _endpoint_card(name, list(group), standings, uptimes, reading, face=face, several=several)
            for name, group in groupby(cells, key=lambda cell: cell.cell.endpoint)
        ),
        targets=tuple(_target_row(cell, standings[id(cell)], uptimes[id(cell)], face) for cell in cells),
        several_locations=several,
        axis=draw_axis(reading.period, reading.now),
        period=period_text(reading.period),
        zooms=zoom_links("/", shown),
        moves=move_links("/", shown, reading.now),
        method=METHOD,
        demo_incident=settings.demo.incident if settings.demo else None,
        demo_day=settings.demo.day if settings.demo else None,
        watched=tuple(target.key for target in settings.targets),
        ending=_ending(settings, reading.now),
    )


def _ending(settings: DisplaySettings, now: datetime) -> RetirementNote | None:
    near = sorted(
        (one for one in settings.retirements if one.days_left(now) <= MILESTONES[0]),
        key=lambda one: (one.day, one.model, not one.certain),
    )
    if not near:
        return None
    named = dict.fromkeys(f"{one.model} on {one.day}" for one in near)
    return RetirementNote(
        line=f"Models that end soon: {', '.join(named)}",
        sentences=tuple(one.sentence(now) for one in near),
    )


def _order(reading: CellView) -> tuple[bool, str, str, int, str]:
    """What is watched first; then by endpoint and model, so that REST and realtime stand together."""
    cell = reading.cell
    return (not reading.watched, cell.endpoint, cell.model, _PATHWAYS.get(cell.pathway, 99), cell.location)


def _all_right(count: int) -> str:
    return "The target transcribes correctly" if count == 1 else f"All {count} targets transcribe correctly"


def _headline(states: Sequence[State], cells: Sequence[CellView]) -> tuple[str, str]:
    if not any(cell.last for cell in cells):
        return "No run yet", "The first runs are made within one interval; this page fills itself."
    if not states:
        return "Nothing is being watched now", "What is shown was imported or recorded earlier."
    counts = {state: states.count(state) for state in State}
    bad = [f"{counts[state]} {state.value}" for state in (State.DOWN, State.DEGRADED) if counts[state]]
    rest = [f"{counts[state]} {state.value}" for state in (State.UNKNOWN, State.MAINTENANCE) if counts[state]]
    measured = f"{counts[State.UP]} of {len(states)} up"
    if bad:
        return ", ".join(bad).capitalize(), ", ".join([measured, *rest])
    if counts[State.UP] == len(states):
        return "All up", _all_right(len(states))
    if not counts[State.UP]:
        return "Unknown", "No target was measured lately: that is neither up nor down."
    return f"{measured.capitalize()}", ", ".join(rest)


def _endpoint_card(
    name: str,
    cells: Sequence[CellView],
    standings: Mapping[int, CellState],
    uptimes: Mapping[int, Uptime],
    reading: OverviewView,
    *,
    face: TimeFormatter,
    several: bool,
) -> EndpointCard:
    present = {cell.cell.pathway for cell in cells}
    pathways = sorted(present, key=lambda pathway: (_PATHWAYS.get(pathway, 99), pathway))
    return EndpointCard(
        name=name,
        watched=any(cell.watched for cell in cells),
        provider=next((cell.provider for cell in cells if cell.provider), "") or "",
        region=next((cell.region for cell in cells if cell.region), "") or "",
        state=worst(standings[id(cell)].state for cell in cells),
        pathways=pathways,
        rows=tuple(
            _matrix_row(model, list(group), pathways, standings, now=reading.now, face=face)
            for model, group in groupby(cells, key=lambda cell: cell.cell.model)
        ),
        lanes=tuple(
            lane_row(
                cell.lane(reading.period, reading.bucket, reading.now),
                target=cell.cell.target,
                model=cell.cell.model,
                pathway=cell.cell.pathway,
                place=cell.cell.location if several else "",
                state=standings[id(cell)].state,
                figure=Figure(uptimes[id(cell)].figure(), uptimes[id(cell)].basis()),
                face=face,
            )
            for cell in cells
        ),
    )


def _matrix_row(
    model: str,
    cells: Sequence[CellView],
    pathways: Sequence[str],
    standings: Mapping[int, CellState],
    *,
    now: datetime,
    face: TimeFormatter,
) -> MatrixRow:
    by_pathway: dict[str, list[CellView]] = {}
    for cell in cells:
        by_pathway.setdefault(cell.cell.pathway, []).append(cell)
    return MatrixRow(
        model=model,
        cells=tuple(
            _matrix_cell(there, standings, now=now, face=face) if there else None
            for there in map(by_pathway.get, pathways)
        ),
    )


def _matrix_cell(
    cells: Sequence[CellView], standings: Mapping[int, CellState], *, now: datetime, face: TimeFormatter
) -> MatrixCell:
    state = worst(standings[id(cell)].state for cell in cells)
    chosen = next(cell for cell in cells if standings[id(cell)].state is state)
    standing = standings[id(chosen)]
    return MatrixCell(
        href=target_href(chosen.cell.target),
        label=f"{chosen.cell.model} {chosen.cell.pathway}",
        state=state,
        since=face(standing.since) if standing.since else None,
        lasting=duration_words(now - standing.since) if standing.since else "",
        last=standing.last_verdict.value if standing.last_verdict else "no run yet",
    )


def _target_row(cell: CellView, standing: CellState, uptime: Uptime, face: TimeFormatter) -> TargetRow:
    return TargetRow(
        href=target_href(cell.cell.target),
        endpoint=cell.cell.endpoint,
        model=cell.cell.model,
        pathway=cell.cell.pathway,
        location=cell.cell.location,
        state=standing.state,
        since=face(standing.since) if standing.since else None,
        last=face(cell.last.started_at) if cell.last else None,
        last_href=run_href(cell.last.id) if cell.last else "",
        last_verdict=cell.last.verdict.value if cell.last else "",
        uptime=Figure(uptime.figure(), uptime.basis()),
        uptime_range=uptime.range_text(),
        coverage=f"{uptime.coverage * 100:.1f} %",
        runs=f"{uptime.failed}/{uptime.total}",
        interval=uptime.interval_text(),
        p50=latency_text(percentile(cell.histogram, 0.5)),
        p95=latency_text(percentile(cell.histogram, 0.95)),
    )
