"""Stand-ins for the outside world: a clock that is set, and a peer on loopback that follows a script.

The peer has control of every byte: what it does wrong is what a test is about.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
_ACCEPT_SALT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


@dataclass(slots=True)
class FakeClock:
    """A clock that goes only when it is told to; aware UTC."""

    instant: datetime = field(default_factory=lambda: datetime(2025, 11, 17, 8, 30, tzinfo=UTC))

    def __call__(self) -> datetime:
        """The time it shows."""
        return self.instant

    def advance(self, **parts: float) -> datetime:
        """Move on by that timedelta (``minutes=5``); gives the new time."""
        self.instant += timedelta(**parts)
        return self.instant


@dataclass(slots=True)
class Line:
    """One connection, seen from the scripted peer."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heads: list[str] = field(default_factory=list)  # of every request that was read

    async def read_head(self) -> str:
        """The head of a request, without the blank line."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").removesuffix("\r\n\r\n")
        self.heads.append(head)
        return head

    async def read_request(self) -> tuple[str, bytes]:
        """Head and body (by its Content-Length) of a request."""
        head = await self.read_head()
        return head, await self.read_body(head)

    async def read_body(self, head: str) -> bytes:
        """The body that belongs to that head, by its Content-Length."""
        sizes = [
            line.split(":")[1] for line in head.split("\r\n") if line.lower().startswith("content-length:")
        ]
        return await self.reader.readexactly(int(sizes[0]) if sizes else 0)

    async def upgrade(self, *headers: str) -> str:
        """Take the upgrade to a WebSocket; gives the head of the request."""
        head = await self.read_head()
        await self.accept(head, *headers)
        return head

    async def accept(self, head: str, *headers: str) -> None:
        """Take the upgrade that the head asks for."""
        lines = [line.partition(":") for line in head.split("\r\n")]
        key = next(value.strip() for name, _, value in lines if name.lower() == "sec-websocket-key")
        accept = base64.b64encode(hashlib.sha1(key.encode() + _ACCEPT_SALT).digest()).decode()  # noqa: S324
        answer = ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}", *headers]
        await self.send("HTTP/1.1 101 Switching Protocols\r\n" + "\r\n".join(answer) + "\r\n\r\n")

    async def send(self, data: bytes | str) -> None:
        """Those bytes, and nothing else."""
        self.writer.write(data if isinstance(data, bytes) else data.encode("latin-1"))
        await self.writer.drain()

    async def respond(self, status: str, body: str = "", *headers: str) -> None:
        """A whole HTTP answer with its Content-Length."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", *headers, "", ""]
        await self.send("\r\n".join(lines).encode("latin-1") + body.encode())

    async def say(self, text: str) -> None:
        """One text frame."""
        await self.send(frame(TEXT, text.encode()))

    async def hang_up(self, code: int, reason: str = "") -> None:
        """A close frame."""
        await self.send(frame(CLOSE, struct.pack("!H", code) + reason.encode()))

    async def hear(self) -> tuple[int, bytes]:
        """The next frame from the client: opcode and payload, unmasked."""
        first, second = await self.reader.readexactly(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
        mask = await self.reader.readexactly(4)
        data = await self.reader.readexactly(size)
        return first & 0x0F, bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))

    def reset(self) -> None:
        """Drop the connection with a TCP reset."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SOL_SOCKET, SO_LINGER: no farewell
        self.writer.transport.abort()


def frame(opcode: int, payload: bytes, *, last: bool = True, size: int | None = None, bits: int = 0) -> bytes:
    """A server's frame; *size* may lie, *bits* sets reserved ones (0x40: compressed)."""
    size = len(payload) if size is None else size
    first = opcode | (0x80 if last else 0) | bits
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return bytes((first, 126)) + struct.pack("!H", size) + payload
    return bytes((first, 127)) + struct.pack("!Q", size) + payload


Script = Callable[[Line], Awaitable[None]]


class ScriptedServer:
    """A peer on loopback; the script is followed for each connection, which is closed after it.

    ``async with ScriptedServer(script) as server`` and ``server.url("ws", "/path")``; `connections`
    counts them. With *tls* every connection is secured first.
    """

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._script = script
        self._tls = tls
        self._host = host
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._host, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, scheme: str = "http", path: str = "/", host: str = "127.0.0.1") -> str:
        """Where it is reached."""
        return f"{scheme}://{host}:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            with contextlib.suppress(OSError, EOFError):
                await self._script(Line(reader, writer))
                await writer.drain()
                writer.close()
                return
        except asyncio.CancelledError:
            pass  # the test is over; a cancelled handler would be reported by the stream's own callback
        writer.transport.abort()


async def stay(seconds: float = 30.0) -> None:
    """Say nothing more, and keep the connection."""
    await asyncio.sleep(seconds)
