"""What is recorded of slots that were not run, as tests look at it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from monitor.core.model import Cell
from monitor.core.scheduling.attention import Slots
from monitor.store.database.tables import skips
from monitor.store.outcomes.cells import cell_rows


def read_skipped_slots(
    tx: Connection, since: datetime, until: datetime
) -> tuple[tuple[Cell, Slots, str], ...]:
    """The recorded slots from *since* of rows that begin before *until*: cell, slots and reason, in order."""
    names = {row_id: cell for cell, row_id in cell_rows(tx).items()}
    found = []
    for row in tx.execute(select(skips).where(skips.c.slot < until)):
        every = timedelta(milliseconds=row.every_ms)
        slots = Slots(first=row.slot, count=row.slots, every=every).since(since)
        if slots:
            found.append((names[row.cell_id], slots, row.reason))
    return tuple(sorted(found, key=lambda one: (one[0], one[1].first)))
