"""What a peer says before it hangs up is heard, also where we were just about to write to it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpcore
import pytest
import uvloop

from monitor.core.conversation import Answer, Closed, Conversation, Fault, FaultKind, Refused
from monitor.core.model import Stage
from monitor.transport import Limits
from monitor.transport.http import Stream
from monitor.transport.recorder import Recorder
from tests.support.fakes import CLOSE as CLOSE_FRAME
from tests.support.fakes import Line, ScriptedServer, frame, stay
from tests.support.transport_conversations import (
    BRIEF,
    CLOSE,
    FOUND,
    RECEIVE,
    closed_port,
    observe,
    open_at,
    send,
    server_tls,
    transport,
    upload_to,
)

Loop = Callable[[], asyncio.AbstractEventLoop]
Speech = Callable[[socket.socket], None]
LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 3000, 4000, 4001, 4004, 4401, 4999]
_SALT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@contextmanager
def peer(speech: Speech, tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, threading.Event]]:
    """A peer in a thread of its own, heard while our loop is busy; gives its port, and when it is gone."""
    gone = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            line, _ = listener.accept()
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a reset drops what waits here
            speech(tls.wrap_socket(line, server_side=True) if tls else line)
            gone.set()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], gone
        thread.join()


def take_upgrade(line: socket.socket) -> None:
    """Read the request for an upgrade and take it."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += line.recv(4096)
    key = next(part for part in head.split(b"\r\n") if part.lower().startswith(b"sec-websocket-key"))
    proof = base64.b64encode(hashlib.sha1(key.split()[1] + _SALT).digest()).decode()  # noqa: S324
    line.sendall(
        b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + f"Sec-WebSocket-Accept: {proof}\r\n\r\n".encode()
    )


def drop(line: socket.socket) -> None:
    """Hang up with a reset, as a server does that closes while there is more to read."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()


def saying(*frames: bytes) -> Speech:
    """A peer that hears one frame, says those, and resets."""

    def speech(line: socket.socket) -> None:
        take_upgrade(line)
        line.recv(64)
        for one in frames:
            line.sendall(one)
        drop(line)

    return speech


def sending(answers: list[Answer], url: str, gone: threading.Event) -> Conversation:
    """Send, be late, and go on sending: the peer has hung up meanwhile."""
    answers.append((yield open_at(url)))
    answers.append((yield send("first")))
    assert gone.wait(5)  # our loop is busy: nothing is read
    answers.append((yield send(*["x" * 6_400] * 40, audio=True)))
    answers.append((yield RECEIVE))
    answers.append((yield CLOSE))
    return FOUND


def held(conversation: Conversation, loop: Loop) -> None:
    """Hold it on such a loop."""

    async def hold() -> None:
        runner = transport()
        await runner.run(conversation, deadline=5.0)
        await runner.aclose()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(hold())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("scheme", ["ws", "wss"])
@pytest.mark.parametrize("code", CODES)
def test_a_close_frame_before_a_reset_is_heard_while_we_send(code: int, scheme: str, loop: Loop) -> None:
    """Every code and its reason, with and without TLS, on either loop, though our writes come too late."""
    farewell = frame(CLOSE_FRAME, struct.pack("!H", code) + b"because")
    context = server_tls("right.pem") if scheme == "wss" else None
    answers: list[Answer] = []
    with peer(saying(farewell), context) as (port, gone):
        held(sending(answers, f"{scheme}://localhost:{port}/", gone), loop)
    for answer in answers[-2:]:
        assert isinstance(answer, Closed), answer
        assert (answer.code, answer.reason) == (code, "because")


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_refusal_before_a_reset_is_heard_while_we_upload(scheme: str, loop: Loop) -> None:
    """A peer that refuses at the first bytes of a long body, and resets, has still said why."""

    def refuse(line: socket.socket) -> None:
        line.recv(64)
        line.sendall(b"HTTP/1.1 413 No")
        drop(line)

    async def ask(url: str) -> bytes:
        runner = transport()
        await runner.reach(f"http://127.0.0.1:{closed_port()}/", deadline=1.0)  # it is warm after that
        tape = Recorder(now=time.monotonic, zero=time.monotonic(), limits=Limits())
        stream = Stream(await runner.connect(url, tape), tape)
        await stream.write(b"head")
        assert gone.wait(5)  # our loop is busy: nothing is read
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"x" * 8_000_000)
        heard = await stream.read(4096)
        stream.abort()
        await runner.aclose()
        return heard

    context = server_tls("right.pem") if scheme == "https" else None
    with peer(refuse, context) as (port, gone), asyncio.Runner(loop_factory=loop) as held_by:
        heard = held_by.run(ask(f"{scheme}://localhost:{port}/"))
    assert heard == b"HTTP/1.1 413 No"


@pytest.mark.parametrize("loop", LOOPS)
def test_a_refusal_before_our_request_is_heard(loop: Loop) -> None:
    """A peer that is full says so on connecting, and resets before it reads the upgrade."""

    def refuse(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nfull")
        line.recv(1)
        drop(line)

    def ask(url: str) -> Conversation:
        answers.append((yield open_at(url)))
        return FOUND

    answers: list[Answer] = []
    with peer(refuse) as (port, _):
        held(ask(f"ws://localhost:{port}/"), loop)
    assert isinstance(answers[0], Refused), answers
    assert answers[0].status == 503


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"220 mail ESMTP",
        b"-ERR unknown",
        b"\0",
        b"HTCPCP/1.0",
    ],
)
@pytest.mark.parametrize("then", ["stays", "hangs up"])
async def test_bytes_that_are_no_http_are_told_as_such(said: bytes, then: str) -> None:
    """Another protocol behind the port is heard at its first bytes, whether the peer stays or hangs up."""

    async def script(line: Line) -> None:
        await line.read_head()
        await line.send(said)
        if then == "stays":
            await stay()

    async with ScriptedServer(script) as server:
        (opened, *_), _ = await observe(open_at(server.url("ws")), deadline=BRIEF)
        (uploaded, *_), _ = await observe(upload_to(server.url()), deadline=BRIEF)
    assert isinstance(opened, Fault)
    assert (opened.kind, opened.stage) == (FaultKind.PROTOCOL, Stage.HANDSHAKE)
    assert isinstance(uploaded, Fault)
    assert uploaded.kind is FaultKind.PROTOCOL
