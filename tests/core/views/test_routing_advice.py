"""Advice: stale is unknown, recovering is not healthy yet, and the order is total."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model import State, Verdict
from monitor.core.pathways import PATHWAYS
from monitor.core.views.routing_advice import NEEDS, Health, TargetState, advise, to_json

NOW = datetime(2025, 11, 17, 9, tzinfo=UTC)
GOOD = TargetState(
    endpoint="azure",
    model="gpt-4o-transcribe",
    pathway="realtime",
    state=State.UP,
    last_at=NOW - timedelta(seconds=12),
    last_verdict=Verdict.PASSED,
    patience=timedelta(minutes=15),
    passed=12,
    total=12,
    median_ms=600.0,
)


def health(one: TargetState) -> Health:
    (advice,) = advise([one], None, NOW)
    return advice.health


def test_a_target_that_passed_lately_is_healthy_and_says_why() -> None:
    """The reason names the newest run, its age, and the counts."""
    (advice,) = advise([GOOD], "realtime", NOW)
    assert advice.health is Health.HEALTHY
    assert advice.reason == "newest run passed 12 s ago, 12/12 passed in the last hour"
    assert advice.max_age == timedelta(minutes=15) - timedelta(seconds=12)


def test_stale_is_unknown_and_never_healthy() -> None:
    """Past its patience a target says nothing, whatever its last state was."""
    stale = replace(GOOD, last_at=NOW - timedelta(minutes=16))
    (advice,) = advise([stale], None, NOW)
    assert advice.health is Health.UNKNOWN
    assert to_json(advice)["state"] == "unknown"
    assert to_json(advice)["healthy"] is False
    assert advice.max_age == timedelta(0)


def test_a_target_without_a_run_is_unknown() -> None:
    """What was never measured is not recommended."""
    (advice,) = advise([replace(GOOD, last_at=None)], None, NOW)
    assert (advice.health, advice.reason, advice.age) == (Health.UNKNOWN, "no run yet", None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"state": State.DOWN, "concern": "open", "incident": 7}, Health.DOWN),
        ({"state": State.DEGRADED, "concern": "open", "incident": 7}, Health.DEGRADED),
        ({"concern": "suspected"}, Health.SUSPECTED),
        ({"concern": "recovering", "incident": 7}, Health.RECOVERING),
        ({"concern": "open", "incident": 7}, Health.RECOVERING),
        ({"state": State.UNKNOWN}, Health.UNKNOWN),
        ({"state": State.MAINTENANCE}, Health.UNKNOWN),
    ],
    ids=str,
)
def test_only_an_untroubled_target_is_healthy(changes: dict[str, Any], expected: Health) -> None:
    """A bad run not settled, or an incident not resolved, keeps a target from being recommended."""
    assert health(replace(GOOD, **changes)) is expected


def test_the_incident_is_named_in_the_reason() -> None:
    """Whoever reads the advice can open the incident."""
    (advice,) = advise([replace(GOOD, state=State.DOWN, incident=7)], None, NOW)
    assert advice.reason.startswith("down by incident 7; ")


def test_what_stands_in_comes_after_what_was_asked_for() -> None:
    """With all healthy the pathway itself is first, then its stand-ins; REST does not serve realtime."""
    others = [replace(GOOD, pathway=pathway, median_ms=1.0) for pathway in PATHWAYS if pathway != "realtime"]
    ranked = advise([*others, GOOD], "realtime", NOW)
    assert [one.standing.pathway for one in ranked] == list(NEEDS["realtime"])


def test_a_failing_pathway_comes_after_its_healthy_neighbour() -> None:
    """Health goes before nearness: this is what a product switches by."""
    down = replace(GOOD, state=State.DOWN)
    neighbour = replace(GOOD, model="whisper-1")
    assert [one.standing.model for one in advise([down, neighbour], "realtime", NOW)] == [
        "whisper-1",
        "gpt-4o-transcribe",
    ]


def test_an_unknown_need_is_refused_with_the_right_ones() -> None:
    """A typing mistake never looks like 'nothing is healthy'."""
    with pytest.raises(ValueError, match="one of rest, realtime, "):
        advise([GOOD], "realtme", NOW)


STANDINGS = st.builds(
    replace,
    st.just(GOOD),
    model=st.sampled_from(["a", "b", "c"]),
    pathway=st.sampled_from(list(PATHWAYS)),
    state=st.sampled_from(State),
    last_at=st.none() | st.integers(0, 2000).map(lambda seconds: NOW - timedelta(seconds=seconds)),
    median_ms=st.none() | st.floats(1, 5000),
    concern=st.none() | st.sampled_from(["suspected", "open", "recovering"]),
)


@given(st.lists(STANDINGS, max_size=8), st.randoms())
def test_the_order_of_the_facts_changes_nothing_and_health_only_falls(
    standings: list[TargetState], random: Random
) -> None:
    """The same facts in any order give the same ranking, and nothing stands before what is healthier."""
    unique = list({(one.model, one.pathway): one for one in standings}.values())
    shuffled = list(unique)
    random.shuffle(shuffled)
    ranked = advise(unique, None, NOW)
    assert ranked == advise(shuffled, None, NOW)
    places = [list(Health).index(one.health) for one in ranked]
    assert places == sorted(places)
    assert [one.rank for one in ranked] == list(range(1, len(unique) + 1))
