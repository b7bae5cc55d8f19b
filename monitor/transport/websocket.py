"""One WebSocket below the conversation: whole messages the moment they come, within bounds.

The library's own queue and tasks are left out: messages are handed on where they are parsed, which
costs less and gives the true time of arrival. It follows no redirect, whoever sends it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidMessage, InvalidState, PayloadTooBig
from websockets.frames import DATA_OPCODES, EXTERNAL_CLOSE_CODES, Frame, Opcode
from websockets.protocol import Event
from websockets.uri import parse_uri

from monitor.core.conversation import FaultKind, Headers
from monitor.transport.limits import Limits
from monitor.transport.sockets import is_hung_up

# The library would write request headers, the key among them, to the log at level DEBUG.
_QUIET = logging.getLogger("monitor.transport.websockets")
_QUIET.setLevel(logging.WARNING)
_SLICE = 8 * 1024  # parsed at a time: a flood of tiny frames is cut off before it holds up the loop
_LONGEST_HEAD = 64 * 1024
HTTP = b"HTTP/"  # how every answer begins (RFC 9112, 2.3)
NO_HTTP = "what came is no HTTP"
NO_CLOSE_FRAME = 1006


class MessageListener(Protocol):
    """Who is told what the wire hears; each method is called from the event loop, none may wait."""

    def heard_text(self, text: str, size: int) -> None:
        """A whole text message."""

    def heard_binary(self, data: bytes) -> None:
        """A whole binary message."""

    def heard_close(self, code: int, reason: str, *, by_peer: bool) -> None:
        """The connection is over; 1006 where no close frame came."""

    def heard_break(self, kind: FaultKind, detail: str) -> None:
        """The connection is over, for a reason below the protocol."""


class _ClientProtocol(ClientProtocol):
    """The library's, which forgets what a close frame said where its code is none."""

    farewell = b""

    def recv_frame(self, frame: Frame) -> None:
        """One frame, before it is judged."""
        if frame.opcode is Opcode.CLOSE:
            self.farewell = bytes(frame.data)
        super().recv_frame(frame)


