"""What is usual for a target, by what was stored of it."""

from __future__ import annotations

from datetime import timedelta

from monitor.service.usual_latencies import LEAST, read_usual_latencies
from monitor.store.database.engine import Database
from monitor.store.outcomes.add import add_outcomes
from tests.support.stored_outcomes import DAY, make


def test_what_is_usual_needs_enough_runs(sqlite_database: Database) -> None:
    """Below a certain count a median says nothing; from there on it is that of the last seven days."""
    runs = [make(number, timings_ms={"final": 500.0}) for number in range(LEAST)]
    now = DAY + timedelta(hours=1)
    with sqlite_database.write() as tx:
        add_outcomes(tx, [(run, None) for run in runs[:-1]])
    assert read_usual_latencies(sqlite_database, now) == {}
    with sqlite_database.write() as tx:
        add_outcomes(tx, [(runs[-1], None)])
    (usual,) = read_usual_latencies(sqlite_database, now).values()
    assert 400 < usual < 650
    assert read_usual_latencies(sqlite_database, now + timedelta(days=8)) == {}
