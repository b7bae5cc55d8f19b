"""The pages: each route reads, has the numbers made, and renders; it decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from monitor.core.errors import NotFound
from monitor.core.model import Verdict
from monitor.core.timefmt import duration_words
from monitor.store.database.engine import Database, Transaction
from monitor.store.derivation.maintenance import read_maintenance
from monitor.store.incidents.evidence import read_background
from monitor.store.incidents.incidents import read_entries, read_numbered_incidents, read_unresolved_incidents
from monitor.store.incidents.incidents import read_incident as stored_incident
from monitor.store.incidents.notices import read_notices
from monitor.store.outcomes.read import read_evidence
from monitor.store.outcomes.read import read_outcome as stored_outcome
from monitor.store.overview import read_incident_of_run, read_newest_run, read_revision
from monitor.web.frame.cell_view import OverviewView
from monitor.web.frame.components import Link, freshness
from monitor.web.frame.context import DisplaySettings
from monitor.web.frame.errors import Render
from monitor.web.frame.page_cache import KeptPages
from monitor.web.frame.query_params import Shown, read_cursor, read_shown, write_cursor
from monitor.web.frame.read_cells import read_cells, read_points, read_runs
from monitor.web.frame.time_format import TimeFormatter
from monitor.web.pages.incident import IncidentReading, incident_page, span_around
from monitor.web.pages.incidents import IncidentsPage, incident_card
from monitor.web.pages.overview import overview_page
from monitor.web.pages.run import run_page
from monitor.web.pages.target import TargetReading, WaitingPage, target_page

_RECENT = 8
_INCIDENTS = 50
_RUNS = 50

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Zoom = Annotated[str | None, Query(description="24h, 7d, 30d or 90d")]
Day = Annotated[str | None, Query(description="a day in UTC, such as 2025-11-17")]
Until = Annotated[str | None, Query(description="the end of the period, RFC 3339")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """What every page route works with."""

    database: Database
    clock: Callable[[], datetime]
    settings: DisplaySettings
    render: Render
    face: TimeFormatter
    build: str  # differs with every start: a new program may word the same facts anew
    kept: KeptPages = field(default_factory=KeptPages)

    def answer(
        self, request: Request, make: Callable[[Transaction, datetime], tuple[str, object]]
    ) -> Response:
        """The page that *make* gives, or 304 where the browser holds it already.

        A page follows from what is stored, its address and the clock; of the clock the minute is enough,
        for the script shows how old the page is.
        """
        now = self.clock()
        with self.database.read() as tx:
            parts = (
                self.build,
                read_revision(tx),
                f"{now:%Y%m%d%H%M}",
                str(request.url.query),
                request.url.path,
            )
            tag = f'W/"{blake2b("|".join(parts).encode(), digest_size=12).hexdigest()}"'
            headers = {"etag": tag, "cache-control": "no-cache", "vary": "accept"}
            if tag in request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers=headers)
            text = self.kept.get(tag, lambda: self.render(*make(tx, now)))
        return HTMLResponse(text, headers=headers)


def page_routes(desk: PageContext) -> APIRouter:
    """Every page; none of them is part of the API's description."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/")
    def overview(request: Request, zoom: Zoom = None, day: Day = None, until: Until = None) -> Response:
        return desk.answer(request, lambda tx, now: _overview(desk, tx, now, (zoom, day, until)))

    @router.get("/incidents")
    def incidents(request: Request, cursor: str | None = None) -> Response:
        return desk.answer(request, lambda tx, now: _incidents(desk, tx, now, cursor))

    @router.get("/incidents/{number}")
    def incident(request: Request, number: Number) -> Response:
        return desk.answer(request, lambda tx, now: _incident(desk, tx, now, number))

    @router.get("/targets/{key:path}")
    def target(  # each is a parameter of the address
        request: Request,
        key: str,
        zoom: Zoom = None,
        day: Day = None,
        until: Until = None,
        verdict: Verdict | None = None,
        cursor: str | None = None,
    ) -> Response:
        asked = (zoom, day, until)
        return desk.answer(request, lambda tx, now: _target(desk, tx, now, key, asked, verdict, cursor))

    @router.get("/runs/{run_id:text}")
    def run(request: Request, run_id: str) -> Response:
        return desk.answer(request, lambda tx, _now: _run(desk, tx, run_id))

    return router


Asked = tuple[str | None, str | None, str | None]


