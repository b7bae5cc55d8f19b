"""The asks of a WebSocket conversation, answered in the order in which things happened.

What the peer says waits in one queue with the news that a sending is done; nothing is retried.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import assert_never

from websockets.exceptions import InvalidState

from monitor.core.conversation import (
    Answer,
    Binary,
    Close,
    Closed,
    Fault,
    FaultKind,
    Headers,
    Open,
    Opened,
    Receive,
    Refused,
    Send,
    Sent,
    Silent,
    Text,
)
from monitor.core.model import Stage
from monitor.transport.errors import Broken, translated
from monitor.transport.evidence import utc
from monitor.transport.http import is_packed, unpack
from monitor.transport.recorder import RecordedFrame, Recorder
from monitor.transport.websocket import ClientWebSocket, MessageListener, head_of

# Connects, and gives the headers to send with the upgrade, the credential among them.
Opener = Callable[[Open, MessageListener], Awaitable[tuple[ClientWebSocket, Headers]]]
_DIALLING = (Stage.RESOLVE, Stage.CONNECT, Stage.TLS)
_SWITCHING = 101


class WebSocketConversation:
    """One conversation's WebSocket: open, send, receive, close; `abandon` always comes last."""

    def __init__(self, tape: Recorder, opener: Opener) -> None:
        self._tape = tape
        self._opener = opener
        self._wire: ClientWebSocket | None = None
        self._queue: deque[Answer] = deque()
        self._ended: Closed | Fault | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None

    # What the wire hears

    def heard_text(self, text: str, size: int) -> None:
        """A whole text message of *size* bytes."""
        at = self._tape.at()
        text = self._tape.scrub.text(text)
        self._tape.text(at, "in", text, size)
        self._tell(Text(at=at, text=text))

    def heard_binary(self, data: bytes) -> None:
        """A whole binary message."""
        at = self._tape.at()
        data = self._tape.scrub.data(data)
        self._tape.binary(at, "in", data)
        self._tell(Binary(at=at, data=data))

    def heard_close(self, code: int, reason: str, *, by_peer: bool) -> None:
        """The connection is over."""
        reason = self._tape.scrub.text(reason)
        self._tape.close = {"code": code, "reason": reason, "by": "peer" if by_peer else "us"}
        self._end(Closed(at=self._tape.at(), code=code, reason=reason))

    def heard_break(self, kind: FaultKind, detail: str) -> None:
        """The connection is over, for a reason below the protocol."""
        self._end(self._fault(Broken(kind, detail)))

    # What the conversation asks

    async def answer(self, ask: Open | Send | Receive | Close, until: float) -> Answer:
        """The answer to one ask, at the latest at the offset *until*."""
        match ask:
            case Open():
                return await self._open(ask, until)
            case _ if self._wire is None:
                return self._fault(Broken(FaultKind.MONITOR, "no connection was opened"))
            case Send():
                return await self._send(ask, until)
            case Receive():
                return await self._next(until)
            case Close():
                return await self._close(ask, until)
            case _:
                assert_never(ask)

    def abandon(self) -> None:
        """Say goodbye if that is still possible, wait for nothing, and free the socket."""
        if self._writer is not None:
            self._writer.cancel()
        wire, self._wire = self._wire, None
        if wire is None:
            return
        if self._ended is None and self._tape.close is None:
            self._farewell(wire, 1000, "")
        self._tape.bytes_in += wire.received
        self._tape.bytes_out += wire.sent
        wire.transport.abort()

    async def _open(self, ask: Open, until: float) -> Answer:
        self.abandon()
        self._queue.clear()
        self._ended = self._tape.close = None
        answer = await self._connect(ask, until)
        if not isinstance(answer, Opened):
            self.abandon()
        return answer

    async def _connect(self, ask: Open, until: float) -> Answer:
        try:
            async with asyncio.timeout_at(self._tape.zero + until):
                self._wire, headers = await self._opener(ask, self)
                self._tape.enter(Stage.HANDSHAKE)
                return await self._upgrade(self._wire, headers)
        except TimeoutError:
            return self._unanswered()
        except Broken as broken:
            return self._fault(broken)

    async def _upgrade(self, wire: ClientWebSocket, headers: Headers) -> Answer:
        try:
            with translated():
                await wire.ask_upgrade(headers)
        except Broken as broken:
            return self._refused(wire) or self._fault(broken)
        assert wire.response is not None  # noqa: S101 - the handshake did not raise
        told = self._tape.scrub.headers(wire.response.headers.raw_items())
        self._tape.response(_SWITCHING, told)
        at = self._tape.at()
        return Opened(at=at, headers=told, wall=utc(self._tape.started + at))

    def _refused(self, wire: ClientWebSocket) -> Refused | None:
        """The refusal as far as it came; also one that never ended, or was longer than we take."""
        whole = wire.response
        if whole is not None:
            status, headers, body = whole.status_code, tuple(whole.headers.raw_items()), bytes(whole.body)
        elif (head := head_of(bytes(wire.head))) is not None:
            status, headers, body = head
        else:
            return None
        if status == _SWITCHING:
            return None
        encoding = next((value for name, value in headers if name.lower() == "content-encoding"), "")
        if is_packed(encoding):
            body = unpack(body, self._tape.limits.reply)
        headers = self._tape.scrub.headers(headers)
        body = self._tape.scrub.data(body[: self._tape.limits.reply])
        self._tape.response(status, headers)
        self._tape.http("in", str(status), len(body), body.decode("utf-8", "replace"))
        return Refused(at=self._tape.at(), status=status, headers=headers, body=body)

    def _unanswered(self) -> Answer:
        """The answer to an opening that ran out of time, by the stage it had reached."""
        if self._tape.stage in _DIALLING:
            return self._fault(Broken(FaultKind.TIMEOUT, "no answer in time"))
        refused = self._refused(self._wire) if self._wire is not None else None
        return refused or Silent(at=self._tape.at())

    async def _send(self, ask: Send, until: float) -> Answer:
        if self._ended is not None:
            return await self._next(until)
        entry = self._tape.audio() if ask.audio else None
        written = 0
        if self._writer is None and ask.spacing <= 0:
            written = self._write_burst(ask, entry)
            if written == len(ask.frames):
                return Sent(at=self._tape.at())
        self._queue = deque(answer for answer in self._queue if not isinstance(answer, Sent))
        self._writer = asyncio.create_task(self._write_on(ask, entry, written, self._writer))
        return await self._next(until)

    def _write_burst(self, ask: Send, entry: RecordedFrame | None) -> int:
        """Write what the socket takes without waiting; gives the number of frames written."""
        for number, frame in enumerate(ask.frames):
            if not self._write(frame, entry):
                return number
        return len(ask.frames)

    async def _write_on(
        self, ask: Send, entry: RecordedFrame | None, written: int, before: asyncio.Task[None] | None
    ) -> None:
        """Write the rest, each frame at its own due time, so that lateness does not add up."""
        if before is not None:
            await asyncio.wait([before])
        start = self._tape.now()
        for number in range(written, len(ask.frames)):
            pause = start + number * ask.spacing - self._tape.now()
            if pause > 0:
                await asyncio.sleep(pause)
            await self._drain()
            if not self._write(ask.frames[number], entry):
                return  # the end of the connection is told on its own
        if asyncio.current_task() is self._writer:
            self._writer = None
            self._tell(Sent(at=self._tape.at()))

    async def _drain(self) -> None:
        if self._wire is not None and self._wire.paused:
            with contextlib.suppress(OSError):
                await self._wire.drain()

    def _write(self, frame: str | bytes, entry: RecordedFrame | None) -> bool:
        """Write one frame, unless the socket is full or over."""
        wire = self._wire
        if wire is None or wire.paused or self._ended is not None or wire.transport.is_closing():
            return False
        try:
            size = wire.write(frame)
        except InvalidState:
            return False
        at = self._tape.at()
        if entry is not None:
            entry.add(at, size)
        elif isinstance(frame, bytes):
            self._tape.binary(at, "out", self._tape.scrub.data(frame))
        else:
            self._tape.text(at, "out", self._tape.scrub.text(frame), size)
        return True

    async def _next(self, until: float) -> Answer:
        """The oldest word not yet told, or the next one to come until that offset."""
        while not self._queue and self._ended is None:
            if not await self._woken(until):
                return Silent(at=self._tape.at())
        if self._queue:
            return self._queue.popleft()
        assert self._ended is not None  # noqa: S101 - the loop has ended, and the queue is empty
        return self._ended

    async def _woken(self, until: float) -> bool:
        """Whether something was told before that offset."""
        if self._tape.at() >= until:
            return False
        loop = asyncio.get_running_loop()
        self._waiter = waiter = loop.create_future()
        timer = loop.call_at(self._tape.zero + until, _release, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None
        return True

    async def _close(self, ask: Close, until: float) -> Answer:
        """Close, and wait for the peer's farewell; what it says in between is only recorded."""
        if self._writer is not None:
            self._writer.cancel()
            self._writer = None
        if self._wire is not None and self._ended is None:
            self._farewell(self._wire, ask.code, ask.reason)
        while self._ended is None:
            if not await self._woken(until):
                return Silent(at=self._tape.at())
            self._queue.clear()
        self._queue.clear()
        return self._ended

    def _farewell(self, wire: ClientWebSocket, code: int, reason: str) -> None:
        with contextlib.suppress(InvalidState):
            wire.write_close(code, reason)
            self._tape.close = {"code": code, "reason": reason, "by": "us"}

    def _tell(self, answer: Answer) -> None:
        self._queue.append(answer)
        if self._waiter is not None:
            _release(self._waiter)

    def _end(self, answer: Closed | Fault) -> None:
        self._ended = answer
        if self._waiter is not None:
            _release(self._waiter)

    def _fault(self, broken: Broken) -> Fault:
        detail = self._tape.scrub.text(broken.detail)
        return Fault(at=self._tape.at(), stage=self._tape.stage, kind=broken.kind, detail=detail)


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
