from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.alerting.notice import Notice, NoticeKind
from monitor.store.database.engine import Database
from monitor.store.incidents.incidents import save_incident
from monitor.store.incidents.notices import (
    add_notices,
    claim_notice,
    read_next_due,
    read_notices,
    settle_notice,
)
from tests.store.incidents.test_incidents import an_incident
from tests.support.stored_outcomes import DAY, MINUTE

LEASE = timedelta(seconds=30)
OPENED = Notice(
    id="msg_1",
    channel="oncall",
    incident_id="inc-1",
    kind=NoticeKind.OPENED,
    sequence=1,
    created_at=DAY,
    due_at=DAY,
    body={"type": "incident.opened", "data": {"title": "…"}},
)
RESOLVED = replace(OPENED, id="msg_2", kind=NoticeKind.RESOLVED, sequence=2)


def owe(database: Database, *notices: Notice) -> int:
    """Store an incident and notices of it."""
    with database.write() as tx:
        save_incident(tx, an_incident())
        return add_notices(tx, notices)


def test_a_notice_is_owed_once(database: Database) -> None:
    """The same id, or the same incident, kind, sequence and channel, is stored once; tests are all stored."""
    again = replace(OPENED, id="msg_9")
    drills = [replace(OPENED, id=f"msg_t{n}", incident_id=None, kind=NoticeKind.TEST) for n in range(2)]
    assert owe(database, OPENED, OPENED, again, *drills) == 3
    with database.read() as tx:
        assert read_notices(tx, "inc-1") == (OPENED,)
        assert len(read_notices(tx)) == 3


def test_one_worker_wins_a_notice(database: Database) -> None:
    """Of many workers that claim at once one gets the notice, the others nothing."""
    owe(database, OPENED)

    def claim(_: int) -> Notice | None:
        with database.write() as tx:
            return claim_notice(tx, DAY, LEASE)

    with ThreadPoolExecutor(4) as pool:
        won = [notice for notice in pool.map(claim, range(4)) if notice]
    assert won == [replace(OPENED, attempts=1)]


def test_channels_that_are_busy_are_passed_over(database: Database) -> None:
    """What is owed to another channel is claimed, though the busy one's is due longer."""
    later = replace(OPENED, id="msg_0", channel="mail", due_at=DAY + MINUTE)
    owe(database, OPENED, later)
    with database.write() as tx:
        assert read_next_due(tx, without={"oncall"}) == DAY + MINUTE
        assert claim_notice(tx, DAY, LEASE, without={"oncall"}) is None
        claimed = claim_notice(tx, DAY + MINUTE, LEASE, without={"oncall"})
        assert claimed == replace(later, attempts=1)
        assert claim_notice(tx, DAY + MINUTE, LEASE, without={"oncall", "mail"}) is None


def test_a_lost_lease_is_claimed_again(database: Database) -> None:
    """A worker that dies keeps a notice until its lease ends; then it is claimed under the same id."""
    owe(database, OPENED)
    with database.write() as tx:
        claim_notice(tx, DAY, LEASE)
        assert claim_notice(tx, DAY + LEASE / 2, LEASE) is None
        assert read_next_due(tx) == DAY + LEASE
        assert claim_notice(tx, DAY + LEASE, LEASE) == replace(OPENED, attempts=2)


def test_what_is_sent_is_never_sent_again(database: Database) -> None:
    """A sent notice is settled for good, also for a worker that comes too late with another answer."""
    owe(database, OPENED)
    with database.write() as tx:
        claim_notice(tx, DAY, LEASE)
        assert settle_notice(tx, "msg_1", now=DAY, sent=True, reply="204")
        assert not settle_notice(tx, "msg_1", now=DAY, retry_at=DAY + MINUTE, reply="late")
        assert claim_notice(tx, DAY + 60 * MINUTE, LEASE) is None
        assert read_next_due(tx) is None
        assert read_notices(tx) == (replace(OPENED, attempts=1, sent_at=DAY, last_reply="204"),)


def test_a_failed_notice_waits_for_its_time(database: Database) -> None:
    """A notice to be tried again is due at that time, not before."""
    owe(database, OPENED)
    with database.write() as tx:
        claim_notice(tx, DAY, LEASE)
        settle_notice(tx, "msg_1", now=DAY, retry_at=DAY + 5 * MINUTE, reply="500")
        assert claim_notice(tx, DAY + 4 * MINUTE, LEASE) is None
        again = claim_notice(tx, DAY + 5 * MINUTE, LEASE)
    assert again == replace(OPENED, attempts=2, due_at=DAY + 5 * MINUTE, last_reply="500")


def test_nobody_is_told_of_the_end_before_the_beginning(database: Database) -> None:
    """A later notice of an incident waits on its channel until the earlier is sent or given up."""
    elsewhere = replace(RESOLVED, id="msg_3", channel="owner")
    owe(database, OPENED, RESOLVED, elsewhere)
    with database.write() as tx:
        claimed = [claim_notice(tx, DAY, LEASE) for _ in range(3)]
        assert [notice.id for notice in claimed if notice] == ["msg_1", "msg_3"]
        settle_notice(tx, "msg_1", now=DAY, retry_at=DAY + MINUTE)
        assert claim_notice(tx, DAY, LEASE) is None
        settle_notice(tx, "msg_1", now=DAY, gave_up=True)
        assert claim_notice(tx, DAY, LEASE) == replace(RESOLVED, attempts=1)


@pytest.mark.parametrize("fate", [{}, {"sent": True, "gave_up": True}, {"sent": True, "retry_at": DAY}])
def test_a_notice_has_one_fate(sqlite_database: Database, fate: dict[str, bool]) -> None:
    """Settling needs exactly one of sent, tried again, given up."""
    with sqlite_database.write() as tx, pytest.raises(ValueError, match="either sent, or tried again"):
        settle_notice(tx, "msg_1", now=DAY, **fate)  # type: ignore[arg-type] # wrong on purpose
