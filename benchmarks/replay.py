"""Replay of a long history, windows and incidents included, beside reading what did not pass with sqlite3.

The history is that of eight targets, 1 % bad, half of it in outages. A replay reads from SQLite afresh.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from statistics import median

from benchmarks.history import keeping, long_history
from benchmarks.measure import Figure, cpu
from monitor.core.incidents.derive import derive
from monitor.core.outages.rule import Rule
from monitor.store.database.engine import Database
from monitor.store.derivation.history import StoreHistory

FULL = 1_000_000
SECONDS_PER_MILLION = 0.2
_FLOOR = (
    "SELECT started_at, uid, number, verdict, failure, stage, blame, type, code, message, http_status,"
    " close_code, context_id, fresh, silence_since, spacing, cell_id"
    " FROM outcomes WHERE notable = 1 ORDER BY cell_id, started_at, uid"
)


def run(*, count: int = FULL, rounds: int = 5) -> Iterator[Figure]:
    """Processor milliseconds of a replay and of its floor."""
    with keeping(count), long_history(count) as database:
        ours, floor, reading = [], [], []
        found: list[tuple[int, int]] = []
        for _ in range(rounds):
            ours.append(cpu(lambda: found.append(_replay(database))))
            reading.append(cpu(partial(_read, database)))
            floor.append(cpu(partial(_read_bare, database)))
    windows, incidents = found[0]
    mark = SECONDS_PER_MILLION * 1000 * count / FULL if count >= FULL else None
    name = f"replay of {count:,} outcomes ({windows} windows, {incidents} incidents)"
    yield Figure(name=name, value=median(ours) * 1000, unit="CPU ms", mark=mark)
    yield Figure(name="  of it, reading what did not pass", value=median(reading) * 1000, unit="CPU ms")
    yield Figure(name="  bare sqlite3, the same rows as tuples", value=median(floor) * 1000, unit="CPU ms")
    yield Figure(name="replay / bare reading", value=median(ours) / median(floor), unit="×")


def _replay(database: Database) -> tuple[int, int]:
    with database.read() as tx:
        history = StoreHistory(tx)
        now = history.newest()
        assert now is not None
        derivation = derive(history.prefetch(None, now), Rule(), now=now)
    return len(derivation.windows), len(derivation.incidents)


def _read(database: Database) -> None:
    with database.read() as tx:
        StoreHistory(tx).prefetch()


def _read_bare(database: Database) -> None:
    with closing(sqlite3.connect(str(database.url.database))) as connection:
        connection.execute(_FLOOR).fetchall()
