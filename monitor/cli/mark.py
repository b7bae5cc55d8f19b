"""``earwitness mark``: an outside event on the timeline."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from monitor.cli.arguments import Config, Instant, read_instant
from monitor.cli.terminal import say
from monitor.core.errors import ConfigurationError
from monitor.core.outages.marks import checked_mark
from monitor.core.timefmt import rfc3339
from monitor.pipeline.annotate import note_mark
from monitor.service.build import database_of, derivation_settings_of, settings_or_defaults


def mark(
    text: Annotated[str, Parameter(allow_leading_hyphen=True)],
    *,
    at: Instant = None,
    author: str | None = None,
    config: Config = None,
) -> int:
    """Note an outside event; incidents that begin near it name it.

    Parameters
    ----------
    text
        What happened, such as "deployed 4.2".
    at
        When; now where it is absent.
    author
        Who says so; the name of the user where it is absent.

    """
    now = datetime.now(UTC)
    who = author or os.environ.get("USER") or "command line"
    try:
        mark = checked_mark(read_instant("--at", at) or now, text, who)
    except ValueError as error:
        raise ConfigurationError([f"mark: {error}"]) from error
    settings = settings_or_defaults(config)
    stored = note_mark(database_of(settings), derivation_settings_of(settings), mark, now=now)
    say(f"Marked '{stored.text}' at {rfc3339(stored.at)}.")
    return 0
