"""What runs of a location used up: how many reached their provider in a day, and who started just now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from monitor.core.model import Cell
from monitor.core.outages.blind_spans import BELOW_PROTOCOL
from monitor.store.database.tables import outcomes
from monitor.store.outcomes.cells import cell_rows


def count_billable_runs(tx: Connection, location: str, since: datetime) -> Mapping[Cell, int]:
    """How many runs begun at or after an instant may have cost something, per cell of the location.

    Those that reached nobody cost nothing; of all others it is assumed that they did.
    """
    names = _cells_of(tx, location)
    below = [failure.value for failure in BELOW_PROTOCOL]
    reached = or_(outcomes.c.failure.is_(None), outcomes.c.failure.not_in(below))
    counted = (
        select(outcomes.c.cell_id, func.count())
        .where(outcomes.c.started_at >= since, outcomes.c.cell_id.in_(names), reached)
        .group_by(outcomes.c.cell_id)
    )
    return {names[row[0]]: row[1] for row in tx.execute(counted)}


def read_recent_starts(tx: Connection, location: str, since: datetime) -> tuple[tuple[Cell, datetime], ...]:
    """The starts of runs at or after an instant, with their cells, oldest first."""
    names = _cells_of(tx, location)
    wanted = select(outcomes.c.cell_id, outcomes.c.started_at).where(
        outcomes.c.started_at >= since, outcomes.c.cell_id.in_(names)
    )
    rows = tx.execute(wanted.order_by(outcomes.c.started_at, outcomes.c.uid))
    return tuple((names[row.cell_id], row.started_at) for row in rows)


def _cells_of(tx: Connection, location: str) -> Mapping[int, Cell]:
    return {row_id: cell for cell, row_id in cell_rows(tx).items() if cell.location == location}
