"""The first page: open incidents, the matrix per endpoint, a lane per target, the table, what was before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from monitor.core.alerting.model_retirement import MILESTONES, Retirement
from monitor.core.incidents.incident import StoredIncident
from monitor.core.intervals import Span
from monitor.core.model import State
from monitor.core.outages.uptime import BADNESS, worst
from monitor.core.pathways import PATHWAYS
from monitor.store.database.engine import Transaction
from monitor.store.incidents.incidents import read_numbered_incidents, read_unresolved_incidents
from monitor.web.frame.answer import answer_page
from monitor.web.frame.cell_view import CellView
from monitor.web.frame.charts import draw_axis
from monitor.web.frame.components import Freshness, LaneRow, Link, freshness
from monitor.web.frame.context import WebContext
from monitor.web.frame.display_settings import DisplaySettings
from monitor.web.frame.query_params import Day, Shown, Until, Zoom, move_links, read_shown, zoom_links
from monitor.web.frame.read_cells import read_cells

_PATHWAYS = {name: number for number, name in enumerate(PATHWAYS)}
_RECENT = 8


class MatrixRow(NamedTuple):
    """One model: for each pathway the worst of its locations; None where it is not watched."""

    model: str
    cells: Sequence[CellView | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointCard:
    """One endpoint: its matrix and its lanes, the pathways of one model next to each other."""

    name: str
    watched: bool
    provider: str
    region: str
    pathways: Sequence[str]
    rows: Sequence[MatrixRow]
    lanes: Sequence[LaneRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewPage:
    """Everything on the first page; `ending` are the watched models that their vendor ends soon."""

    title: str
    now: datetime
    period: Span
    fresh: Freshness
    state: State | None
    headline: str
    detail: str
    open_incidents: Sequence[StoredIncident]
    recent: Sequence[StoredIncident]
    endpoints: Sequence[EndpointCard]
    cells: Sequence[CellView]
    several_locations: bool
    axis: Markup
    zooms: Sequence[Link]
    moves: Sequence[Link]
    ending: Sequence[Retirement]

    @property
    def ending_models(self) -> str:
        """The models that end soon, each once."""
        return ", ".join(dict.fromkeys(f"{one.model} on {one.day}" for one in self.ending))


def routes(context: WebContext) -> APIRouter:
    """The page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def overview(request: Request, zoom: Zoom = None, day: Day = None, until: Until = None) -> Response:
        def make(tx: Transaction, now: datetime) -> tuple[str, OverviewPage]:
            shown = read_shown(zoom=zoom, day=day, until=until, now=now)
            return "pages/overview.html", _read(tx, context, shown, now)

        return answer_page(context, request, make)

    return router


def _read(tx: Transaction, context: WebContext, shown: Shown, now: datetime) -> OverviewPage:
    period, bucket = shown.period, shown.zoom.bucket
    cells = read_cells(tx, settings=context.settings, period=period, bucket=bucket, now=now)
    newest = max((cell.last.started_at for cell in cells if cell.last), default=None)
    return overview_page(
        cells,
        fresh=freshness(context, tx, now, newest),
        unresolved=read_unresolved_incidents(tx),
        recent=read_numbered_incidents(tx, limit=_RECENT),
        shown=shown,
        settings=context.settings,
        now=now,
    )


