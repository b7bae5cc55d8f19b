"""Counts by verdict and latencies of each cell per hour and day in UTC, kept in the outcome's transaction.

The latencies of an hour are a text of one letter per run, the letter naming the bucket of
`monitor.core.views.latency`: a new run is appended without reading. Those of a day would be a long text,
rewritten with every run; they are one number, 32 bits for the count of each bucket, so that days merge by
adding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from struct import Struct
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    select,
    type_coerce,
)

from monitor.core.model import Cell, Outcome, Verdict
from monitor.core.views.latency import SIZE, bucket_of
from monitor.store.database import fast_statements
from monitor.store.database.columns import from_ms, raw, to_ms
from monitor.store.database.tables import daily, hourly
from monitor.store.outcomes.cells import cell_rows
from monitor.store.outcomes.rows import CELL, STARTED, VERDICT, Encoded

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_LANE = 4  # bytes for the count of one bucket
assert len(_LETTERS) >= SIZE  # noqa: S101 - a bucket without a letter could not be stored
_ONE = tuple(1 << 8 * _LANE * bucket for bucket in range(SIZE))  # a run, in the number of its day
_ALL = Struct(f"<{SIZE}I")
_COLUMNS = ("start", "cell_id", "passed", "degraded", "failed", "inconclusive", "latencies")
_HEARD = {Verdict.PASSED.value, Verdict.DEGRADED.value}
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
    days: _Sums = {}
    for row, outcome in added:
        started_at, cell_id, verdict = row[STARTED], row[CELL], row[VERDICT]
        hour_key = (started_at - started_at % HOUR_MS, cell_id)
        day_key = (started_at - started_at % DAY_MS, cell_id)
        hour = hours.get(hour_key) or hours.setdefault(hour_key, [0, 0, 0, 0, ""])
        day = days.get(day_key) or days.setdefault(day_key, [0, 0, 0, 0, 0])
        position = _COUNTED[verdict]
        hour[position] += 1
        day[position] += 1
        final = outcome.timings_ms.get("final")
        if final is not None and verdict in _HEARD:  # else the run gave no usable text
            bucket = bucket_of(final)
            hour[4] += _LETTERS[bucket]
            day[4] += _ONE[bucket]
    fast_statements.run(tx, _add_hours, [(*key, *counts) for key, counts in sorted(hours.items())], _COLUMNS)
    stored = _stored_numbers(tx, days)
    rows = [
        (*key, *counts[:4], _pack(counts[4] + stored.get(key, 0))) for key, counts in sorted(days.items())
    ]
    fast_statements.run(tx, _add_days, rows, _COLUMNS)


def _stored_numbers(tx: Connection, days: Iterable[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """The latencies of these days as far as they are stored."""
    keys = list(days)
    starts = fast_statements.many(tx, {start for start, _ in keys})
    ids = fast_statements.many(tx, {cell_id for _, cell_id in keys})
    found = fast_statements.rows(tx, _select_numbers, starts=starts, ids=ids)
    return {(start, cell_id): _unpack(packed) for start, cell_id, packed in found}


def _select_numbers(dialect: str) -> Select[Any]:
    within = and_(
        fast_statements.one_of(dialect, type_coerce(daily.c.start, BigInteger), "starts"),
        fast_statements.one_of(dialect, daily.c.cell_id, "ids"),
    )
    return select(raw(daily.c.start), daily.c.cell_id, daily.c.latencies).where(within)


def _pack(number: int) -> bytes:
    """The number without the empty buckets at both ends: how many lead, then the rest."""
    whole = number.to_bytes((number.bit_length() + 7) // 8, "little")
    lead = (len(whole) - len(whole.lstrip(b"\0"))) // _LANE
    return bytes((lead,)) + whole[lead * _LANE :]


def _unpack(packed: bytes) -> int:
    return int.from_bytes(packed[1:], "little") << 8 * _LANE * packed[0]


def _buckets(number: int) -> tuple[int, ...]:
    return _ALL.unpack(number.to_bytes(_ALL.size, "little"))


def _add_hours(dialect: str) -> fast_statements.Insert:
    return _addition(hourly, dialect, _COLUMNS[2:])


def _add_days(dialect: str) -> fast_statements.Insert:
    return _addition(daily, dialect, _COLUMNS[2:-1])


def _addition(table: Table, dialect: str, added: Sequence[str]) -> fast_statements.Insert:
    """An insert that adds to these columns of a row that is there, and replaces the others."""
    values = {name: bindparam(name, type_=BigInteger) for name in _COLUMNS[:-1]}
    latencies = bindparam("latencies", type_=table.c.latencies.type)
    insert = fast_statements.insert_into(dialect)(table).values(**values, latencies=latencies)
    new = insert.excluded
    changed = {name: table.c[name] + new[name] if name in added else new[name] for name in _COLUMNS[2:]}
    return insert.on_conflict_do_update(index_elements=["start", "cell_id"], set_=changed)


def read_hourly_rollups(
    tx: Connection, since: datetime, until: datetime, cells: Iterable[Cell] | None = None
) -> tuple[Rollup, ...]:
    """The hours with ``since <= start < until``, in order; hours without a run are absent."""
    return _rollups(tx, hourly, since, until, cells)


def read_daily_rollups(
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
    rows = tx.execute(select(*columns).where(within).order_by(table.c.start, table.c.cell_id)).all()
    read = _counts if table is hourly else _counts_of_day
    return tuple(
        Rollup(names[row[1]], from_ms(row[0]), row[2], row[3], row[4], row[5], read(row[6])) for row in rows
    )


def _counts_of_day(packed: bytes) -> tuple[int, ...]:
    return _buckets(_unpack(packed))


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


def read_latencies(
    tx: Connection, since: datetime, until: datetime, *, by_day: bool = False
) -> dict[Cell, tuple[int, ...]]:
    """Per cell how many runs fell into each latency bucket in the hours with ``since <= start < until``.

    With *by_day* in the days with such a start, which is a fraction of the rows.
    """
    names = {row_id: cell for cell, row_id in cell_rows(tx).items()}
    wanted = _select_daily_latencies if by_day else _select_hourly_latencies
    stored: dict[int, list[Any]] = {}
    for cell_id, part in fast_statements.rows(tx, wanted, since=to_ms(since), until=to_ms(until)):
        stored.setdefault(cell_id, []).append(part)
    if by_day:
        return {names[cell_id]: _buckets(sum(map(_unpack, parts))) for cell_id, parts in stored.items()}
    return {names[cell_id]: _counts("".join(parts)) for cell_id, parts in stored.items()}


def _select_daily_latencies(_dialect: str) -> Select[Any]:
    return select(daily.c.cell_id, daily.c.latencies).where(in_period(daily))


def _select_hourly_latencies(_dialect: str) -> Select[Any]:
    return select(hourly.c.cell_id, hourly.c.latencies).where(in_period(hourly))


def in_period(table: Table) -> ColumnElement[bool]:
    """Whether a rollup lies in ``since <= start < until``, two parameters in ms."""
    start = type_coerce(table.c.start, BigInteger)
    since, until = (bindparam(name, type_=BigInteger) for name in ("since", "until"))
    return and_(start >= since, start < until)
