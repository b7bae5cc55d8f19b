"""Serving the page: what may connect and for how long, the application over one database, its process.

Run as a module it is the page's process: it is told what to serve on standard input, and ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import resource
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import h11
import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from monitor import __version__
from monitor.config import resolve
from monitor.config.field_types import is_loopback
from monitor.core.alerting.model_retirement import Retirement
from monitor.service.build import derivation_settings_of
from monitor.service.event_loop import loop_factory
from monitor.service.incident_report import report
from monitor.service.logs import set_up
from monitor.service.page_process import LENGTH_BYTES, READY, PageFacts, Report, Sockets
from monitor.store.database.engine import STATEMENT_S, Database, open_database
from monitor.web.app import create_app, create_ops_app
from monitor.web.frame.display_settings import DisplaySettings, Liveness

log = structlog.get_logger("page")

REQUEST_WITHIN_S = 10.0  # for a whole request, head and body
READ_WITHIN_S = 30.0  # for a client to take what it asked for
IDLE_S = 5
LEAVE_S = 2
MOST_CONNECTIONS = 256
SILENT_AFTER = timedelta(seconds=15)  # a service that says nothing for so long is not well
NICENESS = 5  # where there is one core only, checks come first
STDIN = 0


class BoundedConnection(H11Protocol):
    """One connection, which may neither dawdle nor take the place of others.

    A request has to be there as a whole in time, and its answer to be read. Where there is no room for
    another, the one that has waited longest for its request gives way.
    """

    request_within_s = REQUEST_WITHIN_S
    read_within_s = READ_WITHIN_S
    most = MOST_CONNECTIONS
    waiting_since: float | None = None
    _late: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin, if there is room."""
        super().connection_made(transport)
        if len(self.connections) > self.room():
            self._make_room()
        if not transport.is_closing():
            self._expect()

    def data_received(self, data: bytes) -> None:
        """Take some of a request; the time for it begins with its first byte."""
        super().data_received(data)
        if self.conn.their_state not in {h11.IDLE, h11.SEND_BODY}:
            self._stop_waiting()
        elif self._late is None:
            self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._stop_waiting()
        self._is_read()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not read what it asked for."""
        super().pause_writing()
        self._unread = self._unread or self.loop.call_later(self.read_within_s, self.leave)

    def resume_writing(self) -> None:
        """It reads again."""
        self._is_read()
        super().resume_writing()

    @classmethod
    def room(cls) -> int:
        """How many are held: a quarter of what may be opened at most, so that the rest stays free."""
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return cls.most if limit <= 0 else max(8, min(cls.most, limit // 4))

    def leave(self) -> None:
        """Give way at once."""
        self.connections.discard(self)
        self.transport.abort()

    def _make_room(self) -> None:
        held = [one for one in self.connections if isinstance(one, BoundedConnection)]
        waiting = [one for one in held if one.waiting_since is not None]
        min(waiting, key=lambda one: one.waiting_since or 0.0, default=self).leave()

    def _expect(self) -> None:
        self.waiting_since = self.loop.time()
        self._late = self.loop.call_later(self.request_within_s, self.leave)

    def _stop_waiting(self) -> None:
        self.waiting_since = None
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


class PageServer(uvicorn.Server):
    """The page's server; signals belong to the service, and *started* is told once it answers."""

    def __init__(
        self,
        app: ASGIApp,
        started: Callable[[], None] = lambda: None,
        connection: type[BoundedConnection] = BoundedConnection,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=connection,
                ws="none",
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=IDLE_S,
                timeout_graceful_shutdown=LEAVE_S,
            )
        )
        self._started = started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured: a signal drains the runs first."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self._started()


class Servers:
    """The page's server and, where it has an address of its own, that of health and metrics."""

    def __init__(
        self,
        facts: PageFacts,
        database: Database,
        clock: Callable[[], datetime],
        heard: Callable[[], Report],
    ) -> None:
        self._facts, self._database, self._clock, self._heard = facts, database, clock, heard
        self._servers: Sequence[PageServer] = ()
        self._stopped = False

    def stop(self) -> None:
        """Let `serve` return soon."""
        self._stopped = True
        for server in self._servers:
            server.should_exit = True

    async def serve(self, sockets: Sockets, started: Callable[[], None]) -> None:
        """Serve until stopped."""
        if self._stopped:
            return
        app = application(self._facts, self._database, self._clock, self._heard)
        servers = [(PageServer(app, started), sockets.page)]
        if sockets.ops is not None:
            ops = ops_application(self._facts, self._database, self._clock, self._heard)
            servers.insert(0, (PageServer(ops), sockets.ops))
        self._servers = [server for server, _ in servers]
        await asyncio.gather(*(server.serve([listener]) for server, listener in servers))


