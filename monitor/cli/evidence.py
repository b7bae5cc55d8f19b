"""``earwitness evidence``: the evidence bundle of one incident."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from monitor.cli.arguments import Config
from monitor.cli.output_file import writing
from monitor.cli.terminal import say
from monitor.service.build import database_of, settings_or_defaults
from monitor.service.incident_report import report


def evidence(
    number: int,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    config: Config = None,
) -> int:
    """Write the evidence bundle of an incident.

    Parameters
    ----------
    number
        The incident's number.
    output
        The file to write; ./incident-N.zip where it is absent.

    """
    settings = settings_or_defaults(config)
    database = database_of(settings)
    path = output or Path(f"incident-{number}.zip")
    targets = {target.key: target for target in settings.targets}
    content = report(database, settings, "bundle", number, targets=targets, now=datetime.now(UTC))
    with writing(path) as sink:
        sink.write(content)
    say(f"{path} holds the evidence of incident {number}.")
    return 0
