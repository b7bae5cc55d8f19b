"""The monitor's own life: when it was running, and which slots it did not run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
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
    select,
    update,
)

from monitor.core.model import Cell, Kind
from monitor.core.summary import Span
from monitor.store import prepared
from monitor.store.cells import FirstSight, cell_rows, ensure_cells
from monitor.store.columns import raw, to_ms
from monitor.store.engine import known_of
from monitor.store.prepared import insert_into
from monitor.store.tables import heartbeats, outcomes, skips

KILLED = "killed: the process ended before the run's outcome was stored"
PAUSE = timedelta(minutes=3)  # a longer one between two beats means that the monitor did not run


def beat(tx: Connection, now: datetime, lag: timedelta, *, location: str = "default") -> None:
    """Note that the monitor at *location* lives.

    *lag* is how late its event loop was at worst since the last beat.
    """
    at, lag_ms = to_ms(now), lag / timedelta(milliseconds=1)
    for row_id, last_at, beats, worst in prepared.rows(tx, _latest_span, location=location):
        if at - last_at <= _PAUSE_MS:
            longer = (max(at, last_at), beats + 1, max(lag_ms, worst), row_id)
            prepared.run(tx, _prolong_span, [longer], _LONGER)
            return
    prepared.run(tx, _begin_span, [(location, at, at, 1, lag_ms)], _SPAN)


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


def heartbeat_gaps(
    tx: Connection, since: datetime, until: datetime, *, location: str = "default"
) -> tuple[Span, ...]:
    """The stretches inside ``since … until`` between two beats in which the monitor did not run."""
    mine = heartbeats.c.location == location
    rows = tx.execute(
        select(heartbeats.c.first_at, heartbeats.c.last_at).where(mine).order_by(heartbeats.c.first_at)
    )
    between = (Span(before.last_at, after.first_at) for before, after in pairwise(rows.all()))
    clipped = (Span(max(gap.start, since), min(gap.end, until)) for gap in between)
    return tuple(gap for gap in clipped if gap.start < gap.end)


def last_beat(tx: Connection, *, location: str = "default") -> datetime | None:
    """When the monitor at *location* last gave a sign of life."""
    wanted = select(heartbeats.c.last_at).where(heartbeats.c.location == location)
    return tx.execute(wanted.order_by(heartbeats.c.last_at.desc()).limit(1)).scalar()


def add_skips(tx: Connection, skipped: Iterable[tuple[Cell, datetime, str]]) -> None:
    """Record slots that were not run, each with its cell, slot and reason; a slot already recorded stays."""
    wanted = list(skipped)
    if not wanted:
        return
    first = {cell: slot for cell, slot, _ in reversed(wanted)}
    ids = ensure_cells(tx, known_of(tx), first, lambda cell: FirstSight(first[cell]))
    rows = [{"cell_id": ids[cell], "slot": slot, "reason": reason} for cell, slot, reason in wanted]
    tx.execute(insert_into(tx.dialect.name)(skips).on_conflict_do_nothing(), rows)


def accounted_slots(tx: Connection, location: str, since: datetime) -> dict[Cell, set[datetime]]:
    """The slots at or after an instant that a scheduled run took or that were skipped, by cell."""
    names = {row_id: cell for cell, row_id in cell_rows(tx).items() if cell.location == location}
    found: dict[Cell, set[datetime]] = {}
    taken = select(outcomes.c.cell_id, outcomes.c.slot).where(
        outcomes.c.kind == literal_column(f"'{Kind.SCHEDULED.value}'"), outcomes.c.slot >= since
    )
    skipped = select(skips.c.cell_id, skips.c.slot).where(
        skips.c.cell_id.in_(list(names)), skips.c.slot >= since
    )
    for wanted in (taken, skipped):
        for row in tx.execute(wanted):
            if row.cell_id in names:
                found.setdefault(names[row.cell_id], set()).add(row.slot)
    return found


def killed_runs(tx: Connection, location: str, since: datetime) -> tuple[tuple[Cell, datetime], ...]:
    """The slots at or after an instant whose run may have been made by a process that was killed."""
    names = {row_id: cell for cell, row_id in cell_rows(tx).items() if cell.location == location}
    wanted = select(skips.c.cell_id, skips.c.slot).where(
        skips.c.cell_id.in_(list(names)), skips.c.slot >= since, skips.c.reason == KILLED
    )
    return tuple((names[row.cell_id], row.slot) for row in tx.execute(wanted.order_by(skips.c.slot)))


def skipped_slots(tx: Connection, since: datetime, until: datetime) -> tuple[tuple[Cell, datetime, str], ...]:
    """The recorded slots with ``since <= slot < until``: cell, slot and reason, in order."""
    names = {row_id: cell for cell, row_id in cell_rows(tx).items()}
    wanted = select(skips).where(skips.c.slot >= since, skips.c.slot < until)
    return tuple(sorted((names[row.cell_id], row.slot, row.reason) for row in tx.execute(wanted)))
