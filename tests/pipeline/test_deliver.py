"""The outbox under way: attempts, pauses, leases, and receivers that do not hold up each other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from monitor.core.alerting.notice import Notice, NoticeKind
from monitor.core.alerting.retry import PAUSES
from monitor.core.errors import SecretError
from monitor.pipeline.deliver import AT_ONCE, LEASE, ChannelAddress, Deliverer
from monitor.store.database.engine import Database
from monitor.store.incidents.incidents import save_incident
from monitor.store.incidents.notices import add_notices, claim_notice, read_notices
from tests.support.deliver_one import deliver_one
from tests.support.fakes import FakeClock
from tests.support.sample_incident import incident
from tests.support.scripted_transport import PostingTransport, Receivers, until

SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
URLS = {"oncall": "https://oncall.test/x", "slow": "https://slow.test/x"}


def notice(name: str, channel: str = "oncall", sequence: int = 1) -> Notice:
    """A notice owed now; those of a channel are about different incidents unless they are numbered."""
    return Notice(
        id=f"msg_{name}",
        channel=channel,
        incident_id=None,
        kind=NoticeKind.TEST,
        sequence=sequence,
        created_at=FakeClock().instant,
        body={"type": "test", "timestamp": "2025-11-17T08:30:00Z", "data": {"state": "down"}},
    )


@dataclass(slots=True)
class Post:
    """A courier with everything around it."""

    database: Database
    clock: FakeClock = field(default_factory=FakeClock)
    receivers: Receivers = field(default_factory=Receivers)
    configured: Sequence[str] = ("oncall", "slow")

    def courier(self) -> Deliverer:
        """A courier over the database, as a process would have it."""
        return Deliverer(
            database=self.database,
            transport=PostingTransport(self.receivers, self.clock),
            receivers={
                name: ChannelAddress(kind="webhook", url=URLS[name], secret=SECRET)
                for name in self.configured
            },
            resolve=lambda value: value,
            clock=self.clock,
        )

    def owe(self, *owed: Notice) -> None:
        """Put notices into the outbox."""
        with self.database.write() as tx:
            add_notices(tx, owed)

    def stored(self) -> Notice:
        """The only notice."""
        with self.database.read() as tx:
            (found,) = read_notices(tx)
        return found


@pytest.fixture
def post(sqlite_database: Database) -> Post:
    """A post office with an empty outbox."""
    return Post(sqlite_database)


async def test_a_notice_is_sent_once_and_signed(post: Post) -> None:
    """The receiver can verify it, and nothing is owed afterwards."""
    post.owe(notice("a"))
    courier = post.courier()
    assert await deliver_one(courier)
    assert not await deliver_one(courier)
    (seen,) = post.receivers.posted
    assert seen.url == URLS["oncall"]
    signed = Webhook(SECRET).sign(seen.headers["webhook-id"], post.clock(), seen.body.decode())
    assert seen.headers["webhook-signature"] == signed
    assert post.stored().sent_at == post.clock()
    assert post.stored().last_reply == "status 204"


async def test_the_pauses_of_the_schedule_are_kept(post: Post) -> None:
    """All attempts under one id, each after its pause and not before; then it is given up."""
    post.receivers.statuses[URLS["oncall"]] = [500]
    post.owe(notice("a"))
    courier = post.courier()
    for pause in PAUSES:
        assert await deliver_one(courier)
        post.clock.instant += pause - timedelta(seconds=1)
        assert not await deliver_one(courier)
        post.clock.advance(seconds=1)
    assert await deliver_one(courier)
    assert len(post.receivers.posted) == len(PAUSES) + 1
    assert set(post.receivers.ids()) == {"msg_a"}
    stored = post.stored()
    assert (stored.attempts, stored.gave_up_at) == (len(PAUSES) + 1, post.clock())
    assert stored.last_reply == f"status 500: attempt {len(PAUSES) + 1} was the last"
    post.clock.advance(days=30)
    assert not await deliver_one(courier)


async def test_a_receiver_that_comes_back_gets_it(post: Post) -> None:
    """After failures the first success settles it."""
    post.receivers.statuses[URLS["oncall"]] = [500, 503, 200]
    post.owe(notice("a"))
    courier = post.courier()
    for pause in PAUSES[:3]:
        await deliver_one(courier)
        post.clock.instant += pause
    assert (post.stored().attempts, post.stored().last_reply) == (3, "status 200")
    assert post.stored().sent_at is not None


async def test_a_receiver_away_for_seconds_has_it_within_a_minute(post: Post) -> None:
    """The first pauses are 5, 15 and 30 s: a restart of the receiver costs no five minutes."""
    post.receivers.statuses[URLS["oncall"]] = [503, 503, 200]
    post.owe(notice("a"))
    courier, begun = post.courier(), post.clock.instant
    while post.stored().sent_at is None:
        if not await deliver_one(courier):
            post.clock.advance(seconds=1)
    assert post.clock.instant - begun <= timedelta(seconds=20)


@pytest.mark.parametrize(("away", "within"), [(8, 5), (40, 5), (119, 5), (300, 30)])
async def test_a_receiver_that_returns_hears_soon_with_nothing_new_owed(
    post: Post, away: int, within: int
) -> None:
    """Within five minutes after up to two hours, within half an hour after up to eight."""
    url, begun = URLS["oncall"], post.clock.instant
    post.receivers.statuses[url] = [503]
    post.owe(notice("a"))
    courier = post.courier()
    while post.stored().sent_at is None:
        if post.clock.instant - begun >= timedelta(minutes=away):
            post.receivers.statuses[url] = [200]
        if not await deliver_one(courier):
            post.clock.advance(seconds=5)
    assert post.clock.instant - begun <= timedelta(minutes=away + within)


async def test_what_waits_for_a_receiver_that_is_back_goes_out_at_once_and_in_order(post: Post) -> None:
    """After a long absence one accepted notice brings the rest: of an incident down before resolved."""
    post.receivers.statuses[URLS["oncall"]] = [503]
    story = incident()
    with post.database.write() as tx:
        save_incident(tx, story)
    post.owe(replace(notice("z-down"), incident_id=story.id))
    courier = post.courier()
    for pause in PAUSES[:6]:
        await deliver_one(courier)
        post.clock.instant += pause
    await deliver_one(courier)  # the next attempt is five minutes ahead
    post.receivers.statuses[URLS["oncall"]] = [200]
    before = len(post.receivers.posted)
    post.clock.advance(seconds=60)
    now = post.clock()
    post.owe(replace(notice("b-other"), created_at=now))
    while await deliver_one(courier):
        pass
    assert post.receivers.ids()[before:] == ["msg_b-other", "msg_z-down"]


async def test_the_end_of_an_incident_is_told_with_its_beginning(post: Post) -> None:
    """Down, which waits, is tried at once when resolved is owed; resolved follows it in the same moment."""
    post.receivers.statuses[URLS["oncall"]] = [503, 503, 503, 503, 503, 503, 503, 200]
    story = incident()
    with post.database.write() as tx:
        save_incident(tx, story)
    post.owe(replace(notice("z-down"), incident_id=story.id))
    courier = post.courier()
    for pause in PAUSES[:6]:
        await deliver_one(courier)
        post.clock.instant += pause
    await deliver_one(courier)  # the next attempt is five minutes ahead
    post.clock.advance(seconds=60)
    post.owe(replace(notice("a-resolved", sequence=2), incident_id=story.id, created_at=post.clock()))
    while await deliver_one(courier):
        pass
    assert post.receivers.ids()[-2:] == ["msg_z-down", "msg_a-resolved"]


async def test_a_crash_in_mid_attempt_leads_to_another_under_the_same_id(post: Post) -> None:
    """Whoever died holding it, the lease runs out and the next process sends it, once."""
    post.owe(notice("a"))
    with post.database.write() as tx:
        claim_notice(tx, post.clock(), LEASE)  # the process that held it is gone
    courier = post.courier()
    assert not await deliver_one(courier)
    post.clock.instant += LEASE
    assert await deliver_one(courier)
    assert post.receivers.ids() == ["msg_a"]
    assert (post.stored().attempts, post.stored().sent_at) == (2, post.clock())


async def test_two_couriers_send_a_notice_once(post: Post) -> None:
    """Several processes over one database take turns; none sends what another holds."""
    post.owe(*(notice(str(number)) for number in range(6)))
    couriers = [post.courier() for _ in range(3)]
    rounds = [[await deliver_one(courier) for courier in couriers] for _ in range(3)]
    assert sum(map(sum, rounds)) == 6
    assert len(post.receivers.posted) == len(set(post.receivers.ids())) == 6


async def test_gone_is_gone(post: Post) -> None:
    """410 ends it at once."""
    post.receivers.statuses[URLS["oncall"]] = [410]
    post.owe(notice("a"))
    assert await deliver_one(post.courier())
    stored = post.stored()
    assert (stored.attempts, stored.last_reply) == (1, "status 410: the receiver is gone")
    assert stored.gave_up_at == post.clock()


async def test_a_receiver_that_is_gone_is_left_alone_until_the_next_start(post: Post) -> None:
    """What else is owed to it is not sent; other channels are, and a new start tries again."""
    post.receivers.statuses[URLS["oncall"]] = [410]
    post.owe(notice("a"), notice("b"), notice("c", channel="slow"))
    courier = post.courier()
    while await deliver_one(courier):
        pass
    assert sorted(post.receivers.ids()) == ["msg_a", "msg_c"]
    with post.database.read() as tx:
        (held,) = (one for one in read_notices(tx) if one.id == "msg_b")
    assert held.last_reply == "not sent: its receiver was gone before, until the service starts anew"
    post.owe(notice("d"))
    assert await deliver_one(post.courier())
    assert post.receivers.ids()[-1] == "msg_d"


async def test_a_channel_that_is_no_longer_configured_is_given_up(post: Post) -> None:
    """Nothing is sent, the reason is kept, and the outbox goes on."""
    post.configured = ("slow",)
    post.owe(notice("a"))
    assert await deliver_one(post.courier())
    assert not post.receivers.posted
    assert post.stored().last_reply == "the channel oncall is no longer configured"
    assert post.stored().gave_up_at is not None


async def test_a_secret_that_is_missing_is_said_and_tried_again(post: Post) -> None:
    """Our own fault sends nothing, names the reference and loses nothing."""

    def missing(_value: str) -> str:
        raise SecretError("env:ONCALL_URL", "the variable ONCALL_URL is not set")

    post.owe(notice("a"))
    courier = post.courier()
    broken = Deliverer(
        database=courier.database,
        transport=courier.transport,
        receivers=courier.receivers,
        resolve=missing,
        clock=courier.clock,
    )
    assert await deliver_one(broken)
    assert post.stored().last_reply == "env:ONCALL_URL: the variable ONCALL_URL is not set"
    post.clock.instant += PAUSES[0]
    assert await deliver_one(courier)
    assert post.stored().sent_at is not None


async def test_a_fault_of_ours_is_kept_without_its_text(post: Post) -> None:
    """An exception that nobody foresaw is a failed attempt; what it says may hold anything."""

    def wrong(_value: str) -> str:
        raise ZeroDivisionError("with a secret in it")

    post.owe(notice("a"))
    courier = post.courier()
    broken = Deliverer(
        database=courier.database,
        transport=courier.transport,
        receivers=courier.receivers,
        resolve=wrong,
        clock=courier.clock,
    )
    assert await deliver_one(broken)
    assert post.stored().last_reply == "our own fault: ZeroDivisionError"


@asynccontextmanager
async def delivering(courier: Deliverer) -> AsyncIterator[None]:
    """The courier at work, ended after the block."""
    task = asyncio.create_task(courier.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_slow_receiver_does_not_hold_up_another(post: Post) -> None:
    """While one receiver keeps us waiting, what is owed to others goes out."""
    slow = post.receivers.gates[URLS["slow"]] = asyncio.Event()
    post.owe(notice("a", "slow"), notice("b", "oncall"), notice("c", "oncall"))
    async with delivering(post.courier()):
        await until(lambda: sorted(post.receivers.ids()) == ["msg_a", "msg_b", "msg_c"])
        with post.database.read() as tx:
            waiting = [one.id for one in read_notices(tx) if one.channel == "slow" and one.sent_at]
        assert not waiting
        slow.set()


async def test_a_slow_receiver_that_is_owed_much_does_not_hold_up_another(post: Post) -> None:
    """However many notices wait for the slow one, and though they are due longer, the others' go out."""
    slow = post.receivers.gates[URLS["slow"]] = asyncio.Event()
    post.owe(*(notice(f"s{number:02}", "slow") for number in range(30)))
    async with delivering(post.courier()):
        await until(lambda: post.receivers.posted)
        post.owe(notice("z", "oncall"))
        await until(lambda: "msg_z" in post.receivers.ids())
        assert len(post.receivers.posted) == AT_ONCE + 1
        slow.set()


async def test_a_stop_leaves_a_notice_under_way_to_be_sent_again(post: Post) -> None:
    """Nothing is marked as sent that was not answered; the next process sends it under the same id."""
    post.receivers.gates[URLS["slow"]] = asyncio.Event()
    post.owe(notice("a", "slow"))
    async with delivering(post.courier()):
        await until(lambda: post.receivers.posted)
    assert post.stored().sent_at is None
    post.receivers.gates.clear()
    post.clock.instant += LEASE
    assert await deliver_one(post.courier())
    assert post.receivers.ids() == ["msg_a", "msg_a"]
