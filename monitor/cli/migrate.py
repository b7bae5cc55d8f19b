"""``earwitness migrate``: the database at the current schema."""

from __future__ import annotations

import os

from monitor.cli.arguments import Config
from monitor.cli.terminal import say
from monitor.config import resolve
from monitor.service.build import settings_or_defaults
from monitor.store.database.migrate import migrate as bring_to_schema


def migrate(*, config: Config = None) -> int:
    """Bring the database to the current schema; nothing happens where it is there already."""
    settings = settings_or_defaults(config)
    from monitor.store.database.engine import open_database  # noqa: PLC0415 - the one command that checks no schema

    database = open_database(resolve(settings.database.url, os.environ))
    bring_to_schema(database)
    say(f"{database.place} has the current schema.")
    return 0
