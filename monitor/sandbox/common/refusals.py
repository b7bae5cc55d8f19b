"""How each vendor says no: statuses, bodies, error events and close codes, as data and small functions.

Texts are those seen on the live services or in their documentation. Nothing here decides when to refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from monitor.sandbox.common.script import ServedEndpoint
from monitor.sandbox.common.status_texts import STATUS_TEXTS
from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.faults.payloads import PAGE


class Refusal(NamedTuple):
    """An HTTP answer other than success."""

    status: int
    body: bytes
    media: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class Complaint(NamedTuple):
    """The inside of an `error` event."""

    code: str | None
    message: str
    param: str | None = None
    type: str = "invalid_request_error"


class CloseAfterError(NamedTuple):
    """One error event and the close frame after it: how OpenAI turns away a socket it has accepted."""

    complaint: Complaint
    close: int

    @property
    def reason(self) -> str:
        """`type.code`, as the live service sends it."""
        return f"{self.complaint.type}.{self.complaint.code}"


_DENIED = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key"
    " for an active subscription and use a correct regional API endpoint for your resource."
)
_NO_DEPLOYMENT = (
    "The API deployment for this resource does not exist. If you created the deployment within the last"
    " 5 minutes, please wait a moment and try again."
)
_QUOTA = "You exceeded your current quota, please check your plan and billing details."
_SORRY = "The server had an error while processing your request. Sorry about that!"
_BUSY = "The service is temporarily unable to process your request. Please try again later."
_HTML = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    b"<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)
_GATEWAY = {"502": b"502 Bad Gateway", "504": b"504 Gateway Time-out"}
_CALL_RATE = (
    "Requests to the Audio_Transcribe Operation under Azure OpenAI API have exceeded call rate limit"
    " of your current OpenAI S0 pricing tier. Please retry after 20 seconds."
)

CLOSES: Mapping[str, int] = {
    "invalid_api_key": 3000,
    "model_not_found": 4004,
    "insufficient_quota": 1013,
    "credit_balance_exhausted": 1013,
}


def openai_refusal(
    status: int,
    message: str,
    *,
    code: str | None,
    kind: str = "invalid_request_error",
    param: str | None = None,
) -> Refusal:
    """An error in OpenAI's shape: all four keys, `param` and `code` possibly null."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return Refusal(status, orjson.dumps({"error": error}))


def azure_refusal(status: int, code: str, message: str) -> Refusal:
    """An error of Azure's gateway: only `code` and `message`."""
    return Refusal(status, orjson.dumps({"error": {"code": code, "message": message}}))


def speech_refusal(status: int, code: str, message: str) -> Refusal:
    """An error of Azure AI Speech, which has no `error` around it."""
    return Refusal(status, orjson.dumps({"code": code, "message": message}))


def no_such_path(endpoint: ServedEndpoint, method: str, path: str) -> Refusal:
    """The answer to an address the vendor does not serve, or not in this way."""
    if endpoint.kind == "speech":
        return speech_refusal(404, "NotFound", "Resource not found")
    if endpoint.kind == "azure":
        return azure_refusal(404, "404", "Resource not found")
    return openai_refusal(404, f"Invalid URL ({method} {path})", code=None)


def unknown_model(endpoint: ServedEndpoint, model: str) -> Refusal:
    """The answer to a model or deployment that is not there."""
    if endpoint.kind == "azure":
        return azure_refusal(404, "DeploymentNotFound", _NO_DEPLOYMENT)
    if endpoint.kind == "compatible" and endpoint.dialect == "speaches":
        return Refusal(404, orjson.dumps({"detail": f"Model '{model}' is not installed locally."}))
    message = f"The model `{model}` does not exist or you do not have access to it."
    return openai_refusal(404, message, code="model_not_found")


