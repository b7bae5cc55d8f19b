"""Count the runs and the latencies of any range: whole days and hours from the rollups, the rest from runs.

A range of eight days and a half, of which nothing is rounded::

    09:40        10:00          0:00                    0:00          12:00      12:10
      ├── runs ────┼── hours ─────┼── days ───── … ───────┼── hours ────┼── runs ──┤

What lies behind the newest run of all is empty, so that a range up to now ends with whole hours and days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import add
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    type_coerce,
)

from monitor.core.model import Cell, Verdict
from monitor.core.views.lanes import Counts
from monitor.core.views.latency import histogram, merge
from monitor.store.database import fast_statements
from monitor.store.database.columns import ceil_ms, from_json, from_ms
from monitor.store.database.tables import cells, contexts, daily, hourly, outcomes
from monitor.store.outcomes.cells import cell_rows
from monitor.store.outcomes.rollups import DAY_MS, HOUR_MS, in_period, read_latencies

_AT = type_coerce(outcomes.c.started_at, BigInteger)
_PLACE = {verdict.value: place for place, verdict in enumerate(Verdict)}  # in `Counts`


class Part(NamedTuple):
    """A piece of a range in ms, and what it is read from."""

    since: int
    until: int
    source: Literal["days", "hours", "runs"]


def read_counts(
    tx: Connection, since: datetime, until: datetime, wanted: Iterable[str] | None = None
) -> dict[Cell, Counts]:
    """The runs with ``since <= started_at < until`` by cell; *wanted* are target keys."""
    names = {row_id: cell for cell, row_id in cell_rows(tx, wanted).items()}
    ids = fast_statements.many(tx, names)
    found: dict[int, list[int]] = {}
    for part in _parts(tx, since, until):
        bounds = {"ids": ids, "since": part.since, "until": part.until}
        if part.source == "runs":
            for cell_id, verdict, count in fast_statements.rows(tx, _count_runs, **bounds):
                found.setdefault(cell_id, [0] * len(_PLACE))[_PLACE[verdict]] += count
            continue
        statement = _count_days if part.source == "days" else _count_hours
        for cell_id, *counts in fast_statements.rows(tx, statement, **bounds):
            sums = found.setdefault(cell_id, [0] * len(_PLACE))
            sums[:] = map(add, sums, map(int, counts))
    return {names[cell_id]: Counts._make(sums) for cell_id, sums in found.items()}


def read_latency_counts(
    tx: Connection, since: datetime, until: datetime, wanted: Iterable[str] | None = None
) -> dict[Cell, tuple[int, ...]]:
    """How many good runs with ``since <= started_at < until`` fell into each latency bucket, by cell."""
    names = {row_id: cell for cell, row_id in cell_rows(tx, wanted).items()}
    known = set(names.values())
    found: dict[Cell, list[Sequence[int]]] = {}
    for part in _parts(tx, since, until):
        if part.source == "runs":
            read = _latencies_of_runs(tx, names, part)
        else:
            by_day = part.source == "days"
            read = read_latencies(tx, from_ms(part.since), from_ms(part.until), by_day=by_day)
        for cell, counts in read.items():
            found.setdefault(cell, []).append(counts)
    return {
        cell: tuple(parts[0]) if len(parts) == 1 else merge(parts)
        for cell, parts in found.items()
        if cell in known and any(map(any, parts))
    }


def _parts(tx: Connection, since: datetime, until: datetime) -> Iterator[Part]:
    low, high = ceil_ms(since), ceil_ms(until)
    ((newest,),) = fast_statements.rows(tx, _newest_start)
    if newest is None or low >= high:
        return
    if high > newest:
        high = max(_up(newest + 1, DAY_MS), low)
    yield from split(low, high)


def split(low: int, high: int) -> Iterator[Part]:
    """The parts of a range in ms, in order; empty ones are left out."""
    hours = _up(low, HOUR_MS), high // HOUR_MS * HOUR_MS
    if hours[0] >= hours[1]:
        yield from _some(Part(low, high, "runs"))
        return
    yield from _some(Part(low, hours[0], "runs"))
    days = _up(hours[0], DAY_MS), hours[1] // DAY_MS * DAY_MS
    if days[0] >= days[1]:
        yield Part(*hours, "hours")
    else:
        yield from _some(Part(hours[0], days[0], "hours"))
        yield Part(*days, "days")
        yield from _some(Part(days[1], hours[1], "hours"))
    yield from _some(Part(hours[1], high, "runs"))


def _some(part: Part) -> Iterator[Part]:
    if part.since < part.until:
        yield part


def _up(instant: int, width: int) -> int:
    return -(-instant // width) * width


def _newest_start(_dialect: str) -> Select[Any]:
    return select(func.max(type_coerce(cells.c.last_started_at, BigInteger)))


def _count_days(dialect: str) -> Select[Any]:
    sums = (func.sum(daily.c[name]) for name in Counts._fields)
    mine = fast_statements.one_of(dialect, daily.c.cell_id, "ids")
    return select(daily.c.cell_id, *sums).where(in_period(daily), mine).group_by(daily.c.cell_id)


def _count_hours(dialect: str) -> Select[Any]:
    sums = (func.sum(hourly.c[name]) for name in Counts._fields)
    mine = fast_statements.one_of(dialect, hourly.c.cell_id, "ids")
    return select(hourly.c.cell_id, *sums).where(in_period(hourly), mine).group_by(hourly.c.cell_id)


def _count_runs(dialect: str) -> Select[Any]:
    counted = select(outcomes.c.cell_id, outcomes.c.verdict, func.count()).where(_within(dialect))
    return counted.group_by(outcomes.c.cell_id, outcomes.c.verdict)


def _within(dialect: str) -> ColumnElement[bool]:
    since, until = (bindparam(name, type_=BigInteger) for name in ("since", "until"))
    return and_(fast_statements.one_of(dialect, outcomes.c.cell_id, "ids"), since <= _AT, until > _AT)


def _latencies_of_runs(tx: Connection, names: Mapping[int, Cell], part: Part) -> dict[Cell, tuple[int, ...]]:
    ids = fast_statements.many(tx, names)
    places: dict[int, int | None] = {}  # of the final text among a context's timings
    found: dict[Cell, list[float]] = {}
    told = fast_statements.rows(tx, _select_timings, ids=ids, since=part.since, until=part.until)
    for cell_id, context_id, document, context in told:
        if context_id not in places:
            timings = from_json(context)[5]
            places[context_id] = timings.index("final") if "final" in timings else None
        place = places[context_id]
        values = from_json(document)[0] if document and place is not None else None
        if values and place is not None and values[place] is not None:
            found.setdefault(names[cell_id], []).append(values[place])
    return {cell: histogram(values) for cell, values in found.items()}


def _select_timings(dialect: str) -> Select[Any]:
    good = outcomes.c.verdict.in_(
        [literal_column(f"'{verdict.value}'") for verdict in (Verdict.PASSED, Verdict.DEGRADED)]
    )
    return (
        select(outcomes.c.cell_id, outcomes.c.context_id, outcomes.c.document, contexts.c.document)
        .join_from(outcomes, contexts, outcomes.c.context_id == contexts.c.id)
        .where(_within(dialect), good)
    )