def _shown(asked: Asked, now: datetime) -> Shown:
    zoom, day, until = asked
    return read_shown(zoom=zoom, day=day, until=until, now=now)


def _overview(desk: PageContext, tx: Transaction, now: datetime, asked: Asked) -> tuple[str, object]:
    shown = _shown(asked, now)
    cells = read_cells(tx, settings=desk.settings, period=shown.period, bucket=shown.zoom.bucket, now=now)
    reading = OverviewView(
        period=shown.period,
        bucket=shown.zoom.bucket,
        now=now,
        newest=max((cell.last.started_at for cell in cells if cell.last), default=None),
        cells=cells,
        unresolved=read_unresolved_incidents(tx),
        recent=read_numbered_incidents(tx, limit=_RECENT),
    )
    return "pages/overview.html", overview_page(reading, shown, settings=desk.settings, face=desk.face)


def _incidents(desk: PageContext, tx: Transaction, now: datetime, cursor: str | None) -> tuple[str, object]:
    before = int(read_cursor(cursor, int)[0]) if cursor else None
    found = read_numbered_incidents(tx, limit=_INCIDENTS + 1, before=before)
    shown = found[:_INCIDENTS]
    rest = found[_INCIDENTS:]
    more = f"/incidents?cursor={write_cursor(shown[-1].number or 0)}" if rest else None
    page = IncidentsPage(
        title="Incidents",
        fresh=freshness(now, read_newest_run(tx), desk.settings, desk.face),
        incidents=tuple(incident_card(one, desk.face) for one in shown),
        more=Link(text="older incidents", href=more) if more else None,
    )
    return "pages/incidents.html", page


def _incident(desk: PageContext, tx: Transaction, now: datetime, number: int) -> tuple[str, object]:
    incident = stored_incident(tx, number)
    period, bucket = span_around(incident.start, incident.end or max(now, incident.start))
    exhibits, baselines = read_background(tx, incident, now=now)
    reading = IncidentReading(
        incident=incident,
        exhibits=exhibits,
        baselines=baselines,
        entries=read_entries(tx, incident.id),
        notices=read_notices(tx, incident.id),
        cells=read_cells(tx, settings=desk.settings, period=period, bucket=bucket, now=now),
        period=period,
        bucket=bucket,
        now=now,
        newest=read_newest_run(tx),
    )
    return "pages/incident.html", incident_page(reading, settings=desk.settings, face=desk.face)


def _target(  # what the address of a target's page may ask
    desk: PageContext,
    tx: Transaction,
    now: datetime,
    key: str,
    asked: Asked,
    verdict: Verdict | None,
    cursor: str | None,
) -> tuple[str, object]:
    shown = _shown(asked, now)
    period, bucket = shown.period, shown.zoom.bucket
    cells = read_cells(tx, settings=desk.settings, period=period, bucket=bucket, now=now, target=key)
    if not any(cell.last for cell in cells):
        return _target_without_runs(desk, key)
    runs = read_runs(tx, key, period.end, verdict, cursor, _RUNS)
    reading = TargetReading(
        key=key,
        cells=cells,
        outcomes=runs.outcomes,
        older=runs.cursor,
        points=read_points(tx, [cell.cell for cell in cells], period, bucket),
        period=period,
        bucket=bucket,
        now=now,
        newest=max((cell.last.started_at for cell in cells if cell.last), default=None),
        pauses=[one for one in read_maintenance(tx) if one.concerns(key) and one.may_be_ended(now)],
    )
    page = target_page(reading, shown, settings=desk.settings, face=desk.face, verdict=verdict)
    return "pages/target.html", page


def _target_without_runs(desk: PageContext, key: str) -> tuple[str, object]:
    if key not in desk.settings.by_key:
        raise NotFound(
            f"No target is called {key[:200]}, neither in the configuration nor in what is stored."
        )
    return "pages/waiting.html", WaitingPage(title=key, key=key, every=_every(desk.settings, key))


def _every(settings: DisplaySettings, key: str) -> str:
    return duration_words(settings.by_key[key].every)


def _run(desk: PageContext, tx: Transaction, run_id: str) -> tuple[str, object]:
    outcome = stored_outcome(tx, run_id)
    evidence = read_evidence(tx, run_id)
    number = read_incident_of_run(tx, outcome.cell, outcome.started_at)
    return "pages/run.html", run_page(outcome, evidence, incident=number, face=desk.face)
