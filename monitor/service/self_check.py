"""Is it us? Control hosts, clock, event loop, descriptors and disk, looked at while the service runs.

What it sees is handed back as sights to be stored and sentences to be shown. It judges no target: that
is done from what is stored.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.core.clock_offset import OFFSET_LIMIT, Offset, clock_fault, offset_in, step_words
from monitor.core.outages.self_observations import SelfObservation, SelfObservationKind
from monitor.core.timefmt import duration_words
from monitor.transport import ProbeResult

LOOK_EVERY = timedelta(minutes=1)
LOOK_WITHIN_S = 5.0
FRESH = timedelta(seconds=5)  # a look this new serves the next run that reached nothing
STALL = timedelta(seconds=5)  # a loop that stands still this long measures nothing
FEWEST_DESCRIPTORS = 64
LEAST_DISK = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The clocks of one moment, in seconds: the wall's, one that is never set, one that counts sleep too."""

    wall: float
    steady: float
    awake_or_not: float


def read_clocks() -> Clocks:
    """The system's clocks now; where no clock counts sleep the steady one stands in."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    steady = time.monotonic()
    slept = steady if boot is None else time.clock_gettime(boot)
    return Clocks(wall=time.time(), steady=steady, awake_or_not=slept)


def control_url(host: str) -> str:
    """What is asked for at a control host, given as ``host:port``: a connection, and on port 443 TLS.

    A captive portal or a proxy that reads along lets the connection stand and shows itself by the
    certificate; without that look the providers would be blamed for it.
    """
    return f"{'https' if host.endswith(':443') else 'http'}://{host}"


def free_descriptors() -> int | None:
    """How many more files and sockets this process may open; None where the system does not say."""
    folder = Path("/proc/self/fd")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit <= 0 or not folder.is_dir():
        return None
    try:
        return limit - len(os.listdir(folder))  # noqa: PTH208
    except OSError:  # to look takes one itself
        return 0


def free_disk(folder: Path) -> int | None:
    """How many bytes are free where *folder* lies; None where that cannot be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """How the machine is read: the seam for tests."""

    clocks: Callable[[], Clocks] = read_clocks
    descriptors: Callable[[], int | None] = free_descriptors
    disk: Callable[[Path], int | None] = free_disk
    worked: Callable[[], float] = time.thread_time  # seconds that the calling thread has worked


class SelfCheck:
    """The monitor's look at itself; used from one event loop.

    *reach* tells how far a URL can be reached, *hosts* are ``host:port``, *folder* is where the
    database's file lies (None: elsewhere).
    """

    def __init__(
        self,
        *,
        location: str,
        hosts: Sequence[str],
        reach: Callable[[str], Awaitable[ProbeResult]],
        clock: Callable[[], datetime],
        folder: Path | None = None,
        gauges: Gauges | None = None,
    ) -> None:
        self._location, self._hosts, self._reach, self._clock = location, hosts, reach, clock
        self._folder, self._gauges = folder, gauges or Gauges()
        self._clocks = self._gauges.clocks()
        self._looking: asyncio.Task[list[SelfObservation]] | None = None
        self._seen: list[SelfObservation] = []
        self._offsets: dict[str, Offset] = {}

    def turn(self, late: float) -> list[SelfObservation]:
        """What became of clock and loop since the last turn; *late* is the loop's lateness in seconds."""
        before, self._clocks = self._clocks, self._gauges.clocks()
        passed = self._clocks.steady - before.steady
        step = timedelta(seconds=self._clocks.wall - before.wall - passed)
        if abs(step) > OFFSET_LIMIT:
            asleep = timedelta(seconds=self._clocks.awake_or_not - before.awake_or_not - passed)
            self._offsets.clear()
            first, last = sorted((before.wall, self._clocks.wall))
            return [self._own("clock", first, last, step_words(step, asleep))]
        if late < STALL.total_seconds():
            return []
        stood = duration_words(timedelta(seconds=round(late)))
        reason = f"the process stood still for {stood}: stopped, or its machine was too busy"
        return [self._own("loop", self._clocks.wall - late, self._clocks.wall, reason)]

    async def look(self) -> list[SelfObservation]:
        """Look at every control host now; who asks meanwhile, or soon after, is told the same look.

        Never raises; without control hosts there is nothing to see.
        """
        if self._seen and timedelta(0) <= self._clock() - self._seen[-1].end < FRESH:
            return self._seen
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="look at control hosts")
        return await asyncio.shield(self._looking)

    async def _look(self) -> list[SelfObservation]:
        self._seen = list(await asyncio.gather(*(self._look_at(host) for host in self._hosts)))
        return self._seen

    async def _look_at(self, host: str) -> SelfObservation:
        reach = await self._reach(control_url(host))
        now = _to_milliseconds(self._clock())
        detail = None if reach.reached else f"{reach.stage}: {reach.detail or reach.fault}"[:200]
        return SelfObservation(
            self._location, SelfObservationKind.CONTROL, host, reach.reached, now, now, detail
        )

    def hear(self, endpoint: str, document: Mapping[str, Any] | None) -> None:
        """Compare our clock with that of an endpoint's answer."""
        offset = offset_in(document) if document else None
        if offset is not None:
            self._offsets[endpoint] = offset

    def complaints(self) -> Sequence[str]:
        """A sentence with its remedy for everything on our own side that is not as it should be now."""
        found = [clock_fault(self._offsets.values())]
        descriptors = self._gauges.descriptors()
        if descriptors is not None and descriptors < FEWEST_DESCRIPTORS:
            found.append(
                f"only {descriptors} more files and sockets can be opened: raise the limit (ulimit -n)"
            )
        disk = None if self._folder is None else self._gauges.disk(self._folder)
        if disk is not None and disk < LEAST_DISK:
            found.append(f"only {disk // 1024**2} MiB are free where the database lies: make room")
        lost = [sight.subject for sight in self._seen if not sight.good]
        if lost:
            found.append(f"control hosts out of reach: {', '.join(lost)}: look at our own network")
        return [sentence for sentence in found if sentence]

    def _own(self, subject: str, start: float, end: float, reason: str) -> SelfObservation:
        first, last = (_to_milliseconds(datetime.fromtimestamp(at, UTC)) for at in (start, end))
        return SelfObservation(
            self._location, SelfObservationKind.OWN, subject, good=False, start=first, end=last, detail=reason
        )


def _to_milliseconds(instant: datetime) -> datetime:
    """What the store holds, so that a sight is the same before and after."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
