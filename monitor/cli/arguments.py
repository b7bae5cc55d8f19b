"""What several commands need: the configuration, the transport, the exit code of an answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from monitor.config import CONFIG_VARIABLE
from monitor.core.errors import ConfigurationError, NotFound
from monitor.core.model import Target
from monitor.core.timefmt import parse_named

Config = Annotated[
    Path | None,
    Parameter(
        name=["--config", "-c"],
        env_var=CONFIG_VARIABLE,
        show_env_var=True,
        help="The configuration file; ./config.toml where neither this nor the variable is set.",
    ),
]


Instant = Annotated[str | None, Parameter(help="An instant such as 2025-11-17T08:30:00Z.")]


def chosen(targets: Iterable[Target], keys: Iterable[str]) -> list[Target]:
    """The targets of these keys, or all of them for none; raises NotFound for an unknown one."""
    known = {target.key: target for target in targets}
    missing = [key for key in keys if key not in known]
    if missing:
        listed = ", ".join(sorted(known)) or "none is configured"
        raise NotFound(f"unknown target {', '.join(missing)}; the configured ones: {listed}")
    return [known[key] for key in keys] or list(known.values())


def read_range(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """The instants of --from and --to; raises ConfigurationError where they make no range."""
    begin, end = read_instant("--from", since), read_instant("--to", until)
    if begin and end and begin > end:
        raise ConfigurationError([f"--from {since}: lies after --to {until}"])
    return begin, end


def read_instant(option: str, text: str | None) -> datetime | None:
    """The instant that an option names, None for none; raises ConfigurationError where it names none."""
    if text is None:
        return None
    try:
        return parse_named(text)
    except ValueError as error:
        raise ConfigurationError([f"{option}: {error}"]) from error
