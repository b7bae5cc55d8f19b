"""Bytes on disk for each outcome of a long history, 99 % passed, with ids and without kept frames."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.history import keeping, long_history
from benchmarks.measure import Figure

FULL = 1_000_000


def run(*, count: int = FULL) -> Iterator[Figure]:
    """The size of the database, indexes and rollups included, for each outcome."""
    with keeping(count), long_history(count) as database:
        path = Path(str(database.url.database))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = path.stat().st_size
    yield Figure(name=f"disk for each of {count:,} outcomes", value=size / count, unit="bytes", mark=250)
