"""Every error as a page for people or as problem details for programs (RFC 9457); it decides no status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Mount

from monitor.core.errors import DatabaseBusy, DatabaseError, NotFound

Render = Callable[[str, object], str]
_LONGEST = 400
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class BadQuery(Exception):
    """A query that cannot be answered; `name` is the parameter, `reason` what would be right."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"{name}: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage:
    """What the error page shows."""

    title: str
    status: int
    detail: str


def problem_response(status: int, detail: str, errors: Sequence[dict[str, Any]] = ()) -> Response:
    """Problem details; `errors` names each wrong parameter where there are any."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail[:_LONGEST],
    }
    if errors:
        body["errors"] = list(errors)
    headers = {"cache-control": "no-store"}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = "5"
    return Response(orjson.dumps(body), status, headers, media_type="application/problem+json")


def install_problems(app: FastAPI, render: Render) -> None:
    """Answer every error of *app*: as a page where HTML is wanted, else as problem details."""

    def answer(request: Request, status: int, detail: str, errors: Sequence[dict[str, Any]] = ()) -> Response:
        if not _wants_page(request):
            return problem_response(status, detail, errors)
        page = ErrorPage(title=HTTPStatus(status).phrase, status=status, detail=detail[:_LONGEST])
        return HTMLResponse(render("pages/error.html", page), status, {"cache-control": "no-store"})

    def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class only
        detail = {
            404: f"Nothing is found at {request.url.path}.",
            405: "This address does not allow that method.",
        }
        given = str(error.detail)
        plain = given == HTTPStatus(error.status_code).phrase
        shown = detail.get(error.status_code, given) if plain else given
        response = answer(request, error.status_code, shown)
        response.headers.update(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            response.headers["allow"] = ", ".join(_allowed(app, request))
        return response

    def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for this class only
        errors = [
            {"name": ".".join(str(part) for part in one["loc"][1:]), "reason": str(one["msg"])}
            for one in error.errors()
        ]
        detail = "; ".join(f"{one['name']}: {one['reason']}" for one in errors)
        return answer(request, 422, detail, errors)

    def on_query(request: Request, error: Exception) -> Response:
        assert isinstance(error, BadQuery)  # noqa: S101  # registered for this class only
        return answer(request, 422, str(error), [{"name": error.name, "reason": error.reason}])

    def on_missing(request: Request, error: Exception) -> Response:
        return answer(request, 404, str(error))

    def on_busy(request: Request, _error: Exception) -> Response:
        return answer(request, 503, "The database is busy; try again in a few seconds.")

    def on_database(request: Request, error: Exception) -> Response:
        return answer(request, 503, str(error))

    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(BadQuery, on_query)
    app.add_exception_handler(NotFound, on_missing)
    app.add_exception_handler(DatabaseBusy, on_busy)
    app.add_exception_handler(DatabaseError, on_database)
    app.add_exception_handler(Exception, lambda request, _error: answer(request, 500, _OWN_FAULT))


def _allowed(app: FastAPI, request: Request) -> list[str]:
    """Every method that is understood at this address; the framework names those of one route only."""
    return [
        method for method in _METHODS if _is_understood(app, request, "GET" if method == "HEAD" else method)
    ]


def _is_understood(app: FastAPI, request: Request, method: str) -> bool:
    asked = {**request.scope, "method": method}
    return any(route.matches(asked)[0] is Match.FULL for route in app.routes if not isinstance(route, Mount))


_OWN_FAULT = "The monitor itself failed here; its log says more. What is stored is not affected."


def _wants_page(request: Request) -> bool:
    path = request.url.path
    if path.startswith(("/api/", "/healthz", "/readyz", "/metrics", "/events", "/openapi")):
        return False
    return "text/html" in request.headers.get("accept", "")