class ClientWebSocket(ClientConnection):
    """A client's end of a WebSocket that tells its listener everything once."""

    def __init__(self, url: str, listener: MessageListener, limits: Limits) -> None:
        protocol = _ClientProtocol(parse_uri(url), max_size=limits.message, logger=_QUIET)
        super().__init__(protocol, ping_interval=None, close_timeout=0.1, max_queue=None)
        self.head = bytearray()
        self.received = 0
        self.sent = 0
        self._frames = 0
        self._parts: list[bytes] = []
        self._opcode = Opcode.TEXT
        self._listener = listener
        self._limits = limits
        self._over = False

    async def ask_upgrade(self, headers: Headers) -> None:
        """Ask for the upgrade and wait for the answer; raises what keeps it from being one.

        A peer that is full may refuse before it is asked, and the library takes no request after that.
        """
        if not self.received:
            await self.handshake(headers, None)
            return
        ends = (self.response_rcvd, self.connection_lost_waiter)
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        raise self.protocol.handshake_exc or InvalidMessage("an answer came before the request")

    def write(self, message: str | bytes) -> int:
        """Put one message on its way, text or binary; gives its payload's size. The caller minds `paused`.

        Raises InvalidState where the peer has hung up or the connection is over.
        """
        if is_hung_up(self.transport):
            raise InvalidState("the peer has hung up")
        if isinstance(message, bytes):
            data = message
            self.protocol.send_binary(data)
        else:
            data = message.encode()
            self.protocol.send_text(data)
        super().send_data()
        self.sent += len(data)
        return len(data)

    def write_close(self, code: int, reason: str) -> None:
        """Put a close frame on its way."""
        self.protocol.send_close(code, reason)
        self.send_data()

    def send_data(self) -> None:
        """Send what is due, unless the peer has hung up: what it said before is still to be read then."""
        if is_hung_up(self.transport):
            self.protocol.data_to_send()
            return
        super().send_data()

    def data_received(self, data: bytes) -> None:
        """Bytes from the socket, fed to the parser in slices so that the bounds hold inside a flood."""
        self.received += len(data)
        if self.response is None and len(self.head) < _LONGEST_HEAD:
            self.head += data[:_LONGEST_HEAD]
            if not is_http(self.head):
                self.transport.abort()  # told when the connection is over
                return
        for start in range(0, len(data), _SLICE):
            super().data_received(data if len(data) <= _SLICE else data[start : start + _SLICE])
            self._check()
            if self._over:
                return

    def process_event(self, event: Event) -> None:
        """One frame; the first event is the answer to the upgrade and goes the library's way."""
        if self.response is None:
            super().process_event(event)
            return
        self._frames += 1
        if not self._over and isinstance(event, Frame) and event.opcode in DATA_OPCODES:
            self._gather(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone, with or without a farewell."""
        super().connection_lost(exc)
        if not is_http(self.head):
            self.protocol.handshake_exc = InvalidMessage(NO_HTTP)
        if self.response is not None and not self._over:
            self._over = True
            self._listener.heard_close(NO_CLOSE_FRAME, "", by_peer=True)

    def _gather(self, frame: Frame) -> None:
        data = bytes(frame.data)
        if frame.opcode is not Opcode.CONT:
            self._opcode = frame.opcode
        if not frame.fin or self._parts:
            self._parts.append(data)
            if not frame.fin:
                return
            data = b"".join(self._parts)
            self._parts = []
        if self._opcode is Opcode.BINARY:
            self._listener.heard_binary(data)
            return
        try:
            self._listener.heard_text(data.decode(), len(data))
        except UnicodeDecodeError as error:
            self._give_up(FaultKind.PROTOCOL, f"a text frame is no UTF-8: {error.reason}")

    def _check(self) -> None:
        protocol = self.protocol
        if self.response is None:
            if protocol.handshake_exc is not None:
                self.transport.abort()  # else the library would wait for the peer to hang up
        elif protocol.close_rcvd is not None:
            self._farewell(protocol.close_rcvd.code, protocol.close_rcvd.reason)
        elif protocol.parser_exc is not None:
            large = isinstance(protocol.parser_exc, PayloadTooBig)
            said = _misspelt(getattr(protocol, "farewell", b"")) or str(protocol.parser_exc)
            self._give_up(FaultKind.TOO_LARGE if large else FaultKind.PROTOCOL, said)
        elif self.received > self._limits.received:
            self._give_up(FaultKind.TOO_LARGE, f"more than {self._limits.received} bytes came")
        elif self._frames > self._limits.frames:
            self._give_up(FaultKind.TOO_LARGE, f"more than {self._limits.frames} frames came")

    def _farewell(self, code: int, reason: str) -> None:
        if not self._over:
            self._over = True
            self._listener.heard_close(code, reason, by_peer=self.protocol.close_rcvd_then_sent is True)
        self.transport.close()

    def _give_up(self, kind: FaultKind, detail: str) -> None:
        if not self._over:
            self._over = True
            self._listener.heard_break(kind, detail)
        self.transport.abort()


def _misspelt(farewell: bytes) -> str | None:
    """What a close frame said whose code is none: gateways put the HTTP status of their upstream there."""
    code, reason = int.from_bytes(farewell[:2]), farewell[2:].decode("utf-8", "replace")
    if len(farewell) <= 1 or code in EXTERNAL_CLOSE_CODES or 3000 <= code < 5000:  # RFC 6455, 7.4.2
        return None
    return f"closed with {code}, which is no close code: {reason or 'no reason given'}"


def is_http(beginning: bytes | bytearray) -> bool:
    """Whether an answer that begins so can be HTTP, as far as it has come."""
    return bytes(beginning[: len(HTTP)]) == HTTP[: len(beginning)]


def head_of(raw: bytes) -> tuple[int, tuple[tuple[str, str], ...], bytes] | None:
    """Status, headers and what there is of the body, of an HTTP answer that never ended or broke a bound.

    None where the head is not whole or is no HTTP.
    """
    head, blank, body = bytes(raw).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words: list[Any] = first.split(" ", 2)
    if not blank or len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdecimal():
        return None
    pairs = [line.partition(":") for line in lines if ":" in line]
    return int(words[1][:3]), tuple((name.strip(), value.strip()) for name, _, value in pairs), body
