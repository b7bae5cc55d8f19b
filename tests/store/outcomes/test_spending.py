"""What runs used up, counted from what is stored."""

from __future__ import annotations

from datetime import timedelta

from monitor.core.model import Failure, Stage, Verdict
from monitor.store.database.engine import Database
from monitor.store.outcomes.add import add_outcomes
from monitor.store.outcomes.spending import count_billable_runs, read_recent_starts
from tests.support.stored_outcomes import DAY, MINUTE, make


def test_runs_that_reached_nobody_cost_nothing(database: Database) -> None:
    """All others may have been billed: passed, failed, inconclusive; only this location's and this day's."""
    runs = [
        make(-1),
        make(0),
        make(1, Verdict.FAILED),
        make(2, Verdict.FAILED, failure=Failure.CONNECT, stage=Stage.CONNECT),
        make(3, Verdict.INCONCLUSIVE),
        make(4, id="elsewhere", location="oslo"),
    ]
    with database.write() as tx:
        add_outcomes(tx, [(run, None) for run in runs])
    with database.read() as tx:
        assert count_billable_runs(tx, "berlin", DAY) == {make(0).cell: 3}
        assert count_billable_runs(tx, "paris", DAY) == {}


def test_the_starts_since_an_instant(database: Database) -> None:
    """In order, with their cells, whatever became of the runs."""
    with database.write() as tx:
        add_outcomes(tx, [(make(minute), None) for minute in (2, 0, 1)])
    with database.read() as tx:
        found = read_recent_starts(tx, "berlin", DAY + MINUTE)
    late = timedelta(milliseconds=412)
    assert found == ((make(0).cell, DAY + MINUTE + late), (make(0).cell, DAY + 2 * MINUTE + late))
