"""Time to detect and to notify: the least and the most."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from monitor.core.incidents.derive import derive
from monitor.core.incidents.incident import StoredIncident
from monitor.core.incidents.response_times import Delays, delays_of
from monitor.core.outages.rule import Rule
from monitor.core.outages.uptime import Bounds
from monitor.core.outages.windows import Window
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import row
from tests.support.sample_incident import incident


def windows(marks: str) -> tuple[Window, ...]:
    """What a row of runs, one a minute, gives."""
    runs = row(marks)
    return derive(MemoryHistory(runs), Rule(), now=runs[-1].started_at).windows


def stored(*found: Window) -> StoredIncident:
    """An incident with these windows, decided with the first of them."""
    known = incident()
    decided = min((window.decided_at for window in found), default=None)
    return replace(known, opened_at=decided, diagnosis=replace(known.diagnosis, windows=found))


def times(one: StoredIncident, told_after: timedelta | None = None) -> Delays:
    """Its two times, told so long after the decision."""
    assert one.opened_at is not None
    found = delays_of(one, told_at=None if told_after is None else one.opened_at + told_after)
    assert found is not None
    return found


def test_each_time_has_its_least_and_its_most() -> None:
    """From the first bad run or the last good one before it."""
    found = times(stored(*windows("..." + "F" * 10 + ".....")), timedelta(seconds=12))
    assert found.detect == Bounds(least=timedelta(minutes=2), most=timedelta(minutes=3))
    assert found.notify == timedelta(seconds=12)


def test_without_a_good_run_before_there_is_no_most() -> None:
    """A history that begins with failures cannot say since when."""
    found = times(stored(*windows("FFFF.....")))
    assert found.detect == Bounds(least=timedelta(minutes=2), most=None)
    assert found.notify is None


def test_the_first_of_several_windows_was_detected() -> None:
    """An incident is detected once, at the earliest decision."""
    several = stored(*windows("...FFF....."), *windows("......FFF....."))
    assert times(several).detect.least == timedelta(minutes=2)
    assert times(several, -timedelta(minutes=3)).notify == timedelta(0)


def test_what_is_not_decided_has_no_times() -> None:
    """Neither a suspicion nor what has no windows."""
    assert delays_of(stored()) is None
    assert delays_of(replace(stored(*windows("FFFF.....")), opened_at=None)) is None
