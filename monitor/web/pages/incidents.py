"""The page of all incidents, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from monitor.core.incidents.incident import StoredIncident
from monitor.store.database.engine import Transaction
from monitor.store.incidents.incidents import read_numbered_incidents
from monitor.store.overview import read_newest_run
from monitor.web.frame.answer import answer_page
from monitor.web.frame.components import Freshness, Link, freshness
from monitor.web.frame.context import WebContext
from monitor.web.frame.query_params import read_cursor, write_cursor

_LISTED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentsPage:
    """All incidents, newest first; `more` leads to the older ones."""

    title: str
    fresh: Freshness
    incidents: Sequence[StoredIncident]
    more: Link | None


def routes(context: WebContext) -> APIRouter:
    """The page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/incidents")
    def incidents(request: Request, cursor: str | None = None) -> Response:
        def make(tx: Transaction, now: datetime) -> tuple[str, IncidentsPage]:
            return "pages/incidents.html", _read(tx, context, now, cursor)

        return answer_page(context, request, make)

    return router


def _read(tx: Transaction, context: WebContext, now: datetime, cursor: str | None) -> IncidentsPage:
    before = int(read_cursor(cursor, int)[0]) if cursor else None
    found = read_numbered_incidents(tx, limit=_LISTED + 1, before=before)
    more = f"/incidents?cursor={write_cursor(found[_LISTED - 1].number or 0)}" if found[_LISTED:] else None
    return IncidentsPage(
        title="Incidents",
        fresh=freshness(context, tx, now, read_newest_run(tx, now)),
        incidents=found[:_LISTED],
        more=Link(text="older incidents", href=more) if more else None,
    )
