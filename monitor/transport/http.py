"""One HTTP request over a connection of its own: httpx speaks, the connection is dialled here.

httpx's client is left out on purpose: it keeps connections and cookies from run to run and reads the
address of every redirect, even where it does not follow it. Nothing of that can happen here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio
import httpcore
import httpx

from monitor.core.classification.error_bodies import mapping, read_json
from monitor.core.conversation import Fault, FaultKind, Headers, Responded, Silent
from monitor.core.model import Stage
from monitor.transport.errors import Broken, translated
from monitor.transport.evidence import CLIENT
from monitor.transport.recorder import Recorder
from monitor.transport.sockets import Streams, is_hung_up
from monitor.transport.websocket import HTTP, NO_HTTP, is_http

# The engine would write whole response heads to the log at level DEBUG, and a peer may echo the key there.
logging.getLogger("httpcore").setLevel(logging.WARNING)
_SLICE = 8 * 1024  # parsed at a time before the head is there: a hundred answers "100" fit into it
_DIALLING = (Stage.RESOLVE, Stage.CONNECT, Stage.TLS)
_PORTION = 64 * 1024  # written at a time, so that a refusal in mid-body is not written over
Told = TypeVar("Told")


def load_engine() -> None:
    """Load now what the engine would load inside the first request, and that request's time with it."""
    anyio.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """What is to be sent; `headers` hold the credential already."""

    method: str
    url: str
    headers: Headers
    body: bytes
    mints: str | None = None


class Stream(httpcore.AsyncNetworkStream):
    """A dialled connection, as httpx's engine wants it; it notes sizes and stages on the tape.

    `is_answering` is set once the head of the answer is there. Before, little is taken and slowly: an
    endless row of interim answers (RFC 9110, 15.2) is nothing that the engine would ever end.
    """

    def __init__(self, streams: Streams, tape: Recorder) -> None:
        self._reader, self._writer = streams
        self._tape = tape
        self._received = 0
        self._start = b""
        self.ended = False
        self.is_answering = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109, ARG002
        """What the peer sends next; empty at its end."""
        if self._tape.stage is Stage.SEND:
            self._tape.enter(Stage.TRANSCRIBE)
        if not self.is_answering and self._received:
            max_bytes = min(max_bytes, _SLICE)
            await asyncio.sleep(0)
        data = await self._reader.read(max_bytes)
        self.ended = not data
        if self.ended and self._reader.lost is not None:
            raise self._reader.lost
        self._tape.bytes_in += len(data)
        if self._received < len(HTTP):
            self._start += data[: len(HTTP)]
            if not is_http(self._start):
                raise Broken(FaultKind.PROTOCOL, NO_HTTP)
        self._received += len(data)
        self._check()
        return data

    def _check(self) -> None:
        limits = self._tape.limits
        if self._received > limits.received:
            raise Broken(FaultKind.TOO_LARGE, f"more than {limits.received} bytes came")
        if not self.is_answering and self._received > limits.head:
            raise Broken(FaultKind.TOO_LARGE, f"more than {limits.head} bytes came before an answer")

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109, ARG002
        """Hand over *buffer* whole."""
        try:
            for start in range(0, len(buffer), _PORTION):
                if is_hung_up(self._writer.transport):
                    raise ConnectionResetError("the peer has hung up")
                self._writer.write(memoryview(buffer)[start : start + _PORTION])
                await self._writer.drain()
        except OSError as error:
            # The engine then reads on: a peer may refuse and hang up before it has taken everything.
            raise httpcore.WriteError(str(error)) from error
        self._tape.bytes_out += len(buffer)

    def abort(self) -> None:
        """Free the socket at once."""
        self._writer.transport.abort()

    async def aclose(self) -> None:
        """The same, as the engine asks for it."""
        self.abort()


class _Body(httpx.AsyncByteStream):
    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            yield chunk


