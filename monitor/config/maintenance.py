"""Planned maintenance of the file: once, or every day or week at a local time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import time
from typing import Any

from monitor.config.file_model import MaintenanceTable
from monitor.config.problems import KeyPath, Problems, kind_of
from monitor.config.validate import Read, read_table
from monitor.core.outages.maintenance import Maintenance, Recurrence

_RECURRING = ("weekday", "at", "duration", "zone")


def read_maintenance(raw: object, timezone: str, problems: Problems) -> tuple[Maintenance, ...]:
    """Every entry in the order of the file, in *timezone* where it names no zone; faults are recorded."""
    if raw is not None and not isinstance(raw, list):
        problems.add(
            ("maintenance",), f"must be a list: write [[maintenance]] in two brackets, not {kind_of(raw)}"
        )
        return ()
    found = []
    for position, table in enumerate(raw or []):
        path: KeyPath = ("maintenance", position)
        read = read_table(MaintenanceTable, table, path, problems)
        if read is None:
            continue
        faults = list(_faults(read, table))
        for key, sentence in faults:
            problems.add((*path, key), sentence)
        if not faults and not read.wrong:
            found.append(_planned(read.table, timezone))
    return tuple(found)


def _faults(read: Read[MaintenanceTable], raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with keys that are right by themselves: the key, and the sentence."""
    if read.table.every is None:
        yield from _missing(
            raw, ("from", "until"), "is missing: maintenance is from … until …, or comes back"
        )
        yield from _present(
            raw, _RECURRING, "belongs to maintenance that comes back: say every = 'day' or 'week'"
        )
        if read.table.since and read.table.until and read.table.until <= read.table.since:
            yield "until", "must lie after 'from'"
        return
    yield from _present(raw, ("from", "until"), "belongs to maintenance that happens once: leave out 'every'")
    yield from _missing(raw, ("at", "duration"), "is missing: say at = '02:00' and duration = '1h', for one")
    if (read.table.every == Recurrence.WEEK) != ("weekday" in raw):
        yield "weekday", "is named for every = 'week', and only for it"


def _missing(raw: Mapping[str, Any], keys: Iterable[str], sentence: str) -> Iterator[tuple[str, str]]:
    return ((key, sentence) for key in keys if key not in raw)


def _present(raw: Mapping[str, Any], keys: Iterable[str], sentence: str) -> Iterator[tuple[str, str]]:
    return ((key, sentence) for key in keys if key in raw)


def _planned(table: MaintenanceTable, timezone: str) -> Maintenance:
    given: dict[str, Any] = {"start": table.since, "end": table.until}
    if table.every is not None:
        given = {
            "every": Recurrence(table.every),
            "weekday": table.weekday,
            "at": time.fromisoformat(table.at or "00:00"),
            "duration": table.duration,
            "zone": table.zone or timezone,
        }
    return Maintenance(
        name=table.name,
        targets=tuple(table.targets or ()),
        retroactive=bool(table.retroactive),
        **given,
    )
