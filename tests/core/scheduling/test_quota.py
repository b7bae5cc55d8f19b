"""Starts of runs against a deployment's quota."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model import Endpoint, Target
from monitor.core.scheduling.quota import JITTER, Quota

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def target(quota: int, pathway: str = "rest") -> Target:
    """A target whose deployment allows so many runs a minute."""
    endpoint = Endpoint(name="azure", provider="azure_openai", url="https://azure.test")
    return Target(endpoint=endpoint, model="m", pathway=pathway, max_per_minute=quota)


@given(st.lists(st.integers(0, 999), min_size=2, max_size=30))
def test_a_rate_that_equals_the_quota_is_admitted_whatever_the_jitter(late_ms: list[int]) -> None:
    """One run a minute at a quota of one: no start is refused for being some milliseconds early."""
    quota, one = Quota(), target(1)
    for number, late in enumerate(late_ms):
        now = NOON + number * MINUTE + timedelta(milliseconds=late)
        assert quota.admits(one, now)
        quota.note(one, now)
        assert not quota.admits(one, now + MINUTE - JITTER - timedelta(milliseconds=1))


def test_pathways_of_one_deployment_share_the_quota() -> None:
    """What one starts, the other cannot."""
    quota = Quota()
    quota.note(target(1), NOON)
    assert not quota.admits(target(1, "realtime"), NOON + SECOND)


def test_room_is_left_for_each_coming_slot_and_no_more() -> None:
    """Runs 20 s apart fit a quota of three with a slot every minute; a fourth in a minute would not."""
    quota, one = Quota(), target(3)
    slots = [NOON + MINUTE]
    for seconds in (0, 20):
        quota.note(one, NOON + seconds * SECOND)
    assert quota.leaves_room(one, slots)  # a third at 40 s: the slot's minute no longer has the first
    quota.note(one, NOON + 30 * SECOND)
    assert not quota.leaves_room(one, slots)
    assert not quota.leaves_room(target(1), slots)


def test_a_clock_set_back_keeps_no_start_in_the_future() -> None:
    """It counts as having started now, and is over a minute later."""
    quota, one = Quota(), target(1)
    quota.note(one, NOON + timedelta(hours=1))
    quota.set_back(NOON)
    assert not quota.admits(one, NOON)
    assert quota.admits(one, NOON + MINUTE)
