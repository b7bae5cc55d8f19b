"""The WebSocket side of the port: handshakes, frames, pings, close frames, and their absence on purpose.

It carries bytes between a session and the socket. It speaks with the protocol part of the websockets
library directly, since only so an upgrade can be refused with a body, a connection cut without a
close frame, and an event sent without a task or queue in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Any, cast

from uvicorn.server import ServerState
from websockets.datastructures import Headers
from websockets.exceptions import InvalidState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from monitor.sandbox.azure_speech.websocket import SpeechSession
from monitor.sandbox.common.refusals import CloseAfterError, Refusal
from monitor.sandbox.common.state import Sandbox
from monitor.sandbox.common.trace_headers import HeaderList
from monitor.sandbox.compatible.dialects import DIALECTS
from monitor.sandbox.compatible.session import CompatibleSession
from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.faults.payloads import ASSAULTS, hostile_stream
from monitor.sandbox.openai.server_events import ServerEvents
from monitor.sandbox.openai.session import Session
from monitor.sandbox.openai.session_settings import Identity
from monitor.sandbox.server.upgrade import (
    Admission,
    CompatibleAdmission,
    NeverAnswer,
    SpeechAdmission,
    UpgradeRequest,
    enter,
    read_upgrade_request,
)

LARGEST_MESSAGE = 24 * 1024 * 1024  # 15 MiB of audio in base64, and its event
CLOSE_WAIT = 5.0
ASSAULT_PAUSE = 0.002  # 64 kB every two milliseconds are 32 MB a second


class _ServerProtocol(ServerProtocol):
    """Can be told to leave pings unanswered; takes the sub-protocol `realtime` where it is offered."""

    pongs = True

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """Choose `realtime`, as the live service does: browsers close a socket whose offer got no answer."""
        return next((name for name in subprotocols if name == "realtime"), None)

    def send_frame(self, frame: Frame) -> None:
        if self.pongs or frame.opcode is not Opcode.PONG:
            super().send_frame(frame)


class ServerWebSocket(asyncio.Protocol):
    """One connection that asked to become a WebSocket."""

    def __init__(self, sandbox: Sandbox, connections: set[Any]) -> None:
        self._sandbox = sandbox
        self._connections = connections
        self._protocol = _ServerProtocol(max_size=LARGEST_MESSAGE)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._session: Session | SpeechSession | CompatibleSession | None = None
        self._fragments = bytearray()
        self._is_text = True  # the message that is under way
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._assault: Iterator[bytes] = iter(())
        self._pause = 0.0  # seconds between two pieces of the assault
        self._may_write = True
        self._is_deaf = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The HTTP side hands the connection over."""
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The connection is gone; what was planned for it is dropped."""
        self._connections.discard(self)
        self._session = None
        self._assault = iter(())
        for timer in self._timers.values():
            timer.cancel()

    def pause_writing(self) -> None:
        """The client reads more slowly than it is written to; until it catches up it is not heard either."""
        self._may_write = False
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._may_write = True
        if not self._is_deaf:
            self._transport.resume_reading()
        self._throw()

    def eof_received(self) -> None:
        """The client will send no more; the connection closes with that."""

    def shutdown(self) -> None:
        """The server goes down."""
        self.close(CloseCode.GOING_AWAY, "")
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Takes what came over the socket."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take_frame(event)
            elif isinstance(event, Request):
                self._take_request(event)
        self._flush()
        if self._protocol.parser_exc is not None:
            self._transport.close()

    def _take_frame(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY if frame.fin:
                self._take_message(bytes(frame.data), is_text=frame.opcode is Opcode.TEXT)
            case Opcode.TEXT | Opcode.BINARY:
                self._fragments, self._is_text = bytearray(frame.data), frame.opcode is Opcode.TEXT
            case Opcode.CONT:
                self._fragments += frame.data
                if frame.fin:
                    whole, self._fragments = bytes(self._fragments), bytearray()
                    self._take_message(whole, is_text=self._is_text)
            case Opcode.CLOSE:
                self._flush()
                self._transport.close()

    def _take_message(self, data: bytes, *, is_text: bool) -> None:
        session = self._session
        if session is None or self._protocol.state is not OPEN:
            return
        if is_text and not _is_utf8(data):
            self.close(CloseCode.INVALID_DATA, "")  # RFC 6455, section 8.1
        elif is_text:
            session.receive(data)
        elif isinstance(session, SpeechSession):
            session.receive_binary(data)
        else:
            session.refuse_binary()

    def _take_request(self, request: Request) -> None:
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        accepted = self._protocol.accept(request)
        visit = read_upgrade_request(self._sandbox.script, request.path, headers)
        if isinstance(visit, Refusal):
            self._refuse(visit, [])
            return
        evidence = self._sandbox.evidence.of(
            visit.endpoint, client_id=headers.get("x-ms-client-request-id"), deployment=visit.named
        )
        decision = enter(self._sandbox, visit)
        if accepted.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._protocol.send_response(accepted)
            self._hang_up()
        elif isinstance(decision, Refusal):
            self._refuse(decision, evidence)
        elif not isinstance(decision, NeverAnswer):
            self._accept(accepted, evidence)
            self._open(visit, decision)

    def _refuse(self, refusal: Refusal, evidence: HeaderList) -> None:
        headers = Headers({**dict(evidence), **dict(refusal.headers)})
        headers["content-type"] = refusal.media
        headers["content-length"] = str(len(refusal.body))
        headers["connection"] = "close"
        phrase = HTTPStatus(refusal.status).phrase if refusal.status in set(HTTPStatus) else ""
        self._protocol.send_response(Response(refusal.status, phrase, headers, refusal.body))
        self._hang_up()

    def _hang_up(self) -> None:
        self._flush()
        self._transport.close()

    def _accept(self, accepted: Response, evidence: HeaderList) -> None:
        del accepted.headers["Date"]
        for name, value in evidence:
            accepted.headers[name] = value
        self._protocol.send_response(accepted)

    def _open(
        self,
        visit: UpgradeRequest,
        decision: Admission | SpeechAdmission | CompatibleAdmission | CloseAfterError,
    ) -> None:
        if isinstance(decision, CloseAfterError):
            speaker = ServerEvents(self._sandbox.ids, "ga")
            self.send(speaker.complain(decision.complaint, None))
            self.close(decision.close, decision.reason)
            return
        self._schedule_ping()
        name = decision.fault.fault if decision.fault else ""
        self._protocol.pongs = name != "no_pong"
        if name in ASSAULTS and decision.fault is not None:
            self._begin_assault(decision.fault)
        if not decision.begins:
            return
        if isinstance(decision, SpeechAdmission):
            self._session = SpeechSession(self._sandbox, visit.endpoint, decision.wanted, self)
            return
        limit = self._sandbox.script.session
        if isinstance(decision, CompatibleAdmission):
            held = DIALECTS[visit.endpoint.dialect](self._sandbox, visit.endpoint, visit.query, self)
            self._timers["expiry"] = self._loop.call_later(limit, self._run, held.expire)
            self._session = held
            held.begin()
            return
        host = f"{decision.host}-2024" if name == "drift_host" else decision.host
        expires_at = int(self._sandbox.clock().timestamp() + limit)
        identity = Identity(
            self._sandbox.ids.draw("sess"), decision.dialect, decision.purpose, host, expires_at
        )
        self._session = session = Session(self._sandbox, visit.endpoint, identity, self)
        self._timers["expiry"] = self._loop.call_later(limit, self._run, session.expire)
        if decision.secret is not None:
            session.settings.change(decision.secret.session)
        session.begin()

    def _begin_assault(self, fault: ActiveFault) -> None:
        self._assault = hostile_stream(fault.fault)
        self._pause = float(fault.extras.get("delay", 1)) if fault.fault == "drip" else ASSAULT_PAUSE
        self._timers["assault"] = self._loop.call_later(self._pause, self._throw)

    def _throw(self) -> None:
        """Writes the next piece of an assault; the others who are served here have their turn in between."""
        if not self._may_write or self._transport.is_closing():
            return
        self._timers["assault"].cancel()
        piece = next(self._assault, None)
        if piece is not None:
            self._transport.write(piece)
            self._timers["assault"] = self._loop.call_later(self._pause, self._throw)

    def _schedule_ping(self) -> None:
        if self._sandbox.script.ping:
            self._timers["ping"] = self._loop.call_later(self._sandbox.script.ping, self._run, self._ping)

    def _ping(self) -> None:
        self._protocol.send_ping(b"")
        self._schedule_ping()

    def send(self, event: bytes) -> None:
        """Puts a text frame on its way; nothing once the connection is closing."""
        if self._protocol.state is OPEN:
            self._protocol.send_text(event)

    def send_binary(self, data: bytes) -> None:
        """Puts a binary frame on its way; nothing once the connection is closing."""
        if self._protocol.state is OPEN:
            self._protocol.send_binary(data)

    def half_close(self) -> None:
        """Shuts the sending side without a close frame; what the client sends is still read."""
        self._flush()
        self._session = None
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def stop_reading(self) -> None:
        """Reads nothing more of what the client sends."""
        self._flush()
        self._is_deaf = True
        self._transport.pause_reading()

    def close(self, code: int, reason: str) -> None:
        """Sends a close frame and waits a little for the client's."""
        try:
            self._protocol.send_close(code, reason)
        except InvalidState:
            return
        self._flush()
        self._timers["close"] = self._loop.call_later(CLOSE_WAIT, self._transport.close)

    def cut(self) -> None:
        """Drops the connection as it is."""
        self._session = None
        self._transport.abort()

    def later(self, seconds: float, step: Callable[[], None]) -> None:
        """Does *step* after so many seconds, at once for none, never once the connection is gone."""
        if seconds <= 0:
            step()
        else:
            self._loop.call_later(seconds, self._run, step)

    def resume(self, step: Callable[[], None]) -> None:
        """Does *step* now, on behalf of work that went on elsewhere."""
        self._run(step)

    def _run(self, step: Callable[[], None]) -> None:
        if self._protocol.state is OPEN and not self._transport.is_closing():
            step()
            self._flush()

    def _flush(self) -> None:
        data = b"".join(self._protocol.data_to_send())
        if data and not self._transport.is_closing():
            self._transport.write(data)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def wire_factory(sandbox: Sandbox) -> Callable[..., ServerWebSocket]:
    """What uvicorn calls for each connection that asks for an upgrade."""

    def make(*, server_state: ServerState, **_unused: object) -> ServerWebSocket:
        return ServerWebSocket(sandbox, server_state.connections)

    return make
