"""What several commands need: the configuration, the transport, the exit code of an answer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from monitor.config import CONFIG_VARIABLE
from monitor.core.errors import NotFound
from monitor.core.model import Target

Config = Annotated[
    Path | None,
    Parameter(
        name=["--config", "-c"],
        env_var=CONFIG_VARIABLE,
        show_env_var=True,
        help="The configuration file; ./config.toml where neither this nor the variable is set.",
    ),
]


def chosen(targets: Iterable[Target], keys: Iterable[str]) -> list[Target]:
    """The targets of these keys, or all of them for none; raises NotFound for an unknown one."""
    known = {target.key: target for target in targets}
    missing = [key for key in keys if key not in known]
    if missing:
        listed = ", ".join(sorted(known)) or "none is configured"
        raise NotFound(f"unknown target {', '.join(missing)}; the configured ones: {listed}")
    return [known[key] for key in keys] or list(known.values())