def unauthorised(endpoint: ServedEndpoint, given: str | None) -> Refusal:
    """The answer to a missing (None) or wrong key."""
    if endpoint.kind == "speech":
        status, code = (403, "Forbidden") if given is None else (401, "Unauthorized")
        return speech_refusal(status, code, _DENIED)
    if endpoint.kind == "azure":
        return azure_refusal(401, "401", _DENIED)
    if endpoint.kind == "compatible" and endpoint.dialect == "speaches":
        return Refusal(403, orjson.dumps({"detail": "Invalid API key"}))
    if given is None:
        message = (
            "You didn't provide an API key. You need to provide your API key in an Authorization header"
            " using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
        )
        return openai_refusal(401, message, code=None)
    return openai_refusal(401, _wrong_key(given), code="invalid_api_key")


def _wrong_key(given: str) -> str:
    masked = f"{given[:6]}***{given[-3:]}" if len(given) > 12 else "***"
    return (
        f"Incorrect API key provided: {masked}."
        " You can find your API key at https://platform.openai.com/account/api-keys."
    )


def close_for_key(given: str | None) -> CloseAfterError:
    """OpenAI's realtime answer to a missing or wrong key."""
    return CloseAfterError(Complaint("invalid_api_key", _wrong_key(given or "")), 3000)


def not_for_realtime() -> Refusal:
    """Azure's answer to a model in the URL that cannot hold a session (its spelling of the code)."""
    message = (
        "The realtime operation does not work with the specified model."
        " Please choose different model and try again."
    )
    return azure_refusal(400, "OpperationNotSupported", message)


def plain_fault(endpoint: ServedEndpoint, name: str) -> Refusal:
    """The HTTP answer of a status fault with nothing said about it."""
    return fault_refusal(endpoint, ActiveFault(fault=name), None)


def fault_refusal(endpoint: ServedEndpoint, fault: ActiveFault, model: str | None) -> Refusal:
    """The HTTP answer of a status fault such as ``429`` or ``refused_azure``."""
    name = fault.fault
    if name in ("502", "504"):
        return Refusal(int(name), _HTML.replace(b"502 Bad Gateway", _GATEWAY[name]), "text/html")
    if name in ("redirect", "redirect_loop"):
        location = fault.extras.get("location", "http://elsewhere.invalid/") if name == "redirect" else ""
        return Refusal(307, b"", "text/plain", (("location", str(location)),))
    if name == "html_200":
        return Refusal(200, PAGE, "text/html; charset=utf-8")
    if endpoint.kind == "speech":
        status = int(fault.extras.get("status", 400)) if name.startswith("refused") else int(name[:3])
        plain = speech_refusal(status, *_SPEECH_TEXTS.get(status, ("InvalidRequest", "Not possible.")))
    elif endpoint.kind == "azure" or name == "refused_azure":
        plain = _azure_fault(endpoint, fault)
    else:
        plain = _openai_fault(endpoint, fault, model)
    changed = {key: fault.extras[key] for key in ("code", "message") if key in fault.extras}
    body = orjson.loads(plain.body)
    body.get("error", body).update(changed)
    return plain._replace(body=orjson.dumps(body), headers=_waits(fault))


def _azure_fault(endpoint: ServedEndpoint, fault: ActiveFault) -> Refusal:
    status = (
        int(fault.extras.get("status", 400)) if fault.fault.startswith("refused") else int(fault.fault[:3])
    )
    if fault.fault in STATUS_TEXTS:
        code, message = STATUS_TEXTS[fault.fault].azure
        if fault.fault == "400_filter":
            return _filtered(message)
        return azure_refusal(status, code, message)
    if fault.fault in ("429_capacity", "429_quota"):
        return azure_refusal(429, "429", _BUSY if fault.fault == "429_capacity" else _QUOTA)
    match status:
        case 400:
            return not_for_realtime()
        case 401:
            return unauthorised(endpoint if endpoint.kind == "azure" else _AZURE, "")
        case 404:
            return azure_refusal(404, "DeploymentNotFound", _NO_DEPLOYMENT)
        case _:
            code, message = _AZURE_TEXTS.get(status, (str(status), "The request could not be served."))
            return azure_refusal(status, code, message)


