"""``earwitness import``: outcomes from elsewhere, and what follows from them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

from cyclopts import Parameter

from monitor.cli.arguments import Config
from monitor.cli.terminal import complain, say
from monitor.core.errors import MonitorError
from monitor.pipeline.annotate import enter_maintenance
from monitor.pipeline.derive import update_all_incidents
from monitor.pipeline.import_outcomes import ImportResult, import_lines
from monitor.service.build import database_of, derivation_settings_of, settings_or_defaults


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
