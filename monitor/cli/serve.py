"""``earwitness serve``: the service."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

from cyclopts import Parameter

from monitor.cli.arguments import Config
from monitor.cli.terminal import complain, say
from monitor.config import Settings, check_secrets
from monitor.service.build import database_of, settings_of
from monitor.service.event_loop import loop_factory
from monitor.service.logs import set_up
from monitor.service.service import Service
from monitor.store.database.engine import STATEMENT_S, Database


def serve(*, verbose: Annotated[bool, Parameter(negative="")] = False, config: Config = None) -> int:
    """Check on schedule, tell, and serve the page, until SIGTERM or Ctrl-C.

    An empty database is brought to the schema; one of another version is refused.

    Parameters
    ----------
    verbose
        Log what the libraries say too.

    """
    settings = settings_of(config)
    check_secrets(settings, os.environ)
    set_up(verbose=verbose)
    if not settings.targets:
        complain(f"{settings.path}: nothing will run: there is no [[watch]]")
    for note in settings.notes:
        complain(note)
    database = database_of(settings, fill=True, statement_s=STATEMENT_S)
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_serve(settings, database))
    finally:
        database.dispose()
    return 0


async def _serve(settings: Settings, database: Database) -> None:
    count = len(settings.targets)
    await Service(settings, database).run(
        lambda address: say(f"Earwitness watches {count} targets; the page is at {address}")
    )