_AZURE = ServedEndpoint(name="azure", kind="azure")
_SPEECH_TEXTS = {
    401: ("Unauthorized", _DENIED),
    403: ("Forbidden", "Access denied due to Virtual Network/Firewall rules."),
    404: ("NotFound", "Resource not found"),
    408: ("Timeout", "The operation was timeout."),
    429: ("TooManyRequests", "Resource Exhausted"),
    500: ("InternalServerError", "Internal server error"),
    503: ("ServiceUnavailable", "Service is temporarily unavailable"),
}
_AZURE_TEXTS = {
    403: ("AccessDenied", "Access denied due to Virtual Network/Firewall rules."),
    408: ("Timeout", "The operation was timeout."),
    429: ("429", _CALL_RATE),
    500: ("InternalServerError", "Internal server error"),
    503: ("ServiceUnavailable", "Service is temporarily unavailable"),
}


def _filtered(message: str) -> Refusal:
    verdict = {"hate": {"filtered": True, "severity": "high"}}
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": verdict}
    error = {"message": message, "type": None, "param": "prompt", "code": "content_filter"}
    return Refusal(400, orjson.dumps({"error": {**error, "status": 400, "innererror": inner}}))


def _openai_fault(endpoint: ServedEndpoint, fault: ActiveFault, model: str | None) -> Refusal:
    if fault.fault in STATUS_TEXTS:
        kind, code, message = STATUS_TEXTS[fault.fault].openai
        return openai_refusal(int(fault.fault[:3]), message, code=code, kind=kind)
    match fault.fault:
        case "401":
            return unauthorised(endpoint, "sk-sandbox-refused")
        case "403":
            message = f"Project `proj_sandbox` does not have access to model `{model}`"
            return openai_refusal(403, message, code="model_not_found")
        case "404":
            return unknown_model(endpoint, str(model))
        case "429":
            message = (
                f"Rate limit reached for {model} on requests per min (RPM): Limit 3, Used 3, Requested 1."
                " Please try again in 20s."
            )
            return openai_refusal(429, message, code="rate_limit_exceeded", kind="requests")
        case "429_quota":
            return openai_refusal(429, _QUOTA, code="insufficient_quota", kind="insufficient_quota")
        case "429_capacity":
            return openai_refusal(429, _BUSY, code=None, kind="server_error")
        case _:
            status = int(fault.fault[:3]) if fault.fault[0].isdigit() else 400
            message = "The server is overloaded or not ready yet." if status == 503 else _SORRY
            return openai_refusal(status, message, code=None, kind="server_error")


def _waits(fault: ActiveFault) -> tuple[tuple[str, str], ...]:
    names = {"retry_after": "retry-after", "retry_after_ms": "retry-after-ms"}
    waits = {header: str(fault.extras[key]) for key, header in names.items() if key in fault.extras}
    told = {**dict(_SPENT.get(fault.fault, ())), **waits}
    return tuple((name, value) for name, value in told.items() if value)


# The headers of a spent limit, in agreement with the texts above; an empty `retry_after` omits its own.
_SPENT: Mapping[str, tuple[tuple[str, str], ...]] = {
    "429": (
        ("x-ratelimit-limit-requests", "3"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "20s"),
        ("retry-after", "20"),
    ),
    "429_tokens": (
        ("x-ratelimit-remaining-tokens", "0"),
        ("x-ratelimit-reset-tokens", "20s"),
        ("retry-after", "20"),
    ),
    "429_limit": (("x-ratelimit-limit-tokens", "1000"), ("x-ratelimit-remaining-tokens", "0")),
}


