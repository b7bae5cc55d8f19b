"""What is named near the start of an incident, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.diagnosis.diagnose import Incident
from monitor.core.diagnosis.nearby_changes import change_words
from monitor.core.incidents.derive import derive
from monitor.core.model import Outcome
from monitor.core.outages.marks import Mark
from monitor.core.outages.rule import Rule
from tests.support.examples import examples
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import matrices, minutes, row


def first(runs: list[Outcome], *marks: Mark, since: float | None = None) -> Incident:
    """The first incident of these runs, with what people noted."""
    history = MemoryHistory(runs, marks=marks)
    now = history.newest()
    assert now is not None
    begin = None if since is None else minutes(since)
    return derive(history, Rule(), now=now, since=begin).incidents[0]


@pytest.mark.parametrize(
    ("at", "named"), [(29.9, False), (30, True), (59, True), (60, True), (61, True), (61.1, False)]
)
def test_a_mark_is_near_from_half_an_hour_before_to_one_interval_after(at: float, *, named: bool) -> None:
    """Both bounds belong to it; the incident began after an hour of passes."""
    mark = Mark(minutes(at), "deployed 4.2", "ann", 7)
    found = first(row("." * 60 + "FFF"), mark)
    assert found.nearby.marks == ((mark,) if named else ())
    assert ("deployed 4.2" in found.blame_reason) is named
    assert ("no change recorded" in found.blame_reason) is not named


def test_marks_and_changes_are_found_and_worded() -> None:
    """What the page and the ticket read of them."""
    runs = row("." * 40) + row("FFF", start=minutes(40), configuration="c2")
    found = first(runs, Mark(minutes(39), "key changed", "ann"))
    assert found.nearby.marks == (Mark(minutes(39), "key changed", "ann"),)
    (change,) = found.nearby.shifts
    assert (change.at, change.before, change.after) == (minutes(40), "c1", "c2")
    assert change_words([change]) == (
        "configuration of azure-sweden/gpt-4o-transcribe/realtime changed at 2025-11-17T09:10:10Z "
        "from c1 to c2"
    )
    assert found.blame_reason == (
        "this configuration never passed before: suspected configuration; "
        "marked near its start: 'key changed' at 2025-11-17T09:09:10Z"
    )


def test_a_change_of_configuration_long_before_is_not_near() -> None:
    """Only affected cells count, and only half an hour."""
    early = row("..") + row("." * 40 + "FFF", start=minutes(2), configuration="c2")
    beside = row("." * 40, model="b", start=minutes(0.1)) + row(
        "...", model="b", start=minutes(40.1), configuration="c9"
    )
    assert first(early + beside).nearby.shifts == ()


def test_what_is_near_does_not_depend_on_how_far_is_read() -> None:
    """A derivation that begins inside the incident's time names the same."""
    runs = row("." * 30 + "FFF" + "." * 4)
    mark = Mark(minutes(3), "deployed", "ann")
    assert first(runs, mark, since=31) == first(runs, mark)


@settings(max_examples=examples(60), deadline=None)
@given(matrices(most=40, interval=True), st.lists(st.integers(-40, 200), max_size=4), st.integers(0, 200))
def test_a_later_beginning_names_the_same_for_any_history(
    runs: list[Outcome], noted: list[int], begin: int
) -> None:
    """Every incident that a derivation from some instant on holds is the one of the whole history."""
    history = MemoryHistory(runs, marks=[Mark(minutes(at), f"at {at}", "ann") for at in noted])
    now = history.newest()
    if now is None:
        return
    documents = [
        [replace(one, number=0) for one in derive(history, Rule(), now=now, since=at).incidents]
        for at in (minutes(begin), None)
    ]
    assert all(one in documents[1] for one in documents[0])
