"""What keeps a run from being made: a pause that the provider asked for, the day's budget, the quota."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.core.model import Target
from monitor.core.scheduling.attention import quota_key
from monitor.core.scheduling.budget import LONGEST_PAUSE, DailyBudget
from monitor.core.scheduling.quota import JITTER, Quota
from monitor.core.timefmt import rfc3339

# Under a longer pause, and once only the budget's reserve is left, each target is still asked this often:
# else an outage would neither be noticed nor seen to end.
ASK_EVERY = timedelta(minutes=15)
_MOMENT = timedelta(milliseconds=10)


class RunRefusal(NamedTuple):
    """Why a slot cannot run, and when it may be tried again: not at all where that is None."""

    reason: str
    again: datetime | None = None


class RunLimits:
    """The limits of one location's runs; *costs* is one run's in US dollars by target key."""

    def __init__(self, costs: Mapping[str, float]) -> None:
        self.quota = Quota()
        self.daily_budget = DailyBudget(costs)
        self._paused: dict[tuple[str, str], datetime] = {}

    def note(self, target: Target, now: datetime) -> None:
        """Count a run that starts."""
        self.quota.note(target, now)
        self.daily_budget.note(target, now)

    def pause(self, target: Target, until: datetime, now: datetime) -> None:
        """Leave the target's deployment alone until then, or longer: its provider asked for it."""
        asked_before = self.paused_until(target, now)
        self._paused[quota_key(target)] = max(until, asked_before or until)

    def paused_until(self, target: Target, now: datetime) -> datetime | None:
        """Until when the target's deployment is left alone, or None."""
        until = self._paused.get(quota_key(target))
        return until if until is not None and now < until <= now + LONGEST_PAUSE else None

    def refusal(self, target: Target, now: datetime, *, urgent: bool, newest: datetime) -> RunRefusal | None:
        """Why a scheduled run may not start, or None.

        *urgent*: something is wrong at the endpoint; *newest*: when the target's newest run started,
        or this process where it had none.
        """
        asks = now - newest >= max(target.every, ASK_EVERY) - JITTER
        paused = self.paused_until(target, now)
        if paused and not asks:
            return RunRefusal(f"retry-after: the provider asked to be left alone until {rfc3339(paused)}")
        spent = self.daily_budget.refusal(target, now, urgent=urgent or asks)
        if spent:
            return RunRefusal(spent)
        if self.quota.admits(target, now):
            return None
        reason = f"quota: {target.max_per_minute} runs of this deployment started within a minute"
        return RunRefusal(reason, max(self.quota.free_at(target, now), now + _MOMENT))

    def has_room(self, target: Target, now: datetime, coming: Sequence[datetime]) -> bool:
        """Whether a run beside the slots may start; *coming*: the deployment's slots of the next minute."""
        if self.paused_until(target, now) or self.daily_budget.refusal(target, now, urgent=True):
            return False
        return self.quota.admits(target, now) and self.quota.leaves_room(target, coming)
