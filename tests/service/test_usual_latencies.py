"""What is usual for every target, as the service keeps it."""

from __future__ import annotations

from datetime import timedelta

from monitor.core.model import Cell
from monitor.service.usual_latencies import READ_EVERY, UsualLatencies, read_usual_latencies
from monitor.store.database.engine import Database
from monitor.store.outcomes.add import add_outcomes
from tests.support.stored_outcomes import DAY, make

STEP = timedelta(minutes=30)


def store(database: Database, days: range, final: float) -> Cell:
    """Runs of these days, every half an hour; gives their cell."""
    stored = [
        make(
            number,
            slot=DAY + number * STEP,
            started_at=DAY + number * STEP,
            finished_at=DAY + number * STEP + timedelta(seconds=3),
            timings_ms={"final": final},
        )
        for number in range(days.start * 48, days.stop * 48)
    ]
    with database.write() as tx:
        add_outcomes(tx, [(one, None) for one in stored])
    return stored[0].cell


def test_a_restart_reads_the_same_and_it_is_read_again_now_and_then(sqlite_database: Database) -> None:
    """It follows from what is stored."""
    cell, now = store(sqlite_database, range(8), 500.0), DAY + timedelta(days=8)
    one, other = (UsualLatencies(sqlite_database, [cell]) for _ in range(2))
    assert one.of(cell) == {}
    one.read_all(now)
    other.refresh(now)
    assert one.of(cell) == other.of(cell) == {"amiable": 500.0}
    store(sqlite_database, range(8, 15), 900.0)
    one.refresh(now + READ_EVERY / 2)
    assert one.of(cell) == {"amiable": 500.0}
    one.refresh(now + timedelta(days=7))
    assert one.of(cell) == {"amiable": 900.0}


def test_a_cell_without_runs_has_nothing_usual(sqlite_database: Database) -> None:
    """It is asked for when it is watched for the first time."""
    assert read_usual_latencies(sqlite_database, [Cell("no", "such", "rest", "cell")], DAY) == {}
