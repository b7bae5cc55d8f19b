"""The loops that look at our own side while the service runs, and hand on what they see to be stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from monitor.core.outages.self_observations import SelfObservation
from monitor.service.outcome_storage import OutcomeStorage
from monitor.service.self_check import LOOK_EVERY, SelfCheck

log = structlog.get_logger("serve")

TURN = timedelta(seconds=2)  # how often is looked at what only time changes


class SelfCheckLoops:
    """Turns every two seconds, looks once a minute; *clock_moved* is told when the wall clock was set."""

    def __init__(self, check: SelfCheck, storage: OutcomeStorage, *, clock_moved: Callable[[], None]) -> None:
        self._check, self._storage, self._clock_moved = check, storage, clock_moved
        self._looked: Sequence[SelfObservation] = ()
        self._complaints: Sequence[str] = ()

    async def take_turns(self) -> None:
        """Measure how late the event loop is, and have stored what only time brings."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TURN.total_seconds()
            await asyncio.sleep(TURN.total_seconds())
            late = loop.time() - due
            for sight in self._check.turn(late):
                log.warning("nothing could be measured for a while", reason=sight.detail)
                self._storage.put(sight)
                self._clock_moved()
            self._storage.turn(late)

    async def look_around(self) -> None:
        """Look at the control hosts and at ourselves once a minute, and log what is new."""
        while True:
            await self.look()
            complaints = self._check.complaints()
            for sentence in complaints:
                if sentence not in self._complaints:
                    log.warning("self-check", found=sentence)
            self._complaints = complaints
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def look(self) -> None:
        """Have a look at the control hosts recorded; one that many runs share, once."""
        seen = await self._check.look()
        if seen is not self._looked:
            self._looked = seen
            for sight in seen:
                self._storage.put(sight)
