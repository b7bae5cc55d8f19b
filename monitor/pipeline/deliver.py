"""The outbox: claim a notice, compose it, send it once, judge the reply, settle it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from monitor.core.alerting.notice import Notice
from monitor.core.alerting.retry import Delivered, DeliveryResult, GiveUp, NoticeReply, NoticeRequest, Retry
from monitor.core.errors import DatabaseError, MonitorError
from monitor.notifiers import CHANNELS
from monitor.store.database.engine import Database
from monitor.store.incidents.notices import claim_notice, read_next_due, settle_notice
from monitor.transport import HttpReply as Answered
from monitor.transport import Transport

log = structlog.get_logger("deliver")

ATTEMPT_S = 20.0  # Standard Webhooks 1.0 advises 15 to 30 seconds
LEASE = timedelta(seconds=60)
AT_ONCE = 4  # per channel: what one receiver keeps waiting is not taken from the others
IDLE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelAddress:
    """Where one channel's notices go; `url` and `secret` are references until a notice is sent.

    `secret` is empty where the kind has none.
    """

    kind: str
    url: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """In place of a reply: our own side kept the notice from being sent."""

    detail: str
    status: int | None = None
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""


def compose(
    notice: Notice, receiver: ChannelAddress, resolve: Callable[[str], str], *, now: datetime
) -> NoticeRequest:
    """The signed request of one attempt; raises SecretError for a reference that gives nothing."""
    url = resolve(receiver.url)
    secret = resolve(receiver.secret) if receiver.secret else ""
    return CHANNELS[receiver.kind].compose(notice, url=url, secret=secret, now=now)


async def post(request: NoticeRequest, transport: Transport) -> Answered:
    """Send it, once."""
    return await transport.post(request.url, request.headers, request.body, deadline=ATTEMPT_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """What delivering needs: receivers by channel, the way out, how references become secrets.

    `gone` are the channels whose receiver said that it is no more: they are left alone until the service
    is started anew, perhaps with another address. `idle_s` is how often is looked for what is owed.
    """

    database: Database
    transport: Transport
    receivers: Mapping[str, ChannelAddress]
    resolve: Callable[[str], str]
    clock: Callable[[], datetime]
    gone: set[str] = field(default_factory=set)
    idle_s: float = IDLE_S

    async def run(self) -> None:
        """Deliver what is owed until cancelled; one slow receiver does not hold up another."""
        under_way: dict[asyncio.Task[None], str] = {}
        away = False
        try:
            while True:
                try:
                    await self._claim_all(under_way)
                except DatabaseError as error:
                    if not away:
                        log.warning("notices wait for the database", error=str(error))
                    away = True
                else:
                    away = False
                await asyncio.sleep(self.idle_s)
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _claim_all(self, under_way: dict[asyncio.Task[None], str]) -> None:
        while notice := await asyncio.to_thread(self._claim, _full(under_way.values())):
            task = asyncio.create_task(self._deliver(notice))
            under_way[task] = notice.channel
            task.add_done_callback(under_way.pop)

    async def _deliver(self, notice: Notice) -> None:
        """Attempt one notice and settle it.

        The lease outlives the attempt: a process that dies in it leaves the notice to be claimed again,
        with the same id, so that the receiver can drop the second copy.
        """
        judgement = await self.attempt(notice)
        if isinstance(judgement, GiveUp) and judgement.for_good:
            log.error("a channel is switched off until the next start", channel=notice.channel)
            self.gone.add(notice.channel)
        try:
            await asyncio.to_thread(self._settle, notice, judgement)
        except DatabaseError as error:
            # The lease runs out and the notice goes out once more, under the same id.
            log.warning("a notice could not be settled", channel=notice.channel, error=str(error))

    def _claim(self, full: Collection[str] = ()) -> Notice | None:
        now = self.clock()
        with self.database.read() as tx:
            due = read_next_due(tx, without=full)
        if due is None or due > now:
            return None
        with self.database.write() as tx:
            return claim_notice(tx, now, LEASE, without=full)

    async def attempt(self, notice: Notice) -> DeliveryResult:
        """Send it once, and judge the reply; nothing is stored."""
        receiver = self.receivers.get(notice.channel)
        if receiver is None:
            return GiveUp(reason=f"the channel {notice.channel} is no longer configured")
        if notice.channel in self.gone:
            return GiveUp(reason="not sent: its receiver was gone before, until the service starts anew")
        channel = CHANNELS[receiver.kind]
        try:
            request = compose(notice, receiver, self.resolve, now=self.clock())
            reply: NoticeReply = await post(request, self.transport)
        except MonitorError as error:
            reply = Unsent(detail=str(error))
        except Exception as error:  # one notice: the next one must go out, whatever this one met
            log.exception("a notice failed on our side", channel=notice.channel)
            reply = Unsent(detail=f"our own fault: {type(error).__name__}")
        return channel.judge(reply, notice.attempts, self.clock())

    def _settle(self, notice: Notice, judgement: DeliveryResult) -> None:
        now = self.clock()
        with self.database.write() as tx:
            match judgement:
                case Delivered():
                    settle_notice(tx, notice.id, now=now, sent=True, reply=judgement.reason)
                case Retry():
                    settle_notice(tx, notice.id, now=now, retry_at=judgement.at, reply=judgement.reason)
                case GiveUp():
                    settle_notice(tx, notice.id, now=now, gave_up=True, reply=judgement.reason)
        log.info("notice", channel=notice.channel, kind=notice.kind.value, result=judgement.reason)


def _full(busy: Collection[str]) -> Collection[str]:
    """The channels that have as many attempts under way as one may."""
    return {channel for channel, attempts in Counter(busy).items() if attempts >= AT_ONCE}
