"""The sandbox on a port: HTTP through uvicorn, WebSockets through our own wire, both on one socket."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from monitor.core.errors import MonitorError
from monitor.sandbox.common.script import Script
from monitor.sandbox.server.app import create_app
from monitor.sandbox.server.first_bytes import FirstBytesDecision, judge_first_bytes
from monitor.sandbox.server.websocket import wire_factory

HIGHEST_PORT = 65_535


class _Cuttable(H11Protocol):
    """Lets an answer cut the connection, which an ASGI application cannot, and a fault strike before it."""

    _first = b""
    _is_judged = False
    _is_held = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Hands on what came, unless a fault holds or ends the connection at its first line."""
        if self._is_judged:
            super().data_received(data)
            return
        if self._is_held:
            return
        self._first += data
        verdict = judge_first_bytes(self.config.app.state.sandbox, self._first)  # type: ignore[union-attr]
        if verdict is FirstBytesDecision.UNDECIDED:
            return
        self._is_judged = verdict is FirstBytesDecision.SERVE
        self._is_held = not self._is_judged
        if verdict is FirstBytesDecision.RESET:
            self.transport.abort()
        elif verdict is FirstBytesDecision.DEAF:
            self.transport.pause_reading()
        elif self._is_judged:
            super().data_received(self._first)


@contextlib.asynccontextmanager
async def running(
    app: Starlette, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serves *app* (from `create_app`) while the block lasts; yields the base URL, ``http://127.0.0.1:4711``.

    Port 0 takes a free one. With *tls* the handshake comes first, and faults strike behind it. Raises
    MonitorError where the address cannot be used.
    """
    config, state = _config(app), ServerState()
    config.load()
    loop = asyncio.get_running_loop()
    listener = _listen(host, port)
    server = await loop.create_server(
        lambda: _Cuttable(config=config, server_state=state, app_state={}, _loop=loop),
        sock=listener,
        backlog=2048,
        ssl=tls,
    )
    try:
        yield f"{'https' if tls else 'http'}://{_bracketed(host)}:{listener.getsockname()[1]}"
    finally:
        server.close()
        await _wind_up(state)
        app.state.sandbox.close()


async def _wind_up(state: ServerState) -> None:
    for connection in list(state.connections):
        connection.shutdown()
    tasks = list(state.tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def serve(
    host: str,
    port: int,
    script: Script,
    *,
    tls: ssl.SSLContext | None = None,
    started: Callable[[str], None] | None = None,
) -> None:
    """Serves *script* until SIGINT or SIGTERM; *started* is told the base URL once it answers.

    Raises MonitorError where the address cannot be used, ConfigurationError where the model of
    `whisper` cannot be had.
    """

    async def until_stopped() -> None:
        stopped = asyncio.Event()
        with contextlib.suppress(NotImplementedError):  # no such handlers on Windows
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        app = create_app(script)
        if script.whisper is not None:
            _ = app.state.sandbox.ear  # a model that cannot be had is to be told now
        async with running(app, host=host, port=port, tls=tls) as base:
            if started is not None:
                started(base)
            await stopped.wait()

    with asyncio.Runner(loop_factory=_loop_factory()) as runner, contextlib.suppress(KeyboardInterrupt):
        runner.run(until_stopped())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415  does not install everywhere
    except ImportError:
        return None
    return cast(Callable[[], asyncio.AbstractEventLoop], uvloop.new_event_loop)


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Cuttable,
        ws=cast(Any, wire_factory(app.state.sandbox)),
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        date_header=False,
    )


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= HIGHEST_PORT:
        raise MonitorError(f"port {port} is none: choose one from 1 to {HIGHEST_PORT}, or 0 for a free one")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise MonitorError(_why_not(host, port, error)) from error
    listener.setblocking(False)
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use: stop what listens there, or choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {port} on {host} needs more rights: choose one above 1023 with --port"
    return f"cannot listen on {host} port {port}: {error.strerror or error}; choose another address"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