def application(
    facts: PageFacts,
    database: Database,
    clock: Callable[[], datetime],
    heard: Callable[[], Report],
) -> ASGIApp:
    """Pages, JSON and live stream over one database; *heard* is what the service last said of itself."""
    settings = facts.settings

    def made(kind: str, number: int) -> bytes:
        targets = {target.key: target for target in (*facts.reported, *settings.targets)}
        return report(database, settings, kind, number, targets=targets, now=clock())

    return create_app(
        database=database,
        clock=clock,
        derivation=derivation_settings_of(settings),
        settings=_web_settings(facts, heard),
        liveness=lambda: heard().liveness,
        bundle=partial(made, "bundle"),
        summary=lambda number: made("ticket", number).decode(),
    )


def ops_application(
    facts: PageFacts,
    database: Database,
    clock: Callable[[], datetime],
    heard: Callable[[], Report],
) -> ASGIApp:
    """Health and metrics alone."""
    settings = _web_settings(facts, heard)
    if not is_loopback(facts.settings.web.ops_host):
        settings = replace(settings, hosts=None)  # probers ask for addresses, not for names
    return create_ops_app(
        database=database, clock=clock, settings=settings, liveness=lambda: heard().liveness
    )


def _web_settings(facts: PageFacts, heard: Callable[[], Report]) -> DisplaySettings:
    settings, web = facts.settings, facts.settings.web
    return DisplaySettings(
        location=settings.monitor.location,
        timezone=settings.monitor.timezone,
        public_url=web.public_url,
        targets=settings.targets,
        rule=settings.rule,
        retirements=Retirements(heard),
        demo=facts.demo,
        version=__version__,
        metrics=web.ops_listen is None,
        hosts=None if web.behind_proxy and web.public_url is None else frozenset({web.host}),
    )


class Retirements:
    """The retirements that the service last named."""

    def __init__(self, heard: Callable[[], Report]) -> None:
        self._heard = heard

    def __iter__(self) -> Iterator[Retirement]:
        """Those of this moment."""
        return iter(self._heard().retirements)


class Hearing:
    """What the service said last; where it says nothing any more it is taken as standing still."""

    def __init__(self, first: Report, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._last, self._at = first, steady()

    def hear(self, report: Report) -> None:
        """Take what it says now."""
        self._last, self._at = report, self._steady()

    def __call__(self) -> Report:
        """What is known of it now."""
        silent = timedelta(seconds=self._steady() - self._at)
        if silent <= SILENT_AFTER:
            return self._last
        still: Liveness = {**self._last.liveness, "running": False}
        return Report(liveness=still, retirements=self._last.retirements)


async def _serve(handles: Sequence[int]) -> None:
    said = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(said), os.fdopen(STDIN, "rb", buffering=0)
    )
    facts = cast(PageFacts, await _next(said))
    heard = Hearing(cast(Report, await _next(said)))
    url = resolve(facts.settings.database.url, os.environ)
    database = open_database(url, create=False, statement_s=STATEMENT_S)
    servers = Servers(facts, database, lambda: datetime.now(UTC), heard)
    listeners = [socket.socket(fileno=handle) for handle in handles]
    serving = asyncio.create_task(
        servers.serve(Sockets(page=listeners[0], ops=next(iter(listeners[1:]), None)), _say_ready)
    )
    listening = asyncio.create_task(_listen(said, heard))
    await asyncio.wait([serving, listening], return_when=asyncio.FIRST_COMPLETED)
    servers.stop()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(serving, LEAVE_S + 1)


async def _listen(said: asyncio.StreamReader, heard: Hearing) -> None:
    """Hear reports until the service has ended."""
    with contextlib.suppress(asyncio.IncompleteReadError, OSError):
        while True:
            heard.hear(cast(Report, await _next(said)))


async def _next(said: asyncio.StreamReader) -> Any:
    length = int.from_bytes(await said.readexactly(LENGTH_BYTES), "big")
    return pickle.loads(await said.readexactly(length))  # noqa: S301 - from the service that started us


def _say_ready() -> None:
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()


def main(handles: Sequence[int]) -> None:
    """Serve on the sockets of these descriptors until standard input ends."""
    set_up()
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(handles))
    # A thread that still reads for a client who has gone must not keep the process.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]])
