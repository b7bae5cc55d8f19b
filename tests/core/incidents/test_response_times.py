"""Time to detect, to notify and to recover: the least and the most."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from monitor.core.incidents.derive import derive
from monitor.core.incidents.response_times import delays, delays_of, typical
from monitor.core.intervals import Span
from monitor.core.outages.history import MemoryHistory
from monitor.core.outages.rule import Rule
from monitor.core.outages.uptime import Bounds
from monitor.core.outages.windows import Window
from tests.support.outcomes import minutes, row
from tests.support.sample_bundle_facts import dossier


def windows(marks: str) -> tuple[Window, ...]:
    """What a row of runs, one a minute, gives."""
    runs = row(marks)
    return derive(MemoryHistory(runs), Rule(), now=runs[-1].started_at).windows


def test_each_time_has_its_least_and_its_most() -> None:
    """From the first bad run or the last good one before it; to the last bad run or the first good one."""
    found = delays(windows("..." + "F" * 10 + "....."), told_at=minutes(5) + timedelta(seconds=12))
    assert found.detect == Bounds(least=timedelta(minutes=2), most=timedelta(minutes=3))
    assert found.notify == timedelta(seconds=12)
    assert found.recover == Bounds(least=timedelta(minutes=9), most=timedelta(minutes=11))
    assert found.text() == (
        "Detected after at least 2 min, at most 3 min; told 12 s later; "
        "recovered after at least 9 min, at most 11 min."
    )


def test_without_a_good_run_before_there_is_no_most() -> None:
    """A history that begins with failures cannot say since when."""
    found = delays(windows("FFFF....."))
    assert found.detect == Bounds(least=timedelta(minutes=2), most=None)
    assert found.notify is None
    assert found.recover.most is None
    assert "nobody was told" in found.text()


def test_what_lasts_is_not_recovered() -> None:
    """An open window has a least time so far, and gaps inside are not certain."""
    found = delays(windows("...FFFFFF"), gaps=[Span(minutes(5), minutes(7))])
    assert found.recover == Bounds(least=timedelta(minutes=3), most=None, open=True)


def test_the_first_of_several_windows_was_detected() -> None:
    """An incident is detected once, at the earliest decision."""
    several = [*windows("...FFF....."), *windows("......FFF.....")]
    assert delays(several).detect.least == timedelta(minutes=2)
    assert delays(several, told_at=minutes(0)).notify == timedelta(0)


def test_of_several_times_the_median_is_typical() -> None:
    """One long night moves a mean, and not the median."""
    assert typical([timedelta(minutes=1), timedelta(minutes=2), timedelta(hours=9)]) == timedelta(minutes=2)
    assert typical([]) is None


def test_a_stored_incident_has_the_same_times_as_its_windows() -> None:
    """What the page says of a stored incident is what its windows say; undecided, it has none."""
    story = dossier().story
    found = delays_of(story, told_at=story.decided)
    assert found is not None
    assert story.decided is not None
    first = min(story.windows, key=lambda window: window.start)
    assert found.detect.least == story.decided - first.start
    assert first.start_after is not None
    assert found.detect.most == story.decided - first.start_after
    assert (found.notify, found.recover) == (timedelta(0), story.bounds)
    untold = delays_of(replace(story, windows=[replace(first, start_after=None)]))
    assert untold is not None
    assert (untold.detect.most, untold.notify) == (None, None)
    assert delays_of(replace(story, decided=None)) is None
    assert delays_of(replace(story, windows=())) is None
