"""``earwitness export``: stored outcomes as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from monitor.cli.arguments import Config, Instant, read_range
from monitor.cli.output_file import writing
from monitor.core.errors import ConfigurationError, NotFound
from monitor.reports import EXPORTS
from monitor.service.build import database_of, settings_or_defaults
from monitor.store.database.engine import Transaction
from monitor.store.outcomes.cells import read_targets
from monitor.store.outcomes.read import stream_outcomes


def export(
    *targets: str,
    since: Annotated[Instant, Parameter(name=["--from", "--since"])] = None,
    until: Annotated[Instant, Parameter(name=["--to", "--until"])] = None,
    format: Annotated[str, Parameter(help="jsonl or csv.")] = "jsonl",  # noqa: A002 - the option's name
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    config: Config = None,
) -> int:
    """Write outcomes, oldest first, as they are read.

    Parameters
    ----------
    targets
        Keys ENDPOINT/MODEL/PATHWAY; all targets where none is named.
    output
        The file to write; standard output where it is absent.

    """
    kind = EXPORTS.get(format)
    if kind is None:
        raise ConfigurationError([f"--format {format}: one of {', '.join(EXPORTS)} is expected"])
    begin, end = read_range(since, until)
    database = database_of(settings_or_defaults(config))
    with database.read() as tx:
        _known_targets(tx, targets)
    with database.read() as tx, writing(output) as sink:
        found = stream_outcomes(tx, targets=set(targets) or None, since=begin, until=end)
        for chunk in kind(found):
            sink.write(chunk)
    return 0


def _known_targets(tx: Transaction, wanted: Sequence[str]) -> None:
    """Refuse a target that nothing is stored of: an empty export would look like silence."""
    known = {target.key for target in read_targets(tx)}
    missing = [key for key in wanted if key not in known]
    if missing:
        listed = ", ".join(sorted(known)) or "none"
        raise NotFound(f"nothing is stored of {', '.join(missing)}; the stored targets: {listed}")