class FreshConnection(httpx.AsyncBaseTransport):
    """A connection for one request; whoever made it closes it."""

    def __init__(self, connect: Callable[[], Awaitable[Streams]], tape: Recorder) -> None:
        self._connect = connect
        self._tape = tape
        self._stream: Stream | None = None

    @property
    def ended(self) -> bool:
        """Whether the peer has hung up."""
        return self._stream is not None and self._stream.ended

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Dial, send, and give the head of the answer; its body is read by the caller."""
        self._stream = stream = Stream(await self._connect(), self._tape)
        self._tape.enter(Stage.SEND)
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        answer = await httpcore.AsyncHTTP11Connection(target.origin, stream).handle_async_request(
            httpcore.Request(request.method, target, headers=request.headers.raw, content=request.stream)
        )
        stream.is_answering = True
        self._tape.enter(Stage.RESPOND)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.aiter_stream()), request=request
        )

    def explained(self, broken: Broken) -> Broken:
        """The same, but a response that broke off because the peer hung up is no broken protocol."""
        dropped = broken.kind is FaultKind.PROTOCOL and self.ended
        return Broken(FaultKind.RESET, broken.detail) if dropped else broken

    def abort(self) -> None:
        """Free the socket."""
        if self._stream is not None:
            self._stream.abort()

    async def aclose(self) -> None:
        """The same, as httpx asks for it."""
        self.abort()


async def upload(
    request: HttpRequest,
    connect: Callable[[], Awaitable[Streams]],
    tape: Recorder,
    *,
    until: float,
    limit: int,
) -> Responded | Silent | Fault:
    """Send one request, and read at most *limit* bytes of its answer until the offset *until*."""
    connection = FreshConnection(connect, tape)
    try:
        return await in_time(_exchange(request, connection, tape, limit), connection, tape, until)
    finally:
        connection.abort()


async def in_time(
    work: Awaitable[Told], connection: FreshConnection, tape: Recorder, until: float
) -> Told | Silent | Fault:
    """What *work* on the connection gives, or what kept it from coming until that offset."""
    try:
        async with asyncio.timeout_at(tape.zero + until):
            with translated():
                return await work
    except TimeoutError:
        if tape.stage in _DIALLING:
            return fault_of(tape, Broken(FaultKind.TIMEOUT, "no answer in time"))
        return Silent(at=tape.at(), stage=tape.stage)
    except Broken as broken:
        return fault_of(tape, connection.explained(broken))


async def _exchange(
    request: HttpRequest, connection: FreshConnection, tape: Recorder, limit: int
) -> Responded:
    response, told = await ask(request, connection, tape)
    try:
        body, truncated = await _read(response, limit)
    finally:
        await response.aclose()
    if request.mints is not None:
        body = _keep_secret(body, request.mints, tape)
    body = tape.scrub.data(body)
    tape.http("in", str(response.status_code), len(body), body.decode("utf-8", "replace"))
    return Responded(at=tape.at(), status=response.status_code, headers=told, body=body, truncated=truncated)


def _keep_secret(body: bytes, name: str, tape: Recorder) -> bytes:
    """Take the secret out of the answer, so that it is hidden before anybody sees it.

    Gives the body, in plain JSON where the secret stood in it in another spelling.
    """
    try:
        value = read_json(body)
    except ValueError:
        for found in re.findall(rf'"{re.escape(name)}"\s*:\s*"([^"]+)', body.decode("latin-1")):
            tape.scrub.hide(found)
        return body
    secret = mapping(value).get(name)
    if not isinstance(secret, str) or not secret:
        return body
    tape.minted = secret
    tape.scrub.hide(secret)
    return body if secret.encode("utf-8", "replace") in body else json.dumps(value).encode()


async def ask(
    request: HttpRequest, connection: FreshConnection, tape: Recorder
) -> tuple[httpx.Response, Headers]:
    """Send the request; gives the response, its body still unread, and its headers without secrets."""
    fixed = [("Accept-Encoding", "identity"), ("Connection", "close"), ("User-Agent", CLIENT)]
    given = {name.lower() for name, _ in request.headers}
    headers = [*request.headers, *((name, value) for name, value in fixed if name.lower() not in given)]
    response = await connection.handle_async_request(
        httpx.Request(request.method, request.url, headers=headers, content=request.body)
    )
    told = tape.scrub.headers(response.headers.multi_items())
    tape.response(response.status_code, told)
    return response, told


async def _read(response: httpx.Response, limit: int) -> tuple[bytes, bool]:
    """The body up to *limit*, unpacked if the peer packed it unasked; and whether it was longer."""
    chunks, size = [], 0
    async for chunk in response.aiter_raw():
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            break
    body = b"".join(chunks)
    if is_packed(response.headers.get("content-encoding", "")):
        body = unpack(body, limit)
    return body[:limit], size > limit or len(body) > limit


def is_packed(encoding: str) -> bool:
    """Whether the peer packed the body, as its `Content-Encoding` says, although nobody asked for it."""
    return encoding.strip().lower() in ("gzip", "x-gzip", "deflate")


def unpack(body: bytes, limit: int) -> bytes:
    """At most one byte more than *limit*, whatever the packed body promises; as it is if it is not packed."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, limit + 1)
    except zlib.error:
        return body


def fault_of(tape: Recorder, broken: Broken) -> Fault:
    """What broke, as it is told to the conversation."""
    return Fault(at=tape.at(), stage=tape.stage, kind=broken.kind, detail=tape.scrub.text(broken.detail))
