"""`POST …/realtime/client_secrets`: keys of short life, each for one kind of session."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from monitor.sandbox.common import json_checks, refusals
from monitor.sandbox.common.http_call import HANG_UP, Call, RequestRefused, admit, called, nothing_here
from monitor.sandbox.common.http_faults import http_breakage, spoilt
from monitor.sandbox.common.json_checks import anything, choice, integer, table
from monitor.sandbox.common.refusals import Complaint, Refusal
from monitor.sandbox.common.session_kind import Purpose
from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.faults.catalogue import FaultMoment
from monitor.sandbox.openai.session_settings import Identity, SessionSettings

LARGEST_BODY = 1_000_000
DEFAULT_SECONDS = 600
_body = table(
    {
        "expires_after": table({"anchor": choice("created_at"), "seconds": integer(10, 7200)}),
        "session": anything,
    }
)


async def create_secret(request: Request) -> Response:
    """The answer to a request for a client secret."""
    call = called(request)
    if call is None:
        return await nothing_here(request)
    try:
        admit(call)
        body = await _read(call)
        settings = _settings(call, body)
        fault = _strike(call, settings)
        broken = await http_breakage(call, fault, settings.model_name)
        return broken or spoilt(call, fault, _granted(call, body, settings, fault))
    except RequestRefused as refused:
        return call.answer(refused.refusal)


async def _read(call: Call) -> dict[str, Any]:
    raw = bytearray()
    async for chunk in call.request.stream():
        raw += chunk
        if len(raw) > LARGEST_BODY:
            large = refusals.openai_refusal(413, "Request body too large.", code=None)
            raise RequestRefused(large._replace(headers=HANG_UP))
    try:
        body = orjson.loads(bytes(raw) or b"{}")
    except orjson.JSONDecodeError as error:
        message = "We could not parse the JSON body of your request."
        raise RequestRefused(refusals.openai_refusal(400, message, code=None)) from error
    if not isinstance(body, dict):
        raise _refused(json_checks.wrong_type(body, "body", "an object"))
    complaint = _body(body, "")
    if complaint:
        raise _refused(complaint)
    return body


def _settings(call: Call, body: dict[str, Any]) -> SessionSettings:
    """The session that the secret is to open, checked like a `session.update`."""
    session = body.get("session", {"type": "realtime"})
    purpose: Purpose = "realtime"
    host = None
    if isinstance(session, dict):
        purpose = "transcription" if session.get("type") == "transcription" else "realtime"
        host = session.get("model") if purpose == "realtime" else None
    if isinstance(host, str) and host not in call.endpoint.hosts:
        raise RequestRefused(refusals.unknown_model(call.endpoint, host))
    now = int(call.sandbox.clock().timestamp())
    identity = Identity(call.sandbox.ids.draw("sess"), "ga", purpose, host, now + DEFAULT_SECONDS)
    settings = SessionSettings(identity, call.endpoint)
    complaint = settings.change(session)
    if complaint:
        raise _refused(complaint)
    return settings


def _refused(complaint: Complaint) -> RequestRefused:
    code, message, param, kind = complaint
    return RequestRefused(refusals.openai_refusal(400, message, code=code, kind=kind, param=param))


def _strike(call: Call, settings: SessionSettings) -> ActiveFault | None:
    models = (settings.model_name or None, settings.model or None, settings.host)
    return call.sandbox.faults.strike(
        FaultMoment.REQUEST, endpoint=call.endpoint.name, pathway="client_secret", models=models
    )


def _granted(
    call: Call, body: dict[str, Any], settings: SessionSettings, fault: ActiveFault | None
) -> Response:
    name = fault.fault if fault else ""
    if name == "secret_transcription" and settings.transcription is not None:
        return call.answer(refusals.plain_fault(call.endpoint, "500"))
    seconds = int(body.get("expires_after", {}).get("seconds", DEFAULT_SECONDS))
    secret = call.sandbox.secrets.make(
        call.endpoint.name,
        0 if name == "secret_expired" else seconds,
        purpose=settings.purpose,
        host=settings.host,
        session=body.get("session", {"type": "realtime"}),
    )
    expires_at = int(call.sandbox.clock().timestamp()) + seconds
    shown = {"value": secret.value, "expires_at": expires_at, "session": settings.shown}
    return call.answer(Refusal(200, orjson.dumps(shown)))
