"""The monitor's own life: when it was running, and which slots it did not run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Float,
    Insert,
    Integer,
    Select,
    Text,
    Update,
    bindparam,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from monitor.core.model import Cell, Kind
from monitor.core.scheduling.attention import Slots
from monitor.store.database import fast_statements
from monitor.store.database.columns import raw, to_ms
from monitor.store.database.engine import known_of
from monitor.store.database.fast_statements import insert_into
from monitor.store.database.tables import heartbeats, outcomes, skips
from monitor.store.outcomes.cells import FirstSight, cell_rows, ensure_cells

KILLED = "killed: the process ended before the run's outcome was stored"
BEAT_EVERY = timedelta(seconds=5)  # how far apart two beats are at most while nothing else is stored
PAUSE = timedelta(minutes=3)  # a longer one between two beats means that the monitor did not run


def beat(tx: Connection, now: datetime, lag: timedelta, *, location: str = "default") -> None:
    """Note that the monitor at *location* lives.

    *lag* is how late its event loop was at worst since the last beat.
    """
    at, lag_ms = to_ms(now), lag / timedelta(milliseconds=1)
    for row_id, last_at, beats, worst in fast_statements.rows(tx, _latest_span, location=location):
        if at - last_at <= _PAUSE_MS:
            longer = (max(at, last_at), beats + 1, max(lag_ms, worst), row_id)
            fast_statements.run(tx, _prolong_span, [longer], _LONGER)
            return
    fast_statements.run(tx, _begin_span, [(location, at, at, 1, lag_ms)], _SPAN)


_PAUSE_MS = PAUSE // timedelta(milliseconds=1)
_SPAN = ("location", "first_at", "last_at", "beats", "worst_lag_ms")
_LONGER = ("last_at", "beats", "worst_lag_ms", "row_id")
_PLAIN: Mapping[str, Any] = {
    "location": Text,
    "first_at": BigInteger,
    "last_at": BigInteger,
    "beats": Integer,
}


def _latest_span(_dialect: str) -> Select[Any]:
    columns = (heartbeats.c.id, raw(heartbeats.c.last_at), heartbeats.c.beats, heartbeats.c.worst_lag_ms)
    mine = heartbeats.c.location == bindparam("location", type_=Text)
    return select(*columns).where(mine).order_by(heartbeats.c.last_at.desc()).limit(literal_column("1"))


def _begin_span(_dialect: str) -> Insert:
    return insert(heartbeats).values({name: _bound(name) for name in _SPAN})


def _prolong_span(_dialect: str) -> Update:
    mine = heartbeats.c.id == bindparam("row_id", type_=BigInteger)
    return update(heartbeats).where(mine).values({name: _bound(name) for name in _LONGER[:-1]})


def _bound(name: str) -> BindParameter[Any]:
    return bindparam(name, type_=_PLAIN.get(name, Float))


def read_last_beat(tx: Connection, *, location: str = "default") -> datetime | None:
    """When the monitor at *location* last gave a sign of life."""
    wanted = select(heartbeats.c.last_at).where(heartbeats.c.location == location)
    return tx.execute(wanted.order_by(heartbeats.c.last_at.desc()).limit(1)).scalar()


def add_skips(tx: Connection, skipped: Iterable[tuple[Cell, Slots, str]]) -> None:
    """Record slots that were not run, each row of them with its cell and reason; what is recorded stays."""
    wanted = list(skipped)
    if not wanted:
        return
    first = {cell: slots.first for cell, slots, _ in reversed(wanted)}
    ids = ensure_cells(tx, known_of(tx), first, lambda cell: FirstSight(first[cell]))
    rows = [
        {
            "cell_id": ids[cell],
            "slot": slots.first,
            "slots": slots.count,
            "every_ms": slots.every // timedelta(milliseconds=1),
            "reason": reason,
        }
        for cell, slots, reason in wanted
    ]
    tx.execute(insert_into(tx.dialect.name)(skips).on_conflict_do_nothing(), rows)


def read_accounted_slots(tx: Connection, location: str, since: datetime) -> dict[Cell, set[datetime]]:
    """The slots at or after an instant that a scheduled run took or that were skipped, by cell."""
    names = {row_id: cell for cell, row_id in cell_rows(tx).items() if cell.location == location}
    found: dict[Cell, set[datetime]] = {}
    taken = select(outcomes.c.cell_id, outcomes.c.slot).where(
        outcomes.c.kind == literal_column(f"'{Kind.SCHEDULED.value}'"), outcomes.c.slot >= since
    )
    for row in tx.execute(taken):
        if row.cell_id in names:
            found.setdefault(names[row.cell_id], set()).add(row.slot)
    for cell, slots, _ in _skips(tx, names, since):
        found.setdefault(cell, set()).update(slots)
    return found


def read_killed_runs(tx: Connection, location: str, since: datetime) -> tuple[tuple[Cell, datetime], ...]:
    """The slots at or after an instant whose run may have been made by a process that was killed."""
    names = {row_id: cell for cell, row_id in cell_rows(tx).items() if cell.location == location}
    killed = skips.c.reason == KILLED
    return tuple((cell, slot) for cell, slots, _ in _skips(tx, names, since, killed) for slot in slots)


def _skips(
    tx: Connection, names: Mapping[int, Cell], since: datetime, *conditions: ColumnElement[bool]
) -> Iterator[tuple[Cell, Slots, str]]:
    """What is recorded of slots at or after an instant; of a row that begins before it, the rest."""
    # Several slots in one row are rare; their last one is computed, and not looked up.
    reaches = or_(skips.c.slot >= since, skips.c.slots > 1)
    for row in tx.execute(select(skips).where(reaches, *conditions).order_by(skips.c.slot)):
        all_of = Slots(first=row.slot, count=row.slots, every=timedelta(milliseconds=row.every_ms))
        slots = all_of.since(since)
        if row.cell_id in names and slots:
            yield names[row.cell_id], slots, row.reason
