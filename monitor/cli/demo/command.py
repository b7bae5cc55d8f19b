"""``earwitness demo``: everything at once, without key or account."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from monitor.cli.demo_data import DAY
from monitor.cli.terminal import PORTS, Unread, say
from monitor.core.errors import MonitorError
from monitor.service.event_loop import loop_factory
from monitor.service.logs import set_up
from monitor.store.database.files import make_folder

PATIENCE_S = 60.0


def demo(
    *,
    listen: str = "127.0.0.1:8080",
    sandbox_port: Annotated[int, Parameter(validator=PORTS)] = 8900,
    folder: Annotated[Path | None, Parameter(help="Where to keep the database; a temporary folder.")] = None,
    config: Unread = None,  # noqa: ARG001 - see there
) -> int:
    """Show a recorded day of outage and live checks against a practice provider that you can break.

    Parameters
    ----------
    listen
        Where the page is served.
    sandbox_port
        Where the practice provider listens; 0 takes a free port.

    """
    set_up()
    if folder is not None:
        make_folder(folder)
        return _demo(listen, sandbox_port, folder)
    with tempfile.TemporaryDirectory(prefix="earwitness-demo-") as temporary:
        return _demo(listen, sandbox_port, Path(temporary))


def _demo(listen: str, sandbox_port: int, folder: Path) -> int:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_run(listen, sandbox_port, folder.absolute()))
    return 0


async def _run(listen: str, sandbox_port: int, folder: Path) -> None:
    with _ended_by_signals():
        say("Starting the sandbox and reading the recorded day: the page stands within 10 seconds …")
        async with _sandbox(sandbox_port) as base:
            # Only here: what serves the page takes as long to load as the sandbox takes to start.
            from monitor.cli.demo.recorded_day import serve_demo  # noqa: PLC0415

            await serve_demo(folder, listen, base, _welcome)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Cancel this task at SIGTERM and SIGINT, until the service takes them over: no folder is left behind."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine runs in one
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        yield


def _welcome(address: str, base: str) -> None:
    say(f"\n  The page            {address}")
    say(f"  The recorded day    {address}/?day={DAY}   and its incident {address}/incidents/1")
    say(f"  Break something     {base}/_control")
    say("\n  A break shows as an open incident within about half a minute; Ctrl-C ends the demo.\n")


@asynccontextmanager
async def _sandbox(port: int) -> AsyncIterator[Awaitable[str]]:
    """The practice provider in a process of its own, so that its work is not measured as ours.

    Gives what will be its base URL; awaiting it raises MonitorError where the sandbox did not start.
    """
    command = (sys.executable, "-m", "monitor", "sandbox", "--port", str(port), "--lifeline")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    )
    base = asyncio.create_task(_base(process))
    try:
        yield base
    finally:
        base.cancel()
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _base(process: asyncio.subprocess.Process) -> str:
    """The base URL, which is the sandbox's first line; MonitorError with its own words where it ended."""
    assert process.stdout is not None and process.stderr is not None  # noqa: PT018, S101 - asked for above
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode()
    except TimeoutError:
        raise MonitorError(f"the sandbox did not start within {PATIENCE_S:.0f} s") from None
    if line:
        return line.strip()
    said = (await process.stderr.read()).decode().strip().removeprefix("earwitness: ")
    raise MonitorError(said.replace(" --port", " --sandbox-port") or "the sandbox ended at once")
