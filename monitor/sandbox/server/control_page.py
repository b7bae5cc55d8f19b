"""Switching faults on and off while the sandbox runs: a page for people and JSON for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from monitor.sandbox.common.script import ServedEndpoint
from monitor.sandbox.common.state import Sandbox
from monitor.sandbox.faults.active import FaultError, parse_fault
from monitor.sandbox.faults.catalogue import EXTRAS, KINDS, PATHWAYS, SPEECH, UPLOADS

_ADDRESSES = (
    "GET /_control, GET /_control/overview, GET /_control/kinds, GET, POST and DELETE /_control/faults,"
    " GET and DELETE /_control/faults/{id}"
)
LARGEST_BODY = 65_536
_FOREIGN = "faults are switched from the sandbox's own page, or by a script without an Origin header"


async def page(_request: Request) -> Response:
    """The control page; it reads and changes everything through the JSON beside it."""
    return HTMLResponse((files(__package__) / "control_page.html").read_text("utf-8"))


async def overview(request: Request) -> Response:
    """What is served and which faults can be had."""
    sandbox: Sandbox = request.app.state.sandbox
    return _json(
        {
            "now": sandbox.clock().isoformat(),
            "endpoints": [_shown(endpoint) for endpoint in sandbox.script.endpoints.values()],
            "pathways": PATHWAYS,
            "extras": EXTRAS,
            "kinds": _kinds(),
        }
    )


async def list_kinds(_request: Request) -> Response:
    """Which faults can be had: what each does, on which pathways it strikes, and what it can be told."""
    return _json({"kinds": _kinds(), "extras": EXTRAS})


def _kinds() -> list[dict[str, Any]]:
    return [
        {
            "fault": name,
            "says": kind.says,
            "group": kind.group,
            "pathways": list(kind.at),
            "at_upgrade": kind.at_upgrade,
            "extras": kind.extras,
        }
        for name, kind in KINDS.items()
    ]


async def list_faults(request: Request) -> Response:
    """All faults, in force or not."""
    sandbox: Sandbox = request.app.state.sandbox
    now = sandbox.clock()
    return _json({"faults": [fault.as_json(now) for fault in sandbox.faults.listed()]})


async def add_fault(request: Request) -> Response:
    """Puts a fault in force; 201 with the fault and its id, 422 with the reason otherwise."""
    if _is_foreign(request):
        return _problem(403, _FOREIGN)
    sandbox: Sandbox = request.app.state.sandbox
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            large = _problem(413, f"a fault takes less than {LARGEST_BODY} bytes")
            large.headers["connection"] = "close"
            return large
    try:
        table = orjson.loads(bytes(body))
    except orjson.JSONDecodeError as error:
        return _problem(400, f"the body is no JSON: {error}")
    if not isinstance(table, dict):
        return _problem(422, 'expected an object such as {"endpoint": "azure-sweden", "fault": "failed"}')
    try:
        fault = sandbox.faults.add(parse_fault(table))
    except FaultError as error:
        return _problem(422, str(error))
    return _json(fault.as_json(sandbox.clock()), 201)


async def show_fault(request: Request) -> Response:
    """One fault; 404 where there is none of that id."""
    sandbox: Sandbox = request.app.state.sandbox
    identifier = request.path_params["id"]
    found = [fault for fault in sandbox.faults.listed() if fault.id == identifier]
    return _json(found[0].as_json(sandbox.clock())) if found else _no_such_fault(identifier)


async def remove_fault(request: Request) -> Response:
    """Ends a fault; 204, or 404 where there is none of that id."""
    if _is_foreign(request):
        return _problem(403, _FOREIGN)
    sandbox: Sandbox = request.app.state.sandbox
    identifier = request.path_params["id"]
    if sandbox.faults.remove(identifier):
        return Response(status_code=204)
    return _no_such_fault(identifier)


async def remove_all(request: Request) -> Response:
    """Ends every fault; 204."""
    if _is_foreign(request):
        return _problem(403, _FOREIGN)
    sandbox: Sandbox = request.app.state.sandbox
    for fault in sandbox.faults.listed():
        sandbox.faults.remove(fault.id)
    return Response(status_code=204)


async def nothing_here(request: Request) -> Response:
    """The answer to any other address of the control API, or to another method."""
    sentence = f"{request.method} {request.url.path[:80]} is nothing here; there are: {_ADDRESSES}"
    return _problem(404, sentence)


def _no_such_fault(identifier: str) -> Response:
    return _problem(404, f"no fault has the id '{identifier[:40]}'; GET /_control/faults lists them")


def _is_foreign(request: Request) -> bool:
    """Whether a browser asks for the page of another site."""
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


def _shown(endpoint: ServedEndpoint) -> dict[str, Any]:
    return {
        "name": endpoint.name,
        "kind": endpoint.kind,
        "region": endpoint.region,
        "models": endpoint.models,
        "hosts": endpoint.hosts if endpoint.converses else (),
        "pathways": _pathways(endpoint),
    }


def _pathways(endpoint: ServedEndpoint) -> Sequence[str]:
    if endpoint.kind == "speech":
        return SPEECH
    if not endpoint.converses:
        return (*UPLOADS, "realtime_transcription")
    return [name for name in PATHWAYS if name not in SPEECH]


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


def _problem(status: int, detail: str) -> Response:
    titles = {
        400: "Bad Request",
        403: "Forbidden",
        404: "Not Found",
        413: "Content Too Large",
        422: "Unprocessable Content",
    }
    body = {"type": "about:blank", "title": titles[status], "status": status, "detail": detail}
    return Response(orjson.dumps(body), status, media_type="application/problem+json")


ROUTES = [
    Route("/", page),
    Route("/_control", page),
    Route("/_control/", page),
    Route("/_control/overview", overview),
    Route("/_control/kinds", list_kinds),
    Route("/_control/faults", list_faults, methods=["GET"]),
    Route("/_control/faults", add_fault, methods=["POST"]),
    Route("/_control/faults", remove_all, methods=["DELETE"]),
    Route("/_control/faults/{id}", show_fault, methods=["GET"]),
    Route("/_control/faults/{id}", remove_fault, methods=["DELETE"]),
    Route("/_control{rest:path}", nothing_here, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
]
