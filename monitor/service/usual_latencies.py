"""How long each target's final text usually takes: what a run is compared with to be called slow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

from monitor.core.model import Cell
from monitor.store.database.columns import to_ms
from monitor.store.database.engine import Database
from monitor.store.outcomes.cells import cell_rows
from monitor.store.outcomes.usual import read_usual_latency

READ_EVERY = timedelta(hours=2)  # about two milliseconds for a cell
UNKNOWN_EVERY = timedelta(minutes=20)  # while too little is known of it
LOOK_EVERY = timedelta(minutes=1)
MOST_AT_ONCE = 20  # cells in one turn of the recording thread


class UsualLatencies:
    """What is usual by cell and clip, read at the start and again every two hours.

    It follows from what is stored: a restart reads the same.
    """

    def __init__(self, database: Database, cells: Iterable[Cell]) -> None:
        self._database = database
        self._usual: dict[Cell, Mapping[str, float]] = {}
        self._read_at: dict[Cell, datetime | None] = dict.fromkeys(cells)
        self._looked_at = datetime.min.replace(tzinfo=UTC)

    def of(self, cell: Cell) -> Mapping[str, float]:
        """Return the cell's usual times to the final text in ms, by clip; clips hardly known left out."""
        return self._usual.get(cell, {})

    def read_all(self, now: datetime) -> None:
        """Read every cell; raises DatabaseError."""
        self._read([*self._read_at], now)

    def refresh(self, now: datetime) -> None:
        """Read some of those again whose time has come; raises DatabaseError."""
        if abs(now - self._looked_at) < LOOK_EVERY:
            return
        self._looked_at = now
        due = (cell for cell, read_at in self._read_at.items() if self._is_due(cell, read_at, now))
        self._read([*islice(due, MOST_AT_ONCE)], now)

    def _is_due(self, cell: Cell, read_at: datetime | None, now: datetime) -> bool:
        every = READ_EVERY if self._usual.get(cell) else UNKNOWN_EVERY
        return read_at is None or abs(now - read_at) >= every  # a clock may be set back

    def _read(self, cells: Sequence[Cell], now: datetime) -> None:
        for cell in cells:  # before it is read: where that fails, the others are not kept waiting
            self._read_at[cell] = now
        if cells:
            self._usual |= read_usual_latencies(self._database, cells, now)


def read_usual_latencies(
    database: Database, cells: Iterable[Cell], now: datetime
) -> dict[Cell, Mapping[str, float]]:
    """Return what is usual for these cells, by clip."""
    with database.read() as tx:
        ids = cell_rows(tx)
        return {cell: read_usual_latency(tx, ids[cell], to_ms(now)) for cell in cells if cell in ids}
