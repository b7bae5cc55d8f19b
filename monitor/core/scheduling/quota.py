"""How many runs of a deployment started lately, against `max_per_minute`."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from monitor.core.model import Target
from monitor.core.scheduling.attention import QUOTA_MINUTE, quota_key

JITTER = timedelta(seconds=1)  # how much a start may come late
# Slots a minute apart start some milliseconds more or less apart: both fit a quota of one a minute.
_COUNTED = QUOTA_MINUTE - JITTER


class Quota:
    """Starts of runs in the last minute, per deployment, over all pathways and reasons to run."""

    def __init__(self) -> None:
        self._starts: dict[tuple[str, str], deque[datetime]] = {}

    def used(self, target: Target, now: datetime) -> int:
        """How many runs of the target's deployment started in the minute before *now*."""
        starts = self._starts.setdefault(quota_key(target), deque())
        while starts and starts[0] <= now - _COUNTED:
            starts.popleft()
        return len(starts)

    def admits(self, target: Target, now: datetime) -> bool:
        """Whether one more run fits `max_per_minute`."""
        return self.used(target, now) < target.max_per_minute

    def free_at(self, target: Target, now: datetime) -> datetime:
        """When one more run fits, if nothing else starts until then."""
        if self.admits(target, now):
            return now
        return self._starts[quota_key(target)][-target.max_per_minute] + _COUNTED

    def leaves_room(self, target: Target, coming: Sequence[datetime]) -> bool:
        """Whether each of the *coming* slots (ascending, within a minute) still fits after one more start."""
        starts = self._starts.get(quota_key(target), ())
        # In the minute that ends with a slot: what started in it, this run, the slots before it and itself.
        return all(
            sum(start > slot - _COUNTED for start in starts) + 1 + number <= target.max_per_minute
            for number, slot in enumerate(coming, start=1)
        )

    def note(self, target: Target, started: datetime) -> None:
        """Count a run that started (at a start before this process too)."""
        self._starts.setdefault(quota_key(target), deque()).append(started)

    def set_back(self, now: datetime) -> None:
        """Follow a clock that was set back: nothing has started after *now*."""
        for starts in self._starts.values():
            later = [min(start, now) for start in starts]
            starts.clear()
            starts.extend(later)
