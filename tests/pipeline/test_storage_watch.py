"""Nothing can be stored: told once from memory, and on record when the database is back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitor.core.alerting.decide import Policy
from monitor.core.alerting.notice import Notice, NoticeKind
from monitor.core.alerting.retry import Delivered, DeliveryResult, Retry
from monitor.core.alerting.wording import MessageSettings
from monitor.pipeline.storage_watch import Failing, StorageWatch
from monitor.store.database.engine import Database
from monitor.store.incidents.notices import read_notices

START = datetime(2025, 11, 17, 8, 30, tzinfo=UTC)
POLICIES = [Policy(channel="oncall"), Policy(channel="owner", when=frozenset({"monitor"}))]


class Scene:
    """A watch over a database that fails when it is told to, and a receiver that answers as told."""

    def __init__(self, database: Database) -> None:
        self.now, self.failing = START, False
        self.answers: list[DeliveryResult] = []
        self.sent: list[Notice] = []
        self.watch = StorageWatch(
            database,
            failing=lambda: Failing(since=START, reason="the disk is full") if self.failing else None,
            attempt=self.attempt,
            policies=POLICIES,
            voice=MessageSettings(),
            clock=lambda: self.now,
        )

    async def attempt(self, notice: Notice) -> DeliveryResult:
        self.sent.append(notice)
        return self.answers.pop(0) if self.answers else Delivered(reason="200")

    async def look(self, at: timedelta, *, failing: bool) -> None:
        """One look at a moment after the start."""
        self.now, self.failing = START + at, failing
        await self.watch.look()


async def test_a_loss_is_told_once_and_its_end_owed(database: Database) -> None:
    """After two minutes, to who wants it; afterwards both stand in the outbox, the second to be sent."""
    scene = Scene(database)
    for seconds in (0, 60, 119):
        await scene.look(timedelta(seconds=seconds), failing=True)
    assert scene.sent == []
    for seconds in (121, 123, 3600):
        await scene.look(timedelta(seconds=seconds), failing=True)
    assert [(one.channel, one.kind) for one in scene.sent] == [("owner", NoticeKind.STORAGE_LOST)]
    for _ in range(2):
        await scene.look(timedelta(hours=2), failing=False)
    with database.read() as tx:
        lost, back = read_notices(tx)
    assert (lost.kind, lost.sent_at) == (NoticeKind.STORAGE_LOST, START + timedelta(seconds=121))
    assert (back.kind, back.sent_at, back.due_at) == (
        NoticeKind.STORAGE_BACK,
        None,
        START + timedelta(hours=2),
    )


async def test_a_receiver_that_is_away_is_tried_again(database: Database) -> None:
    """At the moment its ladder names, under the same id."""
    scene = Scene(database)
    scene.answers = [Retry(at=START + timedelta(minutes=5), reason="503")]
    for minutes in (3, 4, 5, 6):
        await scene.look(timedelta(minutes=minutes), failing=True)
    assert [one.attempts for one in scene.sent] == [1, 2]
    assert len({one.id for one in scene.sent}) == 1


async def test_who_was_told_nothing_is_not_told_its_end(database: Database) -> None:
    """A loss that nobody heard of in time is on record as given up."""
    scene = Scene(database)
    scene.answers = [Retry(at=START + timedelta(hours=5), reason="503")]
    await scene.look(timedelta(minutes=3), failing=True)
    await scene.look(timedelta(minutes=9), failing=False)
    with database.read() as tx:
        (lost,) = read_notices(tx)
    assert (lost.sent_at, lost.gave_up_at, lost.last_reply) == (None, START + timedelta(minutes=9), "503")


async def test_a_short_loss_is_not_told(database: Database) -> None:
    """A restart of the database wakes nobody."""
    scene = Scene(database)
    await scene.look(timedelta(seconds=100), failing=True)
    await scene.look(timedelta(seconds=130), failing=False)
    with database.read() as tx:
        assert (scene.sent, read_notices(tx)) == ([], ())
