"""One HTTP request at an endpoint's address: who may make it, and how it is answered or left unanswered.

What is asked for is the business of the files that serve it.
"""

from __future__ import annotations

from typing import NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response

from monitor.sandbox.common import refusals
from monitor.sandbox.common.access import named_endpoint, refused_key
from monitor.sandbox.common.refusals import Refusal
from monitor.sandbox.common.script import ServedEndpoint
from monitor.sandbox.common.state import Sandbox
from monitor.sandbox.model_abilities import DATED_VERSIONS, ENDS

HANG_UP = (("connection", "close"),)  # of an answer to a request that is not read to its end
_OWN = {"azure": "/openai/", "openai": "/v1/", "speech": "/speech", "compatible": "/v1/"}


class RequestRefused(Exception):
    """Ends the work on a request with its answer."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


class Call(NamedTuple):
    """One request with what it is addressed to."""

    sandbox: Sandbox
    endpoint: ServedEndpoint
    request: Request

    def admit(self) -> None:
        """Raises Refused for a missing or wrong key."""
        refusal = refused_key(self.endpoint, self.request.headers, {})
        if refusal is not None:
            raise RequestRefused(refusal)

    def answer(self, refusal: Refusal, name: str | None = None) -> Response:
        """A whole answer, with the evidence headers of the vendor."""
        headers = [*self.evidence(name), ("content-type", refusal.media), *refusal.headers]
        return with_headers(Response(refusal.body, status_code=refusal.status), headers)

    def evidence(self, name: str | None) -> list[tuple[str, str]]:
        """The evidence headers; *name* is the deployment that answers, if one does."""
        return self.sandbox.evidence.of(
            self.endpoint,
            client_id=self.request.headers.get("x-ms-client-request-id"),
            deployment=name,
            milliseconds=round(self.sandbox.script.latency.rest * 1000),
        )


def called(request: Request) -> Call | None:
    """The call that a request is; None where the endpoint does not serve the address."""
    sandbox: Sandbox = request.app.state.sandbox
    endpoint = named_endpoint(sandbox.script, request.url.path)
    if endpoint is None:
        return None
    own = request.url.path.removeprefix(f"/{endpoint.name}")
    return Call(sandbox, endpoint, request) if own.startswith(_OWN[endpoint.kind]) else None


def admit(call: Call) -> None:
    """Raises Refused for a wrong key or API version."""
    call.admit()
    version = call.request.query_params.get("api-version")
    if "deployment" in call.request.path_params:
        if version not in DATED_VERSIONS:
            raise RequestRefused(refusals.no_such_path(call.endpoint, "POST", call.request.url.path))
    elif call.endpoint.kind == "azure" and version not in (None, "v1", "preview"):
        raise RequestRefused(refusals.azure_refusal(400, "BadRequest", "API version not supported"))


async def list_models(request: Request) -> Response:
    """The models of an endpoint, as `GET /models` shows them."""
    call = called(request)
    if call is None:
        return await nothing_here(request)
    try:
        admit(call)
    except RequestRefused as refused:
        return call.answer(refused.refusal)
    models = [_listed(call.endpoint, name) for name in (*call.endpoint.deployments, *call.endpoint.hosts)]
    return call.answer(Refusal(200, orjson.dumps({"object": "list", "data": models})))


async def show_model(request: Request) -> Response:
    """Answer `GET /models/{id}`: one model of the list, or that there is none of that name."""
    call = called(request)
    if call is None:
        return await nothing_here(request)
    try:
        admit(call)
    except RequestRefused as refused:
        return call.answer(refused.refusal)
    name = request.path_params["model"]
    if name not in call.endpoint.deployments and name not in call.endpoint.hosts:
        return call.answer(refusals.unknown_model(call.endpoint, name))
    return call.answer(Refusal(200, orjson.dumps(_listed(call.endpoint, name))))


def _listed(endpoint: ServedEndpoint, name: str) -> dict[str, object]:
    """One model as it is listed; its last day is OpenAI's to tell."""
    listed = {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "sandbox"}
    if endpoint.kind != "openai":
        return listed
    return {**listed, "shutdown_date": ENDS.get(endpoint.deployments.get(name, name))}


async def nothing_here(request: Request) -> Response:
    """The answer to any other address."""
    sandbox: Sandbox = request.app.state.sandbox
    endpoint = named_endpoint(sandbox.script, request.url.path)
    if endpoint is None:
        known = ", ".join(sandbox.script.endpoints)
        sentence = f"no endpoint of that name here; this sandbox serves /NAME/… for: {known}; see /_control"
        unknown = refusals.openai_refusal(404, sentence, code="endpoint_not_found")
        return Response(unknown.body, unknown.status, media_type=unknown.media)
    path = request.url.path.removeprefix(f"/{endpoint.name}")
    return Call(sandbox, endpoint, request).answer(refusals.no_such_path(endpoint, request.method, path))


def cut(call: Call) -> Response:
    """Drops the connection; the answer goes nowhere."""
    transport = getattr(call.request.state, "transport", None)
    if transport is not None:
        transport.abort()
    return Response(status_code=502)


async def until_gone(request: Request) -> None:
    """Waits until the client has hung up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def with_headers(response: Response, headers: list[tuple[str, str]]) -> Response:
    """*response* with further headers."""
    for name, value in headers:
        response.headers[name] = value
    return response
