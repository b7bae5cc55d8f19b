"""How a fault shows on an HTTP request: in place of an answer, or upon the right one.

What is right is worked out elsewhere; words that are wrong are no business of this file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import orjson
from starlette.responses import Response, StreamingResponse

from monitor.sandbox.common import refusals
from monitor.sandbox.common.http_call import Call, cut, until_gone
from monitor.sandbox.common.refusals import Refusal
from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.faults.catalogue import KINDS
from monitor.sandbox.faults.payloads import (
    BROKEN_JSON,
    CONTROL_HEADERS,
    DECLARED_LENGTH,
    INVALID_UTF8,
    gzip_bomb,
    large_headers,
)

_ANSWERED = ("redirect", "redirect_loop", "html_200")
_BLANKS_PAUSE = 0.2
_FLOOD = b" " * 65_536
Sleep = Callable[[float], Awaitable[object]]


async def http_breakage(call: Call, fault: ActiveFault | None, model: str | None) -> Response | None:
    """The answer that *fault* gives in place of the right one; None where work may go on.

    A silent one returns when the client has hung up, and a slow one lets its time pass here.
    """
    if fault is None:
        return None
    if KINDS[fault.fault].inside or fault.fault in _ANSWERED:
        return call.answer(refusals.fault_refusal(call.endpoint, fault, model), model)
    instead = _instead(call, fault)
    if instead is not None:
        return instead
    match fault.fault:
        case "drop":
            return cut(call)
        case "silent":
            await until_gone(call.request)
            return Response(status_code=502)
        case "control_headers":
            return await _raw(call, CONTROL_HEADERS)
        case "slow":
            await call.sandbox.sleep(float(fault.extras.get("delay", 10)))
    return None


def _instead(call: Call, fault: ActiveFault) -> Response | None:
    """A 200 whose body has nothing to do with what was asked."""
    match fault.fault:
        case "empty_200":
            return call.answer(Refusal(200, b""))
        case "error_200":
            error = {
                "message": "The server had an error.",
                "type": "server_error",
                "param": None,
                "code": None,
            }
            return call.answer(Refusal(200, orjson.dumps({"error": error})))
        case "invalid_json":
            return call.answer(Refusal(200, BROKEN_JSON[str(fault.extras.get("variant", "cut"))]))
        case "invalid_utf8":
            return call.answer(Refusal(200, INVALID_UTF8))
        case "gzip_bomb":
            return call.answer(Refusal(200, gzip_bomb(), headers=(("content-encoding", "gzip"),)))
        case "large_headers":
            return call.answer(Refusal(200, b'{"text": ""}', headers=tuple(large_headers())))
        case _:
            return None


async def _raw(call: Call, content: bytes) -> Response:
    """Bytes that no HTTP library would send, and the end of the connection."""
    transport = getattr(call.request.state, "transport", None)
    if transport is not None:
        transport.write(content)
        transport.close()
        await until_gone(call.request)
    return Response(status_code=502)


def spoilt(call: Call, fault: ActiveFault | None, right: Response) -> Response:
    """What *fault* makes of the right answer."""
    if fault is None:
        return right
    body, sleep = bytes(right.body), call.sandbox.sleep
    match fault.fault:
        case "truncated_json":
            return _like(right, body[: len(body) // 2])
        case "wrong_type":
            return _like(right, body, "text/html; charset=utf-8")
        case "wrong_charset":
            return _like(right, body.decode("utf-8", "replace").encode("utf-16"))
        case "endless_body":
            return _streamed(right, _endless(body, b" ", _BLANKS_PAUSE, sleep))
        case "flood":
            return _streamed(right, _endless(b"", _FLOOD, 0.001, sleep))
        case "drip":
            return _streamed(right, _dripped(body, float(fault.extras.get("delay", 1)), sleep))
        case "huge_length":
            answer = _streamed(right, _endless(body, b"", _BLANKS_PAUSE, sleep))
            answer.headers["content-length"] = str(DECLARED_LENGTH)
            return answer
        case _:
            return right


def _like(right: Response, body: bytes, media: str | None = None) -> Response:
    headers = {name: value for name, value in right.headers.items() if name != "content-length"}
    return Response(body, right.status_code, {**headers, **({"content-type": media} if media else {})})


def _streamed(right: Response, pieces: AsyncIterator[bytes]) -> Response:
    headers = {name: value for name, value in right.headers.items() if name != "content-length"}
    return StreamingResponse(pieces, right.status_code, headers)


async def _endless(first: bytes, rest: bytes, pause: float, sleep: Sleep) -> AsyncIterator[bytes]:
    yield first
    while True:
        await sleep(pause)
        if rest:
            yield rest


async def _dripped(body: bytes, pause: float, sleep: Sleep) -> AsyncIterator[bytes]:
    for at in range(len(body)):
        yield body[at : at + 1]
        await sleep(pause)
