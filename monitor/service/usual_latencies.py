"""How long each target's final text usually takes: what a run is compared with to be called slow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from monitor.core.model import Cell
from monitor.core.views.latency import percentile
from monitor.store.database.engine import Database
from monitor.store.outcomes.rollups import read_latencies

READ_EVERY = timedelta(minutes=10)
OVER = timedelta(days=7)
LEAST = 20  # runs below which a median says nothing


class UsualLatencies:
    """The medians of the last 7 days, read again every ten minutes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._medians: Mapping[Cell, float] = {}
        self._read_at: datetime | None = None

    def of(self, cell: Cell) -> float | None:
        """Return the cell's median time to the final text in ms; None where too little is known."""
        return self._medians.get(cell)

    def refresh(self, now: datetime) -> None:
        """Read them again where ten minutes have passed; raises DatabaseError."""
        if self._read_at is None or now - self._read_at > READ_EVERY:
            self._medians, self._read_at = read_usual_latencies(self._database, now), now


def read_usual_latencies(database: Database, now: datetime) -> Mapping[Cell, float]:
    """Return each cell's median time to the final text in ms, where enough is known."""
    with database.read() as tx:
        counted = read_latencies(tx, now - OVER, now)
    medians = {cell: percentile(counts, 0.5) for cell, counts in counted.items() if sum(counts) >= LEAST}
    return {cell: median for cell, median in medians.items() if median is not None}
