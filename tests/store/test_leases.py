"""One process at a location: who holds the lease, and when it is free."""

from __future__ import annotations

from datetime import timedelta

from monitor.store.database.engine import Database
from monitor.store.leases import HELD_FOR, release_lease, renew_lease, take_lease
from tests.support.stored_outcomes import DAY

SECOND = timedelta(seconds=1)


def test_a_lease_is_held_while_it_is_renewed(database: Database) -> None:
    """Another is refused it, another location is not, and its holder may take it again."""
    with database.write() as tx:
        assert take_lease(tx, "berlin", "first", DAY) is None
        assert take_lease(tx, "berlin", "first", DAY) is None
        assert take_lease(tx, "lisbon", "second", DAY) is None
        assert take_lease(tx, "berlin", "second", DAY + SECOND) == ("first", DAY)
        assert renew_lease(tx, "berlin", "first", DAY + 10 * SECOND)
        assert take_lease(tx, "berlin", "second", DAY + HELD_FOR) == ("first", DAY + 10 * SECOND)


def test_a_lease_that_is_not_renewed_is_taken_over(database: Database) -> None:
    """After fifteen seconds; whoever held it is told so when it wakes up."""
    with database.write() as tx:
        take_lease(tx, "berlin", "first", DAY)
        assert take_lease(tx, "berlin", "second", DAY + HELD_FOR) is None
        assert not renew_lease(tx, "berlin", "first", DAY + HELD_FOR)
        assert renew_lease(tx, "berlin", "second", DAY + HELD_FOR)


def test_a_lease_is_free_where_its_holder_is_gone_gave_it_back_or_had_another_clock(
    database: Database,
) -> None:
    """A clock that was set back must not keep a location closed for ever."""
    with database.write() as tx:
        take_lease(tx, "berlin", "first", DAY)
        assert take_lease(tx, "berlin", "second", DAY, gone="first") is None
        release_lease(tx, "berlin", "second")
        assert take_lease(tx, "berlin", "third", DAY) is None
        assert take_lease(tx, "berlin", "fourth", DAY - timedelta(hours=1)) is None
