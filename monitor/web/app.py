"""The web application, put together: pages, JSON, live stream, health, metrics, files; it starts nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import ASGIApp, Scope

from monitor.pipeline.derive import DerivationSettings
from monitor.resources import data_folder
from monitor.store.database.engine import Database
from monitor.web.api import advice, evidence, facts
from monitor.web.api.annotations import routes as annotation_routes
from monitor.web.api.openapi import describe
from monitor.web.frame.context import WebContext
from monitor.web.frame.display_settings import DisplaySettings, Liveness
from monitor.web.frame.errors import install_problems
from monitor.web.frame.render import build_renderer
from monitor.web.frame.revision import Revision
from monitor.web.frame.security import MOST_BODY_BYTES, Guard
from monitor.web.ops import events, health, metrics
from monitor.web.pages import docs, incident, incidents, overview, run, target

_ABOUT = "What Earwitness has seen, as JSON. Instants are RFC 3339 in UTC, durations are seconds."
_FOR_EVER = "public, max-age=31536000, immutable"


class GuardedApp(FastAPI):
    """An application whose every answer, its own faults included, passes the guard."""

    allowed_hosts: frozenset[str] | None = None

    def build_middleware_stack(self) -> ASGIApp:
        """The usual stack inside the guard."""
        return Guard(super().build_middleware_stack(), hosts=self.allowed_hosts)

    def openapi(self) -> dict[str, Any]:
        """The description, with the shape of every answer; made once."""
        if self.openapi_schema is None:
            describe(super().openapi())
        return super().openapi()


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
    bundle: evidence.Bundle,
    summary: evidence.Summary,
    derivation: DerivationSettings | None = None,
) -> FastAPI:
    """The application over one database.

    *clock* gives the time, *liveness* what the scheduler says of itself, *bundle* and *summary* the evidence
    zip and the Markdown text of an incident by its number (NotFound where there is none). *derivation* is
    what a mark brings up to date.
    """
    context = create_context(
        database=database, clock=clock, settings=settings, liveness=liveness, derivation=derivation
    )
    app = _bare_app(context)
    # Routes are tried in order, and pages are asked for most.
    for page in (overview, incidents, incident, target, run):
        app.include_router(page.routes(context))
    app.include_router(facts.routes(context))
    app.include_router(annotation_routes(context))
    app.include_router(advice.routes(context))
    app.include_router(health.routes(context))
    if settings.metrics:
        app.include_router(metrics.routes(context))
    app.include_router(events.routes(context.current_revision, alive=context.is_alive))
    app.include_router(evidence.routes(bundle, summary))
    app.include_router(docs.routes(context, app.openapi))
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
    context = create_context(database=database, clock=clock, settings=settings, liveness=liveness)
    app = _bare_app(context)
    app.include_router(health.routes(context))
    app.include_router(metrics.routes(context))
    return app


def create_context(
    *,
    database: Database,
    clock: Callable[[], datetime],
    settings: DisplaySettings,
    liveness: Callable[[], Liveness],
    derivation: DerivationSettings | None = None,
) -> WebContext:
    """What the routes work with, made once."""
    return WebContext(
        database=database,
        clock=clock,
        settings=settings,
        liveness=liveness,
        render=build_renderer(settings),
        derivation=derivation or DerivationSettings(location=settings.location, rule=settings.rule),
        # Differs with every start: a new program may word the same facts anew.
        revision=Revision(f"{settings.version} {clock():%Y%m%d%H%M%S%f}"),
    )


def _bare_app(context: WebContext) -> FastAPI:
    """An application without a route, that answers errors as ours do."""
    app = GuardedApp(
        title="Earwitness",
        version=context.settings.version,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        max_body_size=MOST_BODY_BYTES,
        telemetry={"tracing": False, "metrics": False},
    )
    app.allowed_hosts = context.settings.allowed_hosts
    install_problems(app, context.render)
    return app
