"""Looks at our own side: stretches that say the same are one row, and a history reads them back."""

from __future__ import annotations

from sqlalchemy import func, select

from monitor.core.outages.self_observations import NEAR, SelfObservation, SelfObservationKind
from monitor.store.database.engine import Database
from monitor.store.database.tables import sights
from monitor.store.derivation.history import StoreHistory
from monitor.store.derivation.self_observations import add_self_observations, read_self_observations
from tests.support.stored_outcomes import DAY, MINUTE


def look(
    minute: float, *, good: bool = True, host: str = "example.com:443", place: str = "berlin"
) -> SelfObservation:
    """One look at a host."""
    at = DAY + minute * MINUTE
    detail = None if good else "connect: refused"
    return SelfObservation(place, SelfObservationKind.CONTROL, host, good, at, at, detail)


def test_looks_that_say_the_same_are_one_stretch(database: Database) -> None:
    """A change, a pause and another host begin a new one."""
    with database.write() as tx:
        for minute in (0, 1, 2):
            add_self_observations(tx, [look(minute), look(minute, host="example.org:443")])
        add_self_observations(tx, [look(3, good=False), look(4, good=False), look(5)])
        add_self_observations(tx, [look(5 + NEAR / MINUTE + 0.1)])
        assert tx.execute(select(func.count()).select_from(sights)).scalar() == 5
        found = read_self_observations(tx, "berlin")
    told = [
        ((one.start - DAY) / MINUTE, (one.end - DAY) / MINUTE, one.good)
        for one in found
        if "com" in one.subject
    ]
    assert told == [(0, 2, True), (3, 4, False), (5, 5, True), (7.1, 7.1, True)]
    assert [one.detail for one in found if not one.good] == ["connect: refused"]


def test_a_stretch_of_our_own_is_never_prolonged(database: Database) -> None:
    """Each is a fact of its own, however near the next."""
    own = SelfObservation(
        "berlin", SelfObservationKind.OWN, "clock", good=False, start=DAY, end=DAY + MINUTE, detail="set back"
    )
    with database.write() as tx:
        add_self_observations(tx, [own, own])
        assert read_self_observations(tx, "berlin") == (own, own)


def test_a_clock_set_back_begins_a_new_stretch(database: Database) -> None:
    """A look that seems to lie before the stretch does not reach back into it."""
    with database.write() as tx:
        add_self_observations(tx, [look(60), look(0)])
        assert len(read_self_observations(tx, "berlin")) == 2


def test_a_history_reads_what_reaches_into_a_stretch(database: Database) -> None:
    """Of its own location, both ends included."""
    with database.write() as tx:
        add_self_observations(tx, [look(0), look(1), look(1, place="oslo"), look(20, good=False)])
    with database.read() as tx:
        history = StoreHistory(tx)
        assert len(history.sights("berlin", None, None)) == 2
        assert history.sights("berlin", DAY + MINUTE, DAY + 2 * MINUTE)[0].good
        assert history.sights("berlin", DAY + 2 * MINUTE, DAY + 19 * MINUTE) == ()
        assert len(history.sights("oslo", DAY, DAY + MINUTE)) == 1
