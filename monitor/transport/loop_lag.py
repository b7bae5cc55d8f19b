"""How late our own event loop is: a monitor that is busy must not call its peers slow."""

from __future__ import annotations

import asyncio

PERIOD = 0.05


class Watch:
    """The greatest lag seen during one run, in seconds."""

    __slots__ = ("worst",)

    def __init__(self) -> None:
        self.worst = 0.0


class LagSampler:
    """One timer for all runs; it ticks only while there are any."""

    def __init__(self) -> None:
        self._watches: set[Watch] = set()
        self._handle: asyncio.Handle | None = None
        self._due = 0.0

    def start(self) -> Watch:
        """A watch that sees every lateness from now on."""
        watch = Watch()
        self._watches.add(watch)
        if self._handle is None:
            self._arm(asyncio.get_running_loop())
        return watch

    def stop(self, watch: Watch) -> None:
        """The watch is over; a tick that is overdue by now still counts."""
        if self._handle is not None:
            self._see(asyncio.get_running_loop().time() - self._due)
        self._watches.discard(watch)
        if not self._watches and self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + PERIOD
        # Kept beside the handle: where the machine stands still between these two lines, uvloop finds the
        # time past and gives a handle that does not know when it is due.
        self._handle = loop.call_at(self._due, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._handle is not None:
            self._see(loop.time() - self._due)
        self._arm(loop)

    def _see(self, late: float) -> None:
        for watch in self._watches:
            watch.worst = max(watch.worst, late)
