"""The page in a process of its own, over the same database: however many look, no check waits for it.

The service binds the sockets, starts the process, starts it anew when it dies, and tells it now and then
how the service is. All of that goes through the process's standard input, which ends with the service:
so does the page.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import pickle
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog

from monitor.config import Settings
from monitor.core.alerting.model_retirement import Retirement
from monitor.core.errors import MonitorError
from monitor.core.model import Target
from monitor.web.frame.display_settings import DemoLinks, Liveness

log = structlog.get_logger("page")

REPORT_EVERY_S = 1.0
BACKLOG = 128  # connections that wait while the page is started anew
READY = b"ready\n"
LEAVE_S = 5.0  # for what is under way when the service stops
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
SOUND_AFTER_S = 60.0  # a page that lived so long is started anew at once
MOST_UNREAD = 1_000_000  # bytes that a page which does not read is owed at most
LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """What the page rests on beside the database; `reported` are the targets a report may quote, by key."""

    settings: Settings
    reported: Sequence[Target] = ()
    demo: DemoLinks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the service says of itself now."""

    liveness: Liveness
    retirements: Sequence[Retirement] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets:
    """Where the page listens, and where health and metrics do if they have an address of their own."""

    page: socket.socket
    ops: socket.socket | None = None

    def all(self) -> list[socket.socket]:
        """Those that there are, the page's first."""
        return [self.page] if self.ops is None else [self.page, self.ops]


@contextlib.contextmanager
def listening(settings: Settings) -> Iterator[Sockets]:
    """The bound sockets of the page; MonitorError with the remedy where an address cannot be had."""
    web = settings.web
    with contextlib.ExitStack() as ends:
        page = ends.enter_context(listen(web.host, web.port))
        ops = None
        if web.ops_listen is not None:
            port = int(web.ops_listen.rpartition(":")[2])
            ops = ends.enter_context(listen(web.ops_host, port, key="ops_listen"))
        yield Sockets(page=page, ops=ops)


def listen(host: str, port: int, *, key: str = "listen") -> socket.socket:
    """A listening socket; MonitorError with the remedy where the address cannot be had.

    Who connects before the page answers, or while it is started anew, waits a moment.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = "is in use" if error.errno == errno.EADDRINUSE else str(error.strerror or error).lower()
        raise MonitorError(
            f"{host}:{port} {reason}: stop what listens there, or set another address in [web] {key}"
        ) from error
    return listener


class PageProcess:
    """The page as a process that is started anew whenever it ends; the checks go on meanwhile."""

    def __init__(self, facts: PageFacts, report: Callable[[], Report]) -> None:
        self._facts, self._report = facts, report
        self._stopping = asyncio.Event()
        self.process: Process | None = None

    def stop(self) -> None:
        """Let the page end what it is about, and `serve` return."""
        self._stopping.set()

    async def serve(self, sockets: Sockets, started: Callable[[], None]) -> None:
        """Keep a page running until stopped; whatever becomes of it is logged and raises nothing."""
        pause, loop = FIRST_PAUSE_S, asyncio.get_running_loop()
        telling = _Once(started)
        while not self._stopping.is_set():
            began = loop.time()
            try:
                ended = await self._run(sockets, telling)
            except OSError as error:
                ended = str(error)
            if self._stopping.is_set():
                return
            if loop.time() - began > SOUND_AFTER_S:
                pause = FIRST_PAUSE_S
            log.warning("the page ended and is started anew", ended=ended, after_s=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _run(self, sockets: Sockets, started: Callable[[], None]) -> str:
        """One life of the page; how it ended."""
        handles = [one.fileno() for one in sockets.all()]
        command = (sys.executable, "-m", "monitor.service.page_server", *map(str, handles))
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, pass_fds=handles, start_new_session=True
        )
        self.process = process
        tasks = [
            asyncio.create_task(self._tell(process), name="tell the page"),
            asyncio.create_task(_hear(process, started), name="hear the page"),
            asyncio.create_task(self._stopping.wait(), name="stop the page"),
        ]
        try:
            await asyncio.wait([*tasks[1:]], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            code = await _end(process)
            self.process = None
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

    async def _tell(self, process: Process) -> None:
        """Send the facts, then a report now and then, for as long as the page reads."""
        assert process.stdin is not None  # noqa: S101 - asked for
        with contextlib.suppress(OSError):
            process.stdin.write(packed(self._facts))
            while True:
                if process.stdin.transport.get_write_buffer_size() < MOST_UNREAD:
                    process.stdin.write(packed(self._report()))
                await asyncio.sleep(REPORT_EVERY_S)


async def _hear(process: Process, started: Callable[[], None]) -> None:
    """Return when the page has ended; tell when it is ready."""
    assert process.stdout is not None  # noqa: S101 - asked for
    while line := await process.stdout.readline():
        if line == READY:
            started()


async def _end(process: Process) -> int:
    """End the page: by the end of its input, and where that does not help by force."""
    assert process.stdin is not None  # noqa: S101 - asked for
    process.stdin.close()
    try:
        return await asyncio.wait_for(process.wait(), LEAVE_S)
    except TimeoutError:
        log.warning("the page did not end in time and is killed", after_s=LEAVE_S)
        return await _kill(process)
    except asyncio.CancelledError:
        await _kill(process)
        raise


async def _kill(process: Process) -> int:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    return await process.wait()


class _Once:
    """Calls what it holds the first time only."""

    def __init__(self, told: Callable[[], None]) -> None:
        self._told: Callable[[], None] | None = told

    def __call__(self) -> None:
        told, self._told = self._told, None
        if told is not None:
            told()


def packed(value: PageFacts | Report) -> bytes:
    """A value as it goes to the page: its length, then its bytes."""
    data = pickle.dumps(value)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data
