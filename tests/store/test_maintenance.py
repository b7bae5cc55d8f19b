"""Maintenance in the store: entered, withdrawn, never rewritten."""

from __future__ import annotations

from dataclasses import replace

from monitor.core.maintenance import Maintenance
from monitor.store.engine import Database
from monitor.store.maintenance import stored_maintenance, sync_maintenance
from tests.store.samples import DAY, MINUTE


def test_what_leaves_the_configuration_is_withdrawn_and_stays_on_record(database: Database) -> None:
    """The same again changes nothing; what comes back is a new entry."""
    plan = Maintenance(name="m", start=DAY, end=DAY + 9 * MINUTE, targets=("a/*",), retroactive=True)
    with database.write() as tx:
        assert sync_maintenance(tx, [plan], DAY) == (plan,)
        assert sync_maintenance(tx, [plan], DAY + MINUTE) == ()
        assert stored_maintenance(tx) == (replace(plan, entered_at=DAY),)
        assert sync_maintenance(tx, [], DAY + 2 * MINUTE) == ()
        first = replace(plan, entered_at=DAY, withdrawn_at=DAY + 2 * MINUTE)
        assert stored_maintenance(tx) == (first,)
        sync_maintenance(tx, [plan], DAY + 3 * MINUTE)
        assert stored_maintenance(tx) == (first, replace(plan, entered_at=DAY + 3 * MINUTE))
