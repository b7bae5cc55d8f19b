"""What the demo shows: the recorded day in a database of its own, and the service over live checks."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from monitor.cli.demo_data import DAY, FOLDER, open_recording, reference_configuration
from monitor.cli.terminal import complain
from monitor.config import Settings, load
from monitor.config.problems import shown
from monitor.config.settings import DatabaseSettings
from monitor.core.errors import ConfigurationError, MonitorError
from monitor.pipeline.derive import update_all_incidents
from monitor.pipeline.import_outcomes import import_lines
from monitor.service.build import database_of, derivation_settings_of
from monitor.service.page_process import listen
from monitor.service.service import Service
from monitor.store.database.engine import Database
from monitor.web.frame.display_settings import DemoLinks

NOTE = (
    "Nothing here is real: the outage of 17 November is a simulation, "
    "the live checks talk to a practice provider on this machine."
)
NOBODY_YET = "http://127.0.0.1:9"


async def serve_demo(
    folder: Path, address: str, sandbox: Awaitable[str], welcome: Callable[[str, str], None]
) -> None:
    """Serve the page until told to stop; *sandbox* gives the practice provider's base URL.

    *welcome* is told the page's address and the sandbox's once the page answers. Raises MonitorError where
    *address* is malformed or taken, before anything else is done.
    """
    _need(folder, address)
    database = await asyncio.to_thread(_recorded, folder)
    base = await sandbox
    settings = _settings(folder, address=address, base=base)
    await asyncio.to_thread(update_all_incidents, database, derivation_settings_of(settings))
    links = DemoLinks(sandbox_url=f"{base}/_control", incident=1, day=DAY, note=NOTE)
    archive = load(folder / "reference.toml", environ=os.environ).targets
    service = Service(settings, database, demo=links, archive=archive)
    await service.run(lambda page: welcome(page, base))
    database.dispose()


def _need(folder: Path, address: str) -> None:
    """Refuse an address that cannot be had in the words of the option that named it."""
    try:
        web = _settings(folder, address=address, base=NOBODY_YET).web
        listen(web.host, web.port).close()
    except ConfigurationError as error:
        reason = error.problems[0].rpartition("web.listen: ")[2]
        raise MonitorError(f"--listen {shown(address)}: {reason}") from None
    except MonitorError as error:
        raise MonitorError(str(error).replace("in [web] listen", "with --listen")) from None


def _recorded(folder: Path) -> Database:
    """A database that holds the recorded day's outcomes."""
    where = DatabaseSettings(url=f"sqlite:///{folder}/demo.db")
    database = database_of(Settings(path=folder / "config.toml", database=where), fill=True)
    with open_recording() as source:
        import_lines(source, database, complain)
    return database


def _settings(folder: Path, *, address: str, base: str) -> Settings:
    """The demo's own configuration, written out so that it is read like anybody's."""
    key = folder / "sandbox-key"
    key.write_text("sandbox-key\n")
    filled = (FOLDER / "demo.toml").read_text("utf-8")
    values = {"listen": address, "folder": str(folder), "base": base, "key": f"file:{key}", "timezone": "UTC"}
    for name, value in values.items():
        filled = filled.replace(f"{{{name}}}", value)
    path = folder / "config.toml"
    path.write_text(filled)
    (folder / "reference.toml").write_text(reference_configuration(base, f"file:{key}"))
    return load(path, environ=os.environ)