def overview_page(
    found: Sequence[CellView],
    *,
    fresh: Freshness,
    unresolved: Sequence[StoredIncident],
    recent: Sequence[StoredIncident],
    shown: Shown,
    settings: DisplaySettings,
    now: datetime,
) -> OverviewPage:
    """The page of these cells over the period that is *shown*."""
    began = any(cell.last for cell in found)
    cells = _in_order(found) if began else []
    watched = [cell.state for cell in cells if cell.watched]
    headline, detail = _headline(watched, began=began)
    several = len({cell.cell.location for cell in cells}) > 1
    return OverviewPage(
        title="Overview",
        now=now,
        period=shown.period,
        fresh=fresh,
        state=worst(watched) if watched else None,
        headline=headline,
        detail=detail,
        open_incidents=unresolved,
        recent=recent,
        endpoints=tuple(
            _endpoint_card(name, list(group), several=several)
            for name, group in groupby(cells, key=lambda cell: cell.cell.endpoint)
        ),
        cells=cells,
        several_locations=several,
        axis=draw_axis(shown.period, now),
        zooms=zoom_links("/", shown),
        moves=move_links("/", shown, now),
        ending=sorted(
            (one for one in settings.retirements if one.days_left(now) <= MILESTONES[0]),
            key=lambda one: (one.day, one.model, not one.certain),
        ),
    )


def _in_order(found: Sequence[CellView]) -> list[CellView]:
    """What is watched first; then by endpoint and model, so that REST and realtime stand together.

    Endpoints of which nothing was measured in the period stand last.
    """
    measured = {view.cell.endpoint for view in found if sum(view.counts)}

    def place(view: CellView) -> tuple[bool, bool, str, str, int, str]:
        cell = view.cell
        number = _PATHWAYS.get(cell.pathway, len(_PATHWAYS))
        unmeasured = cell.endpoint not in measured
        return unmeasured, not view.watched, cell.endpoint, cell.model, number, cell.location

    return sorted(found, key=place)


def _headline(states: Sequence[State], *, began: bool) -> tuple[str, str]:
    if not began:
        return "No run yet", "The first runs are made within one interval; this page fills itself."
    if not states:
        return "Nothing is being watched now", "What is shown was imported or recorded earlier."
    counts = {state: states.count(state) for state in State}
    bad = [f"{counts[state]} {state.value}" for state in (State.DOWN, State.DEGRADED) if counts[state]]
    rest = [f"{counts[state]} {state.value}" for state in (State.UNKNOWN, State.MAINTENANCE) if counts[state]]
    measured = f"{counts[State.UP]} of {len(states)} up"
    if bad:
        return ", ".join(bad).capitalize(), ", ".join([measured, *rest])
    if len(states) == counts[State.UP] == 1:
        return "All up", "The target transcribes correctly"
    if counts[State.UP] == len(states):
        return "All up", f"All {len(states)} targets transcribe correctly"
    if not counts[State.UP]:
        return "Unknown", "No target was measured lately: that is neither up nor down."
    return measured.capitalize(), ", ".join(rest)


def _endpoint_card(name: str, cells: Sequence[CellView], *, several: bool) -> EndpointCard:
    present = {cell.cell.pathway for cell in cells}
    pathways = sorted(present, key=lambda pathway: (_PATHWAYS.get(pathway, len(_PATHWAYS)), pathway))
    return EndpointCard(
        name=name,
        watched=any(cell.watched for cell in cells),
        provider=next((cell.provider for cell in cells if cell.provider), "") or "",
        region=next((cell.region for cell in cells if cell.region), "") or "",
        pathways=pathways,
        rows=tuple(
            _matrix_row(model, list(group), pathways)
            for model, group in groupby(cells, key=lambda cell: cell.cell.model)
        ),
        lanes=tuple(
            LaneRow(
                target=cell.cell.target,
                name=cell.cell.model,
                pathway=cell.cell.pathway,
                place=cell.cell.location if several else "",
                lane=cell.lane,
                figure=cell.uptime.figure(),
                basis=cell.uptime.basis(),
            )
            for cell in cells
        ),
    )


def _matrix_row(model: str, cells: Sequence[CellView], pathways: Iterable[str]) -> MatrixRow:
    by_pathway: dict[str, list[CellView]] = {}
    for cell in cells:
        by_pathway.setdefault(cell.cell.pathway, []).append(cell)
    found = (by_pathway.get(pathway) for pathway in pathways)
    return MatrixRow(
        model, tuple(max(some, key=lambda one: BADNESS[one.state]) if some else None for some in found)
    )
