"""The commands that work on what is stored: migrate, import, export, evidence, mark."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

from cyclopts import Parameter

from monitor.cli.arguments import Config
from monitor.cli.terminal import complain, say
from monitor.config import resolve
from monitor.core.errors import ConfigurationError, MonitorError, NotFound
from monitor.core.outages.marks import checked_mark
from monitor.core.timefmt import parse_named, rfc3339
from monitor.pipeline.annotate import enter_maintenance, note_mark
from monitor.pipeline.derive import update_all_incidents
from monitor.pipeline.import_outcomes import ImportResult, import_lines
from monitor.reports import EXPORTS
from monitor.service.build import database_of, derivation_settings_of, settings_or_defaults
from monitor.service.incident_report import report
from monitor.store.database.engine import Transaction
from monitor.store.database.files import open_new
from monitor.store.database.migrate import migrate as bring_to_schema
from monitor.store.outcomes.cells import read_targets
from monitor.store.outcomes.read import stream_outcomes

Instant = Annotated[str | None, Parameter(help="An instant such as 2025-11-17T08:30:00Z.")]


def migrate(*, config: Config = None) -> int:
    """Bring the database to the current schema; nothing happens where it is there already."""
    settings = settings_or_defaults(config)
    from monitor.store.database.engine import open_database  # noqa: PLC0415 - the one command that checks no schema

    database = open_database(resolve(settings.database.url, os.environ))
    bring_to_schema(database)
    say(f"{database.place} has the current schema.")
    return 0


def import_(file: Annotated[str, Parameter(allow_leading_hyphen=True)], *, config: Config = None) -> int:
    """Read outcome lines (earwitness.outcome/1) and derive windows and incidents; sends no notice.

    The same line twice is stored once. A bad line is refused by its number and the rest is stored;
    the exit code is then 2.

    Parameters
    ----------
    file
        A file of JSON lines, or - for standard input.

    """
    settings = settings_or_defaults(config)
    with _opened(file) as source:
        database = database_of(settings, fill=True)
        done = import_lines(source, database, complain)
    house = derivation_settings_of(settings)
    if settings.maintenance:
        enter_maintenance(database, house, settings.maintenance, now=datetime.now(UTC))
    update_all_incidents(database, house)
    say(_summary(done))
    return 2 if done.refused else 0


def _summary(done: ImportResult) -> str:
    known = f", {done.known} known already" if done.known else ""
    refused = f", {done.refused} refused" if done.refused else ""
    return f"{done.added} outcomes added{known}{refused}."


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as source:
            yield source
    except OSError as error:
        raise MonitorError(f"{file}: {(error.strerror or str(error)).lower()}") from error


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
    with database.read() as tx, _writing(output) as sink:
        found = stream_outcomes(tx, targets=set(targets) or None, since=begin, until=end)
        for chunk in kind.render(found):
            sink.write(chunk)
    return 0


def _known_targets(tx: Transaction, wanted: Sequence[str]) -> None:
    """Refuse a target that nothing is stored of: an empty export would look like silence."""
    known = {target.key for target in read_targets(tx)}
    missing = [key for key in wanted if key not in known]
    if missing:
        listed = ", ".join(sorted(known)) or "none"
        raise NotFound(f"nothing is stored of {', '.join(missing)}; the stored targets: {listed}")


@contextmanager
def _writing(output: Path | None) -> Iterator[IO[bytes]]:
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with open_new(output) as sink:
            yield sink
    except OSError as error:
        raise MonitorError(f"{output}: {(error.strerror or str(error)).lower()}") from error


def read_range(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """The instants of --from and --to; raises ConfigurationError where they make no range."""
    begin, end = _instant("--from", since), _instant("--to", until)
    if begin and end and begin > end:
        raise ConfigurationError([f"--from {since}: lies after --to {until}"])
    return begin, end


def _instant(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_named(text)
    except ValueError as error:
        raise ConfigurationError([f"{option}: {error}"]) from error


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
    with _writing(path) as sink:
        sink.write(content)
    say(f"{path} holds the evidence of incident {number}.")
    return 0


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
        mark = checked_mark(_instant("--at", at) or now, text, who)
    except ValueError as error:
        raise ConfigurationError([f"mark: {error}"]) from error
    settings = settings_or_defaults(config)
    stored = note_mark(database_of(settings), derivation_settings_of(settings), mark, now=now)
    say(f"Marked '{stored.text}' at {rfc3339(stored.at)}.")
    return 0
