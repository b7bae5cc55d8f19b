"""The monitor's own life: when it was running, and which slots it did not run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import Connection, insert, select, update

from monitor.core.model import Cell
from monitor.core.summary import Span
from monitor.store.cells import FirstSight, cell_rows, ensure_cells
from monitor.store.engine import known_of
from monitor.store.prepared import insert_into
from monitor.store.tables import heartbeats, skips

PAUSE = timedelta(minutes=3)  # a longer one between two beats means that the monitor did not run


def beat(tx: Connection, now: datetime, lag: timedelta, *, location: str = "default") -> None:
    """Note that the monitor at *location* lives.

    *lag* is how late its event loop was at worst since the last beat.
    """
    mine = heartbeats.c.location == location
    latest = select(heartbeats).where(mine).order_by(heartbeats.c.last_at.desc()).limit(1)
    span = tx.execute(latest).first()
    worst_lag_ms = lag / timedelta(milliseconds=1)
    if span is None or now - span.last_at > PAUSE:
        values = {
            "location": location,
            "first_at": now,
            "last_at": now,
            "beats": 1,
            "worst_lag_ms": worst_lag_ms,
        }
        tx.execute(insert(heartbeats).values(values))
        return
    tx.execute(
        update(heartbeats)
        .where(heartbeats.c.id == span.id)
        .values(
            last_at=max(now, span.last_at),
            beats=span.beats + 1,
            worst_lag_ms=max(worst_lag_ms, span.worst_lag_ms),
        )
    )


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


def skipped_slots(tx: Connection, since: datetime, until: datetime) -> tuple[tuple[Cell, datetime, str], ...]:
    """The recorded slots with ``since <= slot < until``: cell, slot and reason, in order."""
    names = {row_id: cell for cell, row_id in cell_rows(tx).items()}
    wanted = select(skips).where(skips.c.slot >= since, skips.c.slot < until)
    return tuple(sorted((names[row.cell_id], row.slot, row.reason) for row in tx.execute(wanted)))
