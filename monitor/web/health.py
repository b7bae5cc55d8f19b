"""Whether the service lives and is ready: asked by supervisors, so it answers quickly and names no secret."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from monitor.core.errors import DatabaseError
from monitor.core.times import rfc3339
from monitor.store.engine import Database
from monitor.web.settings import Liveness, WebSettings

_HEADERS = {"cache-control": "no-store"}


def health_routes(
    database: Database,
    *,
    clock: Callable[[], datetime],
    settings: WebSettings,
    liveness: Callable[[], Liveness],
) -> APIRouter:
    """``/healthz``: the process answers; ``/readyz``: database, scheduler and last cycle are well."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Is the process alive?")
    def healthz() -> Response:
        return JSONResponse({"status": "alive", "version": settings.version}, headers=_HEADERS)

    @router.get(
        "/readyz",
        summary="Are database, scheduler and last cycle well?",
        responses={503: {"description": "no"}},
    )
    def readyz() -> Response:
        checks = {
            "database": _database(database),
            **_scheduler(liveness(), settings, clock()),
        }
        ready = all(check["ok"] for check in checks.values())
        body = {"status": "ready" if ready else "not ready", "checks": checks}
        return JSONResponse(body, 200 if ready else 503, _HEADERS)

    return router


def _database(database: Database) -> dict[str, Any]:
    try:
        with database.read() as tx:
            tx.exec_driver_sql("SELECT 1")
    except DatabaseError as error:
        return {"ok": False, "reason": str(error)}
    return {"ok": True, "place": database.place}


def _scheduler(alive: Liveness, settings: WebSettings, now: datetime) -> dict[str, dict[str, Any]]:
    last = alive["last_cycle"]
    late = last is None or now - last > settings.cycle_limit
    return {
        "scheduler": {"ok": alive["running"]},
        "last_cycle": {"ok": not late, "at": rfc3339(last) if last else None},
    }
