"""Whether the service lives and is ready: asked by supervisors, so it answers quickly and names no secret."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, NotRequired

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse, Response
from typing_extensions import TypedDict

from monitor.core.errors import DatabaseError
from monitor.core.timefmt import rfc3339
from monitor.store.database.engine import Database
from monitor.store.heartbeats import read_last_beat
from monitor.store.incidents.notices import read_next_due
from monitor.store.outcomes.read import read_outcomes_page
from monitor.web.frame.context import WebContext
from monitor.web.frame.display_settings import DisplaySettings, Liveness

OVERDUE = timedelta(minutes=5)  # notices are tried within seconds, but a slow receiver makes others wait
_A_PAGE = 50  # outcomes
_HEADERS = {"cache-control": "no-store"}


class HealthJson(TypedDict):
    """Whether the service is well."""

    status: Annotated[str, Field(description="alive; ready or not ready")]
    version: NotRequired[str]
    checks: NotRequired[
        Annotated[Mapping[str, Mapping[str, Any]], Field(description="each with ok, and why not")]
    ]


def routes(context: WebContext) -> APIRouter:
    """``/healthz``: the process answers; ``/readyz``: all that the service needs is well, or why not."""
    router = APIRouter(tags=["health"])
    settings = context.settings

    @router.get("/healthz", response_model=HealthJson, summary="Is the process alive?")
    def healthz() -> Response:
        return JSONResponse({"status": "alive", "version": settings.version}, headers=_HEADERS)

    @router.get(
        "/readyz",
        response_model=HealthJson,
        summary="Can it read, store, start slots and send notices?",
        responses={503: {"description": "no"}},
    )
    def readyz() -> Response:
        checks = {
            **_database(context.database, settings, context.clock()),
            **_service(context.liveness(), settings, context.clock()),
        }
        ready = all(check["ok"] for check in checks.values())
        body = {"status": "ready" if ready else "not ready", "checks": checks}
        return JSONResponse(body, 200 if ready else 503, _HEADERS)

    return router


def _database(database: Database, settings: DisplaySettings, now: datetime) -> dict[str, dict[str, Any]]:
    """Read what pages and deliveries read, not merely whether it opens: a damaged file shows here."""
    try:
        with database.read() as tx:
            read_outcomes_page(tx, limit=_A_PAGE)
            stored = read_last_beat(tx, location=settings.location)
            due = read_next_due(tx)
    except DatabaseError as error:
        return {"database": {"ok": False, "reason": str(error)}}
    late = stored is None or now - stored > settings.cycle_limit
    waits = due is not None and now - due > OVERDUE
    return {
        "database": {"ok": True, "place": database.place},
        "storing": {"ok": not late, "at": rfc3339(stored) if stored else None},
        "notices": {"ok": not waits, "due_since": rfc3339(due) if waits and due else None},
    }


def _service(alive: Liveness, settings: DisplaySettings, now: datetime) -> dict[str, dict[str, Any]]:
    last, slot = alive["last_cycle"], alive.get("last_slot") or alive.get("since")
    late = last is None or now - last > settings.cycle_limit
    idle = bool(settings.targets) and slot is not None and now - slot > settings.patience
    unstored = alive.get("unstored")
    return {
        "scheduler": {"ok": alive["running"]},
        "last_cycle": {"ok": not late, "at": rfc3339(last) if last else None},
        "slots": {"ok": not idle, "at": rfc3339(slot) if slot else None},
        **({"storing": {"ok": False, "reason": unstored}} if unstored else {}),
    }
