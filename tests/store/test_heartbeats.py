from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from monitor.core.summary import Span
from monitor.store.engine import Database
from monitor.store.heartbeats import add_skips, beat, heartbeat_gaps, last_beat, skipped_slots
from monitor.store.history import StoreHistory
from monitor.store.outcomes import add_outcomes
from monitor.store.tables import heartbeats
from tests.store.samples import DAY, MINUTE, make

LAG = timedelta(milliseconds=2.5)


def test_a_night_off_is_a_gap(database: Database) -> None:
    """Beats without a pause are one row; a pause is a gap between two beats, cut to what was asked."""
    with database.write() as tx:
        for minute in (*range(10), *range(60, 70)):
            beat(tx, DAY + minute * MINUTE, LAG * minute)
        beat(tx, DAY + 30 * MINUTE, LAG, location="oslo")
        found = heartbeat_gaps(tx, DAY, DAY + 120 * MINUTE)
        clipped = heartbeat_gaps(tx, DAY + 20 * MINUTE, DAY + 40 * MINUTE)
        assert tx.execute(select(func.count()).select_from(heartbeats)).scalar() == 3
        assert last_beat(tx) == DAY + 69 * MINUTE
        assert last_beat(tx, location="nowhere") is None
    assert found == (Span(DAY + 9 * MINUTE, DAY + 60 * MINUTE),)
    assert clipped == (Span(DAY + 20 * MINUTE, DAY + 40 * MINUTE),)


def test_skipped_slots_are_on_record(database: Database) -> None:
    """A slot that was not run is kept once, with its first reason, also for a cell that never ran."""
    cell = make(0).cell
    skipped = [(cell, DAY, "the run before was not finished"), (cell, DAY + MINUTE, "too late")]
    with database.write() as tx:
        add_skips(tx, [])
        add_skips(tx, skipped)
        add_skips(tx, [(cell, DAY, "another reason")])
        assert skipped_slots(tx, DAY, DAY + 2 * MINUTE) == tuple(skipped)
        assert skipped_slots(tx, DAY, DAY + MINUTE) == tuple(skipped[:1])
        assert StoreHistory(tx).cells() == []
        add_outcomes(tx, [(make(2), None)])
        assert StoreHistory(tx).cells() == [cell]
