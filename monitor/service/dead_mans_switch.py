"""Somebody outside is called each minute while the monitor measures and stores: no call is an alarm.

The calls are those of Healthchecks (https://healthchecks.io/docs/http_api/): a POST to the URL while all is
well, to ``/start`` at the start, to ``/fail`` with the reason in the body.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from monitor.core.errors import MonitorError
from monitor.core.outages.rule import GAP_INTERVALS
from monitor.core.timefmt import duration_words
from monitor.pipeline.writer import Backlog
from monitor.transport import Transport

log = structlog.get_logger("heartbeat")

EVERY = timedelta(seconds=60)
WITHIN_S = 10.0
STORED_WITHIN = timedelta(minutes=1)  # a sign of life is stored every few seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What can be seen of the service: whether it starts slots, when it did last, and what it stored.

    `patience` is how long no slot may be started; None where nothing is watched.
    """

    running: bool
    last_slot: datetime
    last_stored: datetime | None
    backlog: Backlog
    patience: timedelta | None


def longest_rest(intervals: Iterable[timedelta]) -> timedelta | None:
    """Return how long no slot may come due among targets with these intervals; None without any."""
    closest = min(intervals, default=None)
    return None if closest is None else max(GAP_INTERVALS * closest, STORED_WITHIN)


def why_unwell(pulse: Pulse, now: datetime) -> str | None:
    """Return why nothing is measured or stored; None while both is done."""
    if not pulse.running:
        return "the scheduler does not run"
    if pulse.backlog.failing_since is not None:
        lasting = duration_words(_whole(now - pulse.backlog.failing_since))
        return f"nothing could be stored for {lasting}: {pulse.backlog.reason}"
    if pulse.last_stored is None or now - pulse.last_stored > STORED_WITHIN:
        return "nothing was stored for more than a minute"
    if pulse.patience is not None and now - pulse.last_slot > pulse.patience:
        return f"no run was due to start for {duration_words(_whole(now - pulse.last_slot))}"
    return None


def _whole(length: timedelta) -> timedelta:
    return timedelta(seconds=round(length.total_seconds()))


class DeadMansSwitch:
    """Calls the URL that *url* gives; *pulse* says how the service is."""

    def __init__(
        self,
        url: Callable[[], str],
        transport: Transport,
        *,
        pulse: Callable[[], Pulse],
        clock: Callable[[], datetime],
    ) -> None:
        self._url, self._transport, self._pulse, self._clock = url, transport, pulse, clock
        self._told: str | None = None

    async def run(self) -> None:
        """Call it each minute until cancelled."""
        await self._call("/start", b"")
        while True:
            await asyncio.sleep(EVERY.total_seconds())
            await self.beat()

    async def beat(self) -> None:
        """Call it as the service is now; a reason that was taken is not told again."""
        reason = why_unwell(self._pulse(), self._clock())
        if reason is None:
            await self._call("", b"")
        elif self._told is None:
            log.warning("the heartbeat stops", reason=reason)
            if not await self._call("/fail", reason.encode()):
                return
        self._told = reason

    async def _call(self, path: str, body: bytes) -> bool:
        """Whether the call was taken; what kept it from being taken is logged, without the URL."""
        headers = {"content-type": "text/plain; charset=utf-8", "user-agent": "earwitness"}
        try:
            reply = await self._transport.post(
                self._url().rstrip("/") + path, headers, body, deadline=WITHIN_S
            )
        except MonitorError as error:
            log.warning("the heartbeat could not be sent", reason=str(error))
            return False
        taken = reply.status is not None and 200 <= reply.status < 300
        if not taken:
            log.warning("the heartbeat was not taken", status=reply.status, reason=reply.detail)
        return taken