def close_for_fault(fault: ActiveFault, host: str | None) -> CloseAfterError:
    """The error and close frame of a refusal in OpenAI's way; the key is refused if nothing else is said."""
    default = {
        "401": "invalid_api_key",
        "404": "model_not_found",
        "429_quota": "credit_balance_exhausted",
        "429_credit": "credit_balance_exhausted",
    }
    code = fault.extras.get("code", default.get(fault.fault, "invalid_api_key"))
    texts = {
        "invalid_api_key": _wrong_key("sk-sandbox-refused"),
        "model_not_found": f"The model `{host}` does not exist or you do not have access to it.",
        "credit_balance_exhausted": "You have no credits remaining. Add credits to continue.",
        "insufficient_quota": _QUOTA,
    }
    close = CLOSES.get(str(code), 4000)
    kind = fault.extras.get("type", "insufficient_quota" if close == 1013 else "invalid_request_error")
    message = fault.extras.get("message", texts.get(str(code), "The session was refused."))
    return CloseAfterError(Complaint(code, message, type=kind), close)


def stream_error(fault: ActiveFault | None) -> dict[str, Any]:
    """The `error` that breaks off a stream of server-sent events."""
    said = fault.extras if fault else {}
    changed = {key: said[key] for key in ("type", "code", "message") if key in said}
    return {"message": _SORRY, "type": "server_error", "param": None, "code": None} | changed


def item_complaint(fault: ActiveFault) -> Complaint:
    """The `error` event that refuses a text."""
    message = "The item could not be created."
    said = fault.extras
    return Complaint(
        said.get("code", "invalid_value"),
        said.get("message", message),
        "item",
        type=said.get("type", "invalid_request_error"),
    )


def response_failure(
    endpoint: ServedEndpoint, fault: ActiveFault, session_id: str, model: str | None
) -> dict[str, Any]:
    """The `status_details.error` of a failed response; a status fault keeps its type, code and message."""
    message = (
        "The server had an error while processing your request. Sorry about that! Please contact us through"
        f" our help center if the error persists. (Please include the session ID {session_id} in your"
        " message.)"
    )
    error: dict[str, Any] = {"type": "server_error", "code": None, "message": message}
    if fault.fault[0].isdigit() and fault.fault not in _GATEWAY:
        error |= orjson.loads(fault_refusal(endpoint, fault, model).body)["error"]
        error.pop("param", None)
    return error | {key: fault.extras[key] for key in ("type", "code", "message") if key in fault.extras}


def item_failure(fault: ActiveFault, item_id: str, model: str) -> dict[str, Any]:
    """The `error` of a failed event; what no vendor explains there stays the generic payload."""
    generic = f"Input transcription failed for item '{item_id}'."
    hidden = {
        "429": "failed_rate_limit",
        "429_tokens": "failed_rate_limit",
        "429_quota": "failed_quota",
        "429_credit": "failed_quota",
        "429_limit": "failed_rate_limit",
        "404": "failed_model_not_found",
    }
    match hidden.get(fault.fault, fault.fault):
        case "failed_audio":
            error = _item(
                "transcription_error", "audio_unintelligible", "The audio could not be transcribed."
            )
        case "failed_model_not_found":
            text = f"Project `proj_sandbox` does not have access to model `{model}`"
            error = _item("invalid_request_error", "model_not_found", text)
        case "failed_rate_limit":
            error = _item("server_error", None, f"{generic} 429 Too Many Requests")
        case "failed_quota":
            error = _item("server_error", "rate_limit_exceeded", _QUOTA)
        case _:
            error = _item("server_error", None, generic)
    return error | {key: fault.extras[key] for key in ("type", "code", "message") if key in fault.extras}


def generic_item_failure(item_id: str) -> dict[str, Any]:
    """The `error` that hides every cause, a missing Azure deployment among them."""
    return _item("server_error", None, f"Input transcription failed for item '{item_id}'.")


def _item(kind: str, code: str | None, message: str) -> dict[str, Any]:
    return {"type": kind, "code": code, "message": message, "param": None}
