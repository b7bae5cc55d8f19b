"""``earwitness demo``: everything at once, without key or account."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from monitor.cli.common import complain, database_of, house_of, say
from monitor.cli.demo_data import DAY, FOLDER, open_recording, reference_configuration
from monitor.cli.logs import set_up
from monitor.cli.loop import loop_factory
from monitor.cli.service import Service
from monitor.config import Settings, load
from monitor.core.errors import MonitorError
from monitor.pipeline.intake import take_in
from monitor.pipeline.verdict import judge_all
from monitor.store.engine import Database
from monitor.web.settings import DemoLinks

NOTE = "The recorded day was made by holding every conversation against this sandbox under a driven clock."
PATIENCE_S = 15.0


def demo(
    *,
    listen: str = "127.0.0.1:8080",
    sandbox_port: int = 8900,
    folder: Annotated[Path | None, Parameter(help="Where to keep the database; a temporary folder.")] = None,
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
        folder.mkdir(parents=True, exist_ok=True)
        return _demo(listen, sandbox_port, folder)
    with tempfile.TemporaryDirectory(prefix="earwitness-demo-") as temporary:
        return _demo(listen, sandbox_port, Path(temporary))


def _demo(listen: str, sandbox_port: int, folder: Path) -> int:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_run(listen, sandbox_port, folder.absolute()))
    return 0


async def _run(listen: str, sandbox_port: int, folder: Path) -> None:
    async with _sandbox(sandbox_port) as base:
        settings = _settings(folder, listen=listen, base=base)
        database = database_of(settings, fill=True)
        say("Reading the recorded day …")
        await asyncio.to_thread(_read_recording, database, settings)
        links = DemoLinks(sandbox_url=f"{base}/_control", incident=1, day=DAY, note=NOTE)
        archive = load(folder / "reference.toml", environ=os.environ).targets
        service = Service(settings, database, demo=links, archive=archive)
        await service.run(lambda address: _welcome(address, base))
        database.dispose()


def _welcome(address: str, base: str) -> None:
    say(f"\n  The page            {address}")
    say(f"  The recorded day    {address}/?day={DAY}   and its incident {address}/incidents/1")
    say(f"  Break something     {base}/_control")
    say("\n  A break shows as an open incident within about half a minute; Ctrl-C ends the demo.\n")


def _settings(folder: Path, *, listen: str, base: str) -> Settings:
    """The demo's own configuration, written out so that it is read like anybody's."""
    key = folder / "sandbox-key"
    key.write_text("sandbox-key\n")
    filled = (FOLDER / "demo.toml").read_text("utf-8")
    values = {"listen": listen, "folder": str(folder), "base": base, "key": f"file:{key}", "timezone": "UTC"}
    for name, value in values.items():
        filled = filled.replace(f"{{{name}}}", value)
    path = folder / "config.toml"
    path.write_text(filled)
    (folder / "reference.toml").write_text(reference_configuration(base, f"file:{key}"))
    return load(path, environ=os.environ)


def _read_recording(database: Database, settings: Settings) -> None:
    with open_recording() as source:
        take_in(source, database, complain)
    judge_all(database, house_of(settings))


@asynccontextmanager
async def _sandbox(port: int) -> AsyncIterator[str]:
    """The practice provider in a process of its own, so that its work is not measured as ours."""
    command = (sys.executable, "-m", "monitor", "sandbox", "--port", str(port), "--lifeline")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    )
    try:
        yield await asyncio.wait_for(_address(process), PATIENCE_S)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    """The base URL out of the sandbox's first line; MonitorError with its own words where it ended."""
    assert process.stdout is not None and process.stderr is not None  # noqa: PT018, S101 - asked for above
    line = (await process.stdout.readline()).decode()
    for word in line.replace(",", " ").split():
        if word.startswith("http://"):
            return word
    said = (await process.stderr.read()).decode().strip().removeprefix("earwitness: ")
    raise MonitorError(said.replace(" --port", " --sandbox-port") or "the sandbox ended at once")
