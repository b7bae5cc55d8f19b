"""Maintenance in the store: entered, withdrawn, never rewritten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.core.errors import NotFound
from monitor.core.outages.maintenance import Maintenance
from monitor.store.database.engine import Database
from monitor.store.derivation.maintenance import (
    add_maintenance,
    read_maintenance,
    sync_maintenance,
    withdraw_maintenance,
)
from tests.support.stored_outcomes import DAY, MINUTE


def test_what_leaves_the_configuration_is_withdrawn_and_stays_on_record(database: Database) -> None:
    """The same again changes nothing; what comes back is a new entry."""
    plan = Maintenance(name="m", start=DAY, end=DAY + 9 * MINUTE, targets=("a/*",), retroactive=True)
    with database.write() as tx:
        assert sync_maintenance(tx, [plan], DAY) == (plan,)
        assert sync_maintenance(tx, [plan], DAY + MINUTE) == ()
        assert read_maintenance(tx) == (replace(plan, entered_at=DAY),)
        assert sync_maintenance(tx, [], DAY + 2 * MINUTE) == ()
        first = replace(plan, entered_at=DAY, withdrawn_at=DAY + 2 * MINUTE)
        assert read_maintenance(tx) == (first,)
        sync_maintenance(tx, [plan], DAY + 3 * MINUTE)
        assert read_maintenance(tx) == (first, replace(plan, entered_at=DAY + 3 * MINUTE))


def test_what_a_person_entered_is_no_business_of_the_configuration(database: Database) -> None:
    """It is withdrawn by its id alone, once; an unknown id and a configured one are refused."""
    paused = Maintenance(name="p", start=DAY, end=DAY + 9 * MINUTE, author="ann")
    with database.write() as tx:
        entered = add_maintenance(tx, paused, DAY)
        sync_maintenance(tx, [Maintenance(name="m", start=DAY, end=DAY + MINUTE)], DAY)
        sync_maintenance(tx, [], DAY + MINUTE)
        assert read_maintenance(tx)[0] == entered
        ended = withdraw_maintenance(tx, entered.id or 0, DAY + 2 * MINUTE)
        assert ended == replace(entered, withdrawn_at=DAY + 2 * MINUTE)
        assert withdraw_maintenance(tx, entered.id or 0, DAY + 3 * MINUTE) == ended
        with pytest.raises(NotFound, match="there is no maintenance 99"):
            withdraw_maintenance(tx, 99, DAY)
        configured = read_maintenance(tx)[1]
        with pytest.raises(ValueError, match="the configuration names it"):
            withdraw_maintenance(tx, configured.id or 0, DAY)
