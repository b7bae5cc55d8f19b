"""Telling the owner of watched models that end: the lists are asked once a day, each notice is owed once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime

import structlog

from monitor.core.alerting.model_retirement import Retirement, owed_notices
from monitor.core.alerting.notice import Notice
from monitor.core.errors import DatabaseError
from monitor.core.model import Target
from monitor.pipeline.derive import DerivationSettings
from monitor.pipeline.retirements import RetirementLists
from monitor.store.database.engine import Database
from monitor.store.incidents.notices import add_notices
from monitor.transport import Transport

log = structlog.get_logger("serve")

LOOK_EVERY_S = 60.0


class RetirementNotices:
    """Asks the endpoints which models end, and owes what the channels are to be told of it."""

    def __init__(
        self,
        targets: Sequence[Target],
        database: Database,
        house: DerivationSettings,
        transport: Transport,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._lists = RetirementLists(targets)
        self._database, self._house, self._transport, self._clock = database, house, transport, clock
        self._owed_on: date | None = None

    def known(self) -> tuple[Retirement, ...]:
        """Return the retirements known now, the nearest first."""
        return tuple(self._lists)

    async def run(self) -> None:
        """Look once a minute whether another day has begun."""
        while True:
            await self.refresh()
            await asyncio.sleep(LOOK_EVERY_S)

    async def refresh(self) -> None:
        """Ask for the lists, and owe the notices of what they say, unless both was done today."""
        now = self._clock()
        await self._lists.ask(self._transport, now.date())
        if now.date() == self._owed_on:
            return
        house = self._house
        owed = list(owed_notices(self._lists, house.policies, now=now, voice=house.voice))
        try:
            if owed:
                await asyncio.to_thread(self._add, owed)
        except DatabaseError as error:
            log.warning("notices of retirements wait for the database", error=str(error))
        else:
            self._owed_on = now.date()

    def _add(self, owed: Sequence[Notice]) -> None:
        with self._database.write() as tx:
            add_notices(tx, owed)
