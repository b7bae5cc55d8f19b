from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from monitor.core.scheduling.attention import Slots
from monitor.store.database.engine import Database
from monitor.store.database.migrate import migrate
from monitor.store.database.tables import heartbeats, skips
from monitor.store.derivation.history import StoreHistory
from monitor.store.heartbeats import (
    add_skips,
    beat,
    read_accounted_slots,
    read_last_beat,
)
from monitor.store.outcomes.add import add_outcomes
from monitor.store.overview import read_cell_totals
from tests.support.skipped_slots import read_skipped_slots
from tests.support.stored_outcomes import DAY, MINUTE, make

LAG = timedelta(milliseconds=2.5)


def test_beats_without_a_pause_are_one_row(database: Database) -> None:
    """A pause begins another; each location has rows of its own."""
    with database.write() as tx:
        for minute in (*range(10), *range(60, 70)):
            beat(tx, DAY + minute * MINUTE, LAG * minute)
        beat(tx, DAY + 30 * MINUTE, LAG, location="oslo")
        assert tx.execute(select(func.count()).select_from(heartbeats)).scalar() == 3
        assert read_last_beat(tx) == DAY + 69 * MINUTE
        assert read_last_beat(tx, location="nowhere") is None


def test_skipped_slots_are_on_record(database: Database) -> None:
    """A slot that was not run is kept once, with its first reason, also for a cell that never ran."""
    cell = make(0).cell
    first, second = Slots(first=DAY), Slots(first=DAY + MINUTE)
    skipped = [(cell, first, "the run before was not finished"), (cell, second, "too late")]
    with database.write() as tx:
        add_skips(tx, [])
        add_skips(tx, skipped)
        add_skips(tx, [(cell, first, "another reason")])
        assert read_skipped_slots(tx, DAY, DAY + 2 * MINUTE) == tuple(skipped)
        assert read_skipped_slots(tx, DAY, DAY + MINUTE) == tuple(skipped[:1])
        assert StoreHistory(tx).cells() == []
        add_outcomes(tx, [(make(2), None)])
        assert StoreHistory(tx).cells() == [cell]


def test_slots_in_a_row_are_one_record_and_each_is_accounted_for(database: Database) -> None:
    """A month of them is one row; who asks from an instant on gets the rest, and the totals count each."""
    cell, every = make(0).cell, 20 * MINUTE / 60
    month = Slots(first=DAY, count=30 * 24 * 180, every=every)
    with database.write() as tx:
        add_skips(tx, [(cell, month, "missed")])
        assert tx.execute(select(func.count()).select_from(skips)).scalar() == 1
        rest = Slots(first=month.last - every, count=2, every=every)
        assert read_skipped_slots(tx, month.last - 1.5 * every, month.last + every) == (
            (cell, rest, "missed"),
        )
        assert read_accounted_slots(tx, cell.location, month.last - every) == {
            cell: {month.last - every, month.last}
        }
        (totals,) = read_cell_totals(tx, {})
        assert totals.skipped == month.count
        assert read_skipped_slots(tx, month.last + MINUTE, month.last + 2 * MINUTE) == ()


def test_a_row_of_the_revision_before_is_one_slot(database: Database) -> None:
    """What was recorded when a row was a slot keeps its meaning."""
    cell = make(0).cell
    with database.write() as tx:
        add_skips(tx, [(cell, Slots(first=DAY), "busy")])
    migrate(database, "0005")
    migrate(database)
    with database.read() as tx:
        assert read_skipped_slots(tx, DAY, DAY + MINUTE) == ((cell, Slots(first=DAY), "busy"),)
