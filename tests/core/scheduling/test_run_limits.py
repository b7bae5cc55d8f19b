"""Pauses that providers ask for, and how often each target is asked all the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitor.core.model import Endpoint, Target
from monitor.core.scheduling.run_limits import ASK_EVERY, RunLimits

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def target(*, budget: float | None = None, every: timedelta = 5 * MINUTE) -> Target:
    """A target at five minutes."""
    endpoint = Endpoint(name="azure", provider="azure_openai", url="https://azure.test", daily_budget=budget)
    return Target(endpoint=endpoint, model="m", pathway="rest", every=every)


def refused(limits: RunLimits, one: Target, now: datetime, newest: datetime) -> str | None:
    """The first word of the reason why the target's slot may not run."""
    found = limits.refusal(one, now, urgent=False, newest=newest)
    return found and found.reason.partition(":")[0]


def test_a_pause_is_kept_and_the_target_asked_at_a_low_rate() -> None:
    """Neither before its low rate allows nor beside the slots; after the pause as usual."""
    limits, one = RunLimits({}), target()
    limits.pause(one, NOON + HOUR, NOON)
    assert refused(limits, one, NOON + 10 * MINUTE, NOON) == "retry-after"
    assert refused(limits, one, NOON + ASK_EVERY, NOON) is None
    assert not limits.has_room(one, NOON + ASK_EVERY, ())
    assert refused(limits, one, NOON + HOUR, NOON + 59 * MINUTE) is None


def test_a_target_that_runs_more_rarely_is_asked_no_more_often() -> None:
    """The low rate is at most the plain one."""
    limits, one = RunLimits({}), target(every=2 * HOUR)
    limits.pause(one, NOON + 50 * MINUTE, NOON)
    assert refused(limits, one, NOON + 30 * MINUTE, NOON) == "retry-after"


def test_the_reserve_pays_for_the_low_rate_and_nothing_exceeds_the_budget() -> None:
    """With the quiet share spent the target is asked every quarter of an hour, with all spent not at all."""
    one = target(budget=1.0)
    limits = RunLimits({one.key: 0.1})
    limits.daily_budget.add("azure", 0.7, NOON)
    assert refused(limits, one, NOON + 5 * MINUTE, NOON) == "budget"
    assert refused(limits, one, NOON + ASK_EVERY, NOON) is None
    limits.daily_budget.add("azure", 0.25, NOON)
    assert refused(limits, one, NOON + ASK_EVERY, NOON) == "budget"


def test_a_full_quota_says_when_there_is_room() -> None:
    """The slot may be tried again then, and not before."""
    limits, one = RunLimits({}), target()
    for seconds in (0, 10, 20):
        limits.note(one, NOON + timedelta(seconds=seconds))
    found = limits.refusal(one, NOON + timedelta(seconds=30), urgent=False, newest=NOON)
    assert found is not None
    assert found.again is not None
    assert limits.refusal(one, found.again - timedelta(milliseconds=1), urgent=False, newest=NOON)
    assert limits.refusal(one, found.again, urgent=False, newest=NOON) is None
