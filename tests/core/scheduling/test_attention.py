"""Slots, neighbours, and when a look-back is settled."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.incidents.derive import derive
from monitor.core.model import Deployment, Endpoint, Target
from monitor.core.outages.rule import Rule
from monitor.core.scheduling.attention import Attention, interval, neighbours, quota_key, watch
from monitor.core.scheduling.slots import clip_at, offset_of, slot_at, slots_between
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import row

NOW = datetime(2025, 11, 17, 8, 30, tzinfo=UTC)
KEYS = st.text(min_size=1, max_size=20)
INTERVALS = st.integers(1, 3600).map(lambda seconds: timedelta(seconds=seconds))
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def target(endpoint: Endpoint, model: str, pathway: str) -> Target:
    return Target(endpoint=endpoint, model=model, pathway=pathway)


@given(KEYS, INTERVALS, INSTANTS)
def test_the_latest_slot_is_less_than_an_interval_ago(key: str, every: timedelta, now: datetime) -> None:
    """Whatever the target and the moment, the latest slot is now or within one interval before."""
    assert timedelta(0) <= now - slot_at(key, every, now) < every


@given(KEYS, INTERVALS, INSTANTS, st.integers(0, 50))
def test_slots_between_are_an_interval_apart_and_strictly_inside(
    key: str, every: timedelta, after: datetime, steps: int
) -> None:
    """No slot is lost or counted twice between two handled slots."""
    first = slot_at(key, every, after)
    found = slots_between(key, every, first, first + steps * every)
    assert list(found) == [first + (step + 1) * every for step in range(max(0, steps - 1))]


@given(KEYS)
def test_a_minute_grid_contains_the_grid_of_every_whole_number_of_minutes(key: str) -> None:
    """Going to one run a minute while a window is open keeps the plain slots among them."""
    five, one = timedelta(minutes=5), timedelta(minutes=1)
    assert (offset_of(key, five) - offset_of(key, one)) % one == timedelta(0)


def test_targets_spread_over_their_interval() -> None:
    """A thousand targets of a minute leave no second with more than 5 % of them."""
    minute = timedelta(minutes=1)
    seconds = [int(offset_of(f"e/m{n}/rest", minute).total_seconds()) for n in range(1000)]
    assert max(seconds.count(second) for second in set(seconds)) <= 50


def test_neighbours_share_the_endpoint_and_one_of_model_and_pathway() -> None:
    """The nearest controls differ in one facet; another endpoint or both facets is no neighbour."""
    here = Endpoint(name="a", provider="openai", url="https://a.test")
    there = Endpoint(name="b", provider="openai", url="https://b.test")
    failing = target(here, "m", "realtime")
    others = [
        target(here, "m", "rest"),
        target(here, "n", "realtime"),
        target(here, "n", "rest"),
        target(there, "m", "realtime"),
    ]
    assert list(neighbours(failing, [failing, *others])) == others[:2]


def test_the_quota_is_counted_by_the_deployments_name() -> None:
    """Two models served by one deployment share its requests per minute."""
    shared = Endpoint(
        name="a",
        provider="azure_openai",
        url="https://a.test",
        deployments={
            "m": Deployment(model="m", name="stt"),
            "n": Deployment(model="n", name="other", names={"rest": "stt", "realtime": "-"}),
        },
    )
    assert quota_key(target(shared, "m", "rest")) == quota_key(target(shared, "n", "rest"))
    assert quota_key(target(shared, "m", "rest")) != quota_key(target(shared, "n", "rest_stream"))
    assert quota_key(target(shared, "n", "realtime")) == ("a", "n")


def test_only_an_open_window_shortens_the_interval_and_never_lengthens_it() -> None:
    """Open and closing bring at most a minute; a target that is closer already stays as it is."""
    slow = Target(endpoint=Endpoint(name="a", provider="openai", url="u"), model="m", pathway="rest")
    fast = Target(endpoint=slow.endpoint, model="m", pathway="rest", every=timedelta(seconds=5))
    assert interval(slow, Attention.CONFIRMING) == slow.every
    assert interval(slow, Attention.OPEN) == timedelta(minutes=1)
    assert interval(fast, Attention.CLOSING) == timedelta(seconds=5)


def test_clips_take_turns_by_slot() -> None:
    """The next clip in every slot, and in every minute between while a window is open."""
    alone = target(Endpoint(name="here", provider="openai", url="u"), "m", "rest")
    turns = replace(alone, clips=("amiable", "respectable"))
    first = slot_at(turns.key, turns.every, NOW)
    heard = [clip_at(turns, first + number * turns.every) for number in range(4)]
    assert heard in (["amiable", "respectable"] * 2, ["respectable", "amiable"] * 2)
    between = [clip_at(turns, first + minute * timedelta(minutes=1)) for minute in range(3)]
    assert between == [heard[0], heard[1], heard[0]]
    assert clip_at(turns, first + timedelta(seconds=20)) == heard[0]
    assert {clip_at(alone, first + number * alone.every) for number in range(4)} == {"amiable"}


@given(INSTANTS, st.integers(1, 5))
def test_a_clip_of_the_rotation_is_chosen_at_any_moment(slot: datetime, count: int) -> None:
    """Whatever the slot, before the epoch too, and the same whenever it is asked."""
    names = tuple(f"clip-{number}" for number in range(count))
    turns = replace(target(Endpoint(name="here", provider="openai", url="u"), "m", "rest"), clips=names)
    assert clip_at(turns, slot) == clip_at(turns, slot)
    assert clip_at(turns, slot) in names


@pytest.mark.parametrize(
    ("marks", "attention"),
    [
        ("....", Attention.CALM),
        (".DDD", Attention.CALM),
        (".DDDD", Attention.OPEN),
        (".DDDD.........", Attention.OPEN),
        (".DDDD..........", Attention.CALM),
        (".F", Attention.CONFIRMING),
        (".FFF", Attention.OPEN),
        (".FFF.", Attention.CLOSING),
        (".FFF.....", Attention.CALM),
    ],
)
def test_a_cell_is_watched_as_closely_as_its_windows_ask(marks: str, attention: Attention) -> None:
    """While any window is open, slow or down, runs come at most a minute apart."""
    history = MemoryHistory(row(marks))
    newest = history.newest()
    assert newest is not None
    (cell,) = history.cells()
    windows = derive(history, Rule(), now=newest).windows
    assert watch(history, cell, Rule(), windows, newest).attention is attention
