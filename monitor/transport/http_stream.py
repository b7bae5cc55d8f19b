"""An HTTP response that is told while it comes: whole lines, the moment they are there, within bounds.

Lines are kept whole so that a secret which the peer echoes cannot slip through in two halves.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import httpx

from monitor.core.conversation import Answering, Fault, Finished, Piece, Silent
from monitor.transport.errors import Broken, translated
from monitor.transport.http import FreshConnection, HttpRequest, ask, fault_of, in_time, is_packed
from monitor.transport.limits import Limits
from monitor.transport.recorder import Recorder
from monitor.transport.sockets import Streams

Word = Piece | Finished | Fault


class Download:
    """The body of one response, read in the background; `abandon` always comes last."""

    def __init__(
        self, response: httpx.Response, connection: FreshConnection, tape: Recorder, limits: Limits
    ) -> None:
        self._response = response
        self._encoding = response.headers.get("content-encoding", "")
        self._connection = connection
        self._tape = tape
        self._limits = limits
        self._queue: deque[Word] = deque()
        self._ended: Word | None = None
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())
        self._reader.add_done_callback(lambda _: self._news.set())

    async def next(self, until: float) -> Word | Silent:
        """The oldest piece not yet told, or the next one to come until that offset."""
        while not self._queue:
            if self._ended is not None:
                return self._ended
            if self._reader.done():
                self._reader.result()  # a mistake of our own is raised, not waited for
            self._news.clear()
            try:
                async with asyncio.timeout_at(self._tape.zero + until):
                    await self._news.wait()
            except TimeoutError:
                return Silent(at=self._tape.at(), stage=self._tape.stage)
        return self._queue.popleft()

    def abandon(self) -> None:
        """Read no more, wait for nothing, and free the socket."""
        self._reader.cancel()
        self._connection.abort()

    async def _read(self) -> None:
        try:
            with translated():
                truncated = await self._pass_on()
        except Broken as broken:
            self._ended = fault_of(self._tape, self._connection.explained(broken))
        else:
            self._ended = Finished(at=self._tape.at(), truncated=truncated)
        self._news.set()

    async def _pass_on(self) -> bool:
        """Tell every line; whether the body was longer than the bounds, and the rest is left unread."""
        rest, size, told = b"", 0, 0
        async with aclosing(self._unpacked()) as chunks:
            async for chunk in chunks:
                size += len(chunk)
                if size > self._limits.response or told >= self._limits.frames:
                    return True
                lines, newline, rest = (rest + chunk).rpartition(b"\n")
                if newline:
                    self._tell(lines + newline)
                    told += 1
        if rest:
            self._tell(rest)
        return False

    async def _unpacked(self) -> AsyncGenerator[bytes, None]:
        """The body in chunks, unpacked if the peer packed it unasked, hardly over the bound."""
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 32) if is_packed(self._encoding) else None
        async for chunk in self._response.aiter_raw():
            if unpack is None:
                yield chunk
                continue
            try:
                yield unpack.decompress(chunk, self._limits.response + 1)
            except zlib.error:
                unpack = None
                yield chunk

    def _tell(self, data: bytes) -> None:
        data = self._tape.scrub.data(data)
        at = self._tape.at()
        kind = str(self._response.status_code)
        self._tape.http("in", kind, len(data), data.decode("utf-8", "replace"))
        self._queue.append(Piece(at=at, data=data))
        self._news.set()


async def begin(
    request: HttpRequest,
    connect: Callable[[], Awaitable[Streams]],
    tape: Recorder,
    *,
    until: float,
    limits: Limits,
) -> tuple[Download | None, Answering | Silent | Fault]:
    """Send one request and wait for the head of its answer; the body is the download's."""
    connection = FreshConnection(connect, tape)
    download: Download | None = None
    try:
        answer = await in_time(ask(request, connection, tape), connection, tape, until)
        if isinstance(answer, Silent | Fault):
            return None, answer
        response, told = answer
        download = Download(response, connection, tape, limits)
        return download, Answering(at=tape.at(), status=response.status_code, headers=told)
    finally:
        if download is None:
            connection.abort()
