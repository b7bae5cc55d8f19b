"""Counts by verdict and latencies of each cell per hour and day in UTC, kept in the outcome's transaction.

The latencies of a stretch are a text of one letter per run, the letter naming the bucket of
`monitor.core.latency`: a new run is appended without reading, and any number of stretches merge by joining.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Table, Text, and_, bindparam, select

from monitor.core.latency import SIZE, bucket_of
from monitor.core.model import Cell, Outcome, Verdict
from monitor.store import prepared
from monitor.store.cells import cell_rows
from monitor.store.columns import from_ms, raw
from monitor.store.rows import CELL, STARTED, VERDICT, Encoded
from monitor.store.tables import daily, hourly

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
assert len(_LETTERS) >= SIZE  # noqa: S101 - a bucket without a letter could not be stored
_COLUMNS = ("start", "cell_id", "passed", "degraded", "failed", "inconclusive", "latencies")
_HEARD = (Verdict.PASSED, Verdict.DEGRADED)
_COUNTED = {verdict.value: position for position, verdict in enumerate(Verdict)}


class Rollup(NamedTuple):
    """One hour or day of one cell, beginning at `start`; `latencies` counts runs per latency bucket."""

    cell: Cell
    start: datetime
    passed: int
    degraded: int
    failed: int
    inconclusive: int
    latencies: tuple[int, ...]


_Sums = dict[tuple[int, int], list[Any]]


def add_to_rollups(tx: Connection, added: Sequence[tuple[Encoded, Outcome]]) -> None:
    """Count stored rows into their hours and days."""
    hours: _Sums = {}
    for row, outcome in added:
        started_at = row[STARTED]
        counts = _counts_at(hours, started_at - started_at % HOUR_MS, row[CELL])
        counts[_COUNTED[row[VERDICT]]] += 1
        counts[4] += _letter(outcome)
    days: _Sums = {}
    for (start, cell_id), counts in hours.items():
        day = _counts_at(days, start - start % DAY_MS, cell_id)
        day[:] = [mine + theirs for mine, theirs in zip(day, counts, strict=True)]
    for table, sums in ((hourly, hours), (daily, days)):
        rows = [(*key, *counts) for key, counts in sorted(sums.items())]
        prepared.run(tx, _ADDITIONS[table.name], rows, _COLUMNS)


def _counts_at(sums: _Sums, start: int, cell_id: int) -> list[Any]:
    counts = sums.get((start, cell_id))
    if counts is None:
        counts = sums[start, cell_id] = [0, 0, 0, 0, ""]
    return counts


def _letter(outcome: Outcome) -> str:
    """The letter of the run's final latency; none for a run that gave no usable text."""
    final = outcome.timings_ms.get("final")
    if final is None or outcome.verdict not in _HEARD:
        return ""
    return _LETTERS[bucket_of(final)]


def _addition(table: Table, dialect: str) -> prepared.Insert:
    values = {name: bindparam(name, type_=Text if name == "latencies" else BigInteger) for name in _COLUMNS}
    insert = prepared.insert_into(dialect)(table).values(values)
    summed = {name: table.c[name] + insert.excluded[name] for name in _COLUMNS[2:]}
    return insert.on_conflict_do_update(index_elements=["start", "cell_id"], set_=summed)


_ADDITIONS = {table.name: partial(_addition, table) for table in (hourly, daily)}


def hourly_rollups(
    tx: Connection, since: datetime, until: datetime, cells: Iterable[Cell] | None = None
) -> tuple[Rollup, ...]:
    """The hours with ``since <= start < until``, in order; hours without a run are absent."""
    return _rollups(tx, hourly, since, until, cells)


def daily_rollups(
    tx: Connection, since: datetime, until: datetime, cells: Iterable[Cell] | None = None
) -> tuple[Rollup, ...]:
    """The days in UTC with ``since <= start < until``, in order; days without a run are absent."""
    return _rollups(tx, daily, since, until, cells)


def _rollups(
    tx: Connection, table: Table, since: datetime, until: datetime, wanted: Iterable[Cell] | None
) -> tuple[Rollup, ...]:
    ids = cell_rows(tx)
    chosen = ids if wanted is None else {cell: ids[cell] for cell in wanted if cell in ids}
    names = {row_id: cell for cell, row_id in chosen.items()}
    within = and_(table.c.start >= since, table.c.start < until)
    if wanted is not None:
        within = and_(within, table.c.cell_id.in_(list(names)))
    columns = (raw(table.c.start), table.c.cell_id, *(table.c[name] for name in _COLUMNS[2:]))
    rows = tx.execute(select(*columns).where(within).order_by(table.c.start, table.c.cell_id))
    return tuple(
        Rollup(names[row[1]], from_ms(row[0]), row[2], row[3], row[4], row[5], _counts(row[6]))
        for row in rows
    )


def _counts(letters: str) -> tuple[int, ...]:
    """How often each letter occurs. Latencies lie close together: it looks from one of them outwards."""
    counts, left = [0] * SIZE, len(letters)
    if left:
        usual = _LETTERS.index(letters[left // 2])
        for bucket in sorted(range(SIZE), key=lambda number: abs(number - usual)):
            counts[bucket] = letters.count(_LETTERS[bucket])
            left -= counts[bucket]
            if not left:
                break
    return tuple(counts)


def latencies(
    tx: Connection, since: datetime, until: datetime, *, by_day: bool = False
) -> dict[Cell, tuple[int, ...]]:
    """Per cell how many runs fell into each latency bucket in the hours with ``since <= start < until``.

    With *by_day* in the days with such a start, which is a fraction of the rows.
    """
    table = daily if by_day else hourly
    names = {row_id: cell for cell, row_id in cell_rows(tx).items()}
    within = (table.c.start >= since, table.c.start < until)
    joined: dict[int, list[str]] = {}
    for cell_id, letters in tx.execute(select(table.c.cell_id, table.c.latencies).where(*within)):
        joined.setdefault(cell_id, []).append(letters)
    return {names[cell_id]: _counts("".join(parts)) for cell_id, parts in joined.items()}
