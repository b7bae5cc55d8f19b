"""Telling that nothing can be stored, while the database that holds the outbox is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from monitor.core.alerting.decide import Policy
from monitor.core.alerting.notice import Notice, NoticeKind
from monitor.core.alerting.retry import Delivered, DeliveryResult, GiveUp, Retry
from monitor.core.alerting.storage_loss import TOLD_AFTER, storage_notices
from monitor.core.alerting.wording import MessageSettings
from monitor.core.errors import DatabaseError
from monitor.store.database.engine import Database
from monitor.store.incidents.notices import add_notices, settle_notice

log = structlog.get_logger("storage")

LOOK_EVERY_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """Since when nothing can be stored, and why."""

    since: datetime
    reason: str


class StorageWatch:
    """Tells a loss once to each channel that wants it, and once that it is over.

    *failing* says whether storing fails now; *attempt* sends a notice. What was told is kept in memory and
    goes on record when the database is back; the end of a loss is then owed like any other notice.
    """

    def __init__(
        self,
        database: Database,
        *,
        failing: Callable[[], Failing | None],
        attempt: Callable[[Notice], Awaitable[DeliveryResult]],
        policies: Sequence[Policy],
        voice: MessageSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._failing, self._attempt = database, failing, attempt
        self._policies, self._voice, self._clock = policies, voice, clock
        self._loss: Failing | None = None
        self._told: dict[str, Notice] = {}

    async def run(self) -> None:
        """Look now and then until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Tell what is to be told now."""
        now, failing = self._clock(), self._failing()
        if failing is None:
            if self._loss is not None:
                await self._recover(self._loss, now)
            return
        if now - failing.since < TOLD_AFTER:
            return
        if self._loss is None:
            self._loss = failing
            self._told = {
                notice.id: notice for notice in self._notices(NoticeKind.STORAGE_LOST, failing, now)
            }
        due = [one for one in self._told.values() if _is_owed(one) and (one.due_at or now) <= now]
        await asyncio.gather(*(self._send(notice) for notice in due))

    def _notices(self, kind: NoticeKind, loss: Failing, now: datetime) -> list[Notice]:
        return storage_notices(
            kind, self._policies, since=loss.since, reason=loss.reason, now=now, voice=self._voice
        )

    async def _send(self, notice: Notice) -> None:
        notice = replace(notice, attempts=notice.attempts + 1)
        judgement = await self._attempt(notice)
        now = self._clock()
        log.warning("told that nothing is stored", channel=notice.channel, result=judgement.reason)
        match judgement:
            case Delivered():
                notice = replace(notice, sent_at=now)
            case Retry():
                notice = replace(notice, due_at=judgement.at)
            case GiveUp():
                notice = replace(notice, gave_up_at=now)
        self._told[notice.id] = replace(notice, last_reply=judgement.reason)

    async def _recover(self, loss: Failing, now: datetime) -> None:
        """Put on record what was told; owe its end to those who were told the beginning."""
        heard = {notice.channel for notice in self._told.values() if notice.sent_at}
        ends = [one for one in self._notices(NoticeKind.STORAGE_BACK, loss, now) if one.channel in heard]
        try:
            await asyncio.to_thread(self._put_on_record, ends, now)
        except DatabaseError:
            return  # gone again: at the next look
        self._loss, self._told = None, {}

    def _put_on_record(self, ends: Sequence[Notice], now: datetime) -> None:
        with self._database.write() as tx:
            add_notices(tx, [*self._told.values(), *ends])
            for notice in self._told.values():
                settle_notice(
                    tx,
                    notice.id,
                    now=notice.sent_at or now,
                    sent=notice.sent_at is not None,
                    gave_up=notice.sent_at is None,  # it is over: nobody needs to hear of it any more
                    reply=notice.last_reply,
                )


def _is_owed(notice: Notice) -> bool:
    return notice.sent_at is None and notice.gave_up_at is None
