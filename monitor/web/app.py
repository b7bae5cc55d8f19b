"""The web application, put together: pages, JSON, live stream, health, metrics, files; it starts nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import FastAPI, Path
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Scope

from monitor.pipeline.derive import DerivationSettings
from monitor.resources import data_folder
from monitor.store.database.engine import Database
from monitor.store.overview import read_revision
from monitor.web.api.advice import advice_routes
from monitor.web.api.annotations import AnnotationContext, pause_routes, remark_routes
from monitor.web.api.facts import PROBLEM, ApiContext, api_routes
from monitor.web.api.schema import describe
from monitor.web.frame.components import site_of
from monitor.web.frame.context import DisplaySettings, Liveness
from monitor.web.frame.errors import Render, install_problems
from monitor.web.frame.render import build_renderer
from monitor.web.frame.security import MOST_BODY_BYTES, Guard
from monitor.web.frame.time_format import time_formatter, zone_named
from monitor.web.ops.events import live_routes
from monitor.web.ops.health import health_routes
from monitor.web.ops.metrics import metrics_routes
from monitor.web.pages.docs import docs_page
from monitor.web.pages.routes import PageContext, page_routes

_ABOUT = "What Earwitness has seen, as JSON. Instants are RFC 3339 in UTC, durations are seconds."
_FOR_EVER = "public, max-age=31536000, immutable"

Bundle = Callable[[int], bytes]
Summary = Callable[[int], bytes | str]


class GuardedApp(FastAPI):
    """An application whose every answer, its own faults included, passes the guard."""

    allowed_hosts: frozenset[str] | None = None

    def build_middleware_stack(self) -> ASGIApp:
        """The usual stack inside the guard."""
        return Guard(super().build_middleware_stack(), hosts=self.allowed_hosts)

    def openapi(self) -> dict[str, Any]:
        """The description, with the shape of every answer."""
        return describe(super().openapi())


class Files(StaticFiles):
    """Static files; an address that names the content by its hash may be kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or an error."""
        response = await super().get_response(path, scope)
        named = scope.get("query_string", b"").startswith(b"v=")
        response.headers["cache-control"] = _FOR_EVER if named else "no-cache"
        return response


def create_app(
    *,
    database: Database,
    clock: Callable[[], datetime],
    settings: DisplaySettings,
    liveness: Callable[[], Liveness],
    bundle: Bundle,
    summary: Summary,
    render: Render | None = None,
    house: DerivationSettings | None = None,
) -> FastAPI:
    """The application over one database.

    *clock* gives the time, *liveness* what the scheduler says of itself, *bundle* and *summary* the evidence
    zip and the Markdown text of an incident by its number (NotFound where there is none). *render* is made
    with `build_renderer(site_of(settings))` where it is not handed in. *house* is what a verdict rests on
    that a mark brings up to date.
    """
    render = render or build_renderer(site_of(settings))
    app = _bare_app(settings, render)
    desk = PageContext(
        database=database,
        clock=clock,
        settings=settings,
        render=render,
        face=time_formatter(zone_named(settings.timezone)),
        build=f"{settings.version} {clock():%Y%m%d%H%M%S%f}",
    )
    app.include_router(page_routes(desk))  # first: routes are tried in order, and pages are asked for most
    app.include_router(api_routes(ApiContext(database=database, clock=clock, settings=settings)))
    house = house or DerivationSettings(location=settings.location, rule=settings.rule)
    inbox = AnnotationContext(database=database, clock=clock, house=house)
    app.include_router(remark_routes(inbox))
    app.include_router(pause_routes(inbox))

    def alive() -> bool:
        return liveness()["running"]

    app.include_router(advice_routes(database, clock=clock, settings=settings, alive=alive))
    app.include_router(health_routes(database, clock=clock, settings=settings, liveness=liveness))
    if settings.metrics:
        app.include_router(metrics_routes(database, clock=clock, settings=settings))
    app.include_router(live_routes(lambda: _revision(database), alive=alive))
    _add_evidence(app, bundle, summary)
    _add_docs(app, render)
    app.mount("/static", Files(directory=data_folder("static")), name="static")
    return app


def create_ops_app(
    *,
    database: Database,
    clock: Callable[[], datetime],
    settings: DisplaySettings,
    liveness: Callable[[], Liveness],
) -> FastAPI:
    """Health and metrics alone, for a listener that no reader of pages can occupy."""
    app = _bare_app(settings, build_renderer(site_of(settings)))
    app.include_router(health_routes(database, clock=clock, settings=settings, liveness=liveness))
    app.include_router(metrics_routes(database, clock=clock, settings=settings))
    return app


def _bare_app(settings: DisplaySettings, render: Render) -> FastAPI:
    """An application without a route, that answers errors as ours do."""
    app = GuardedApp(
        title="Earwitness",
        version=settings.version,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        max_body_size=MOST_BODY_BYTES,
        telemetry={"tracing": False, "metrics": False},
    )
    app.allowed_hosts = settings.allowed_hosts
    install_problems(app, render)
    return app


def _revision(database: Database) -> str:
    with database.read() as tx:
        return read_revision(tx)


Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="the incident's number")]


def _add_evidence(app: FastAPI, bundle: Bundle, summary: Summary) -> None:
    @app.get(
        "/incidents/{number}/evidence.zip",
        tags=["evidence"],
        summary="The evidence bundle of an incident",
        response_class=Response,
        responses={**PROBLEM, 200: {"content": {"application/zip": {}}}},
    )
    def evidence(number: Number) -> Response:
        headers = {
            "content-disposition": f'attachment; filename="incident-{number}.zip"',
            "cache-control": "no-store",
        }
        return Response(bundle(number), media_type="application/zip", headers=headers)

    @app.get(
        "/incidents/{number}/summary.md",
        tags=["evidence"],
        summary="The ticket text of an incident, ready to paste",
        response_class=Response,
        responses={**PROBLEM, 200: {"content": {"text/markdown": {}}}},
    )
    def text(number: Number) -> Response:
        headers = {"cache-control": "no-store"}
        return Response(summary(number), media_type="text/markdown", headers=headers)


def _add_docs(app: FastAPI, render: Render) -> None:
    @app.get("/docs", include_in_schema=False)
    def docs() -> Response:
        return HTMLResponse(render("pages/docs.html", docs_page(app.openapi())))
