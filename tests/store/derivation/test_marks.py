"""Marks in the store: appended, read in order, and named by a history."""

from __future__ import annotations

from monitor.core.outages.marks import Mark
from monitor.store.database.engine import Database
from monitor.store.derivation.history import StoreHistory
from monitor.store.derivation.marks import add_mark, read_latest_marks, read_marks
from monitor.store.overview import read_revision
from tests.support.stored_outcomes import DAY, MINUTE


def test_marks_come_back_in_order_and_by_pages(database: Database) -> None:
    """Both bounds of a history belong to it; the list is newest first."""
    with database.write() as tx:
        before = read_revision(tx)
        stored = [add_mark(tx, Mark(DAY + at * MINUTE, f"m{at}", "ann")) for at in (3, 1, 2)]
        assert read_revision(tx) != before
        third, first, second = stored
        assert {mark.id for mark in stored} == {1, 2, 3}
        assert read_marks(tx, DAY + MINUTE, DAY + 2 * MINUTE) == (first, second)
        assert StoreHistory(tx).marks(DAY, DAY + MINUTE) == (first,)
        assert read_latest_marks(tx) == (third, second, first)
        assert read_latest_marks(tx, skip=1, limit=1) == (second,)
        assert read_latest_marks(tx, since=DAY + 2 * MINUTE, until=DAY + 3 * MINUTE) == (second,)
