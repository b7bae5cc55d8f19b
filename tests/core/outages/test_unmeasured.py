"""What was not measured in any period is what the whole history says of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.intervals import Span, clip
from monitor.core.model import Blame, Cell, Failure, Verdict
from monitor.core.outages.gaps import gap_at
from monitor.core.outages.history import History
from monitor.core.outages.maintenance import Maintenance
from monitor.core.outages.masking import pause
from monitor.core.outages.unmeasured import Unmeasured, find_unmeasured, read_unmeasured
from tests.support.memory_history import MemoryHistory
from tests.support.random_runs import random_runs
from tests.support.stored_outcomes import DAY, MINUTE, make


def spans(found: Unmeasured, cell: Cell, period: Span) -> tuple[Span, ...]:
    """The unmeasured time of a cell in a period."""
    gaps = [Span(gap.start, gap.end) for gap in found.gaps if gap.cell == cell]
    return clip([*gaps, *(Span(span.start, span.end) for span in found.of(cell))], period)


def masked(found: Unmeasured, cell: Cell, period: Span) -> set[str]:
    """The runs of a cell in a period that a blind span masks."""
    runs = found.masked.get(cell, [])
    return {run.id for run in runs if period.start <= run.started_at < period.end}


def whole(history: History, now: datetime) -> Unmeasured:
    """The same, from the beginning."""
    runs = {cell: history.not_passed(cell, None, now) for cell in history.cells()}
    return find_unmeasured(history, runs, since=None, now=now)


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 10**9), st.integers(0, 12_000), st.integers(0, 12_000), st.integers(0, 12_000))
def test_a_period_says_what_the_whole_history_says_of_it(seed: int, one: int, two: int, past: int) -> None:
    """Whatever reaches across its bounds: the same time is unmeasured, the same runs are masked."""
    history = MemoryHistory(random_runs(seed))
    start, end = sorted((one, two))
    period = Span(DAY + timedelta(seconds=start), DAY + timedelta(seconds=end))
    now = max(DAY + timedelta(seconds=past), period.end)
    expected = whole(history, now)
    found = read_unmeasured(history, period, now=now)
    for cell in history.cells():
        assert spans(found, cell, period) == spans(expected, cell, period)
        assert masked(found, cell, period) == masked(expected, cell, period)


def test_a_gap_at_the_end_of_a_period_shows_by_what_came_later() -> None:
    """Two minutes after a run nobody knows; ten minutes later it was the beginning of a gap."""
    history = MemoryHistory([make(0), make(1), make(12)])
    cell, last, at = make(0).cell, make(1).started_at, DAY + 3 * MINUTE
    assert gap_at(history, cell, at, now=at) is None
    found = gap_at(history, cell, at, now=DAY + 20 * MINUTE)
    assert found is not None
    assert (found.start, found.end) == (last, at)
    close = MemoryHistory([make(0), make(1), make(4)])
    assert gap_at(close, cell, at, now=DAY + 20 * MINUTE) is None


def test_a_stretch_that_began_long_before_is_read_to_its_beginning() -> None:
    """One host was asked before and after a long pause only: what it masks of the other one is masked."""
    dark: dict[str, Any] = {"failure": Failure.CONNECT, "blame": Blame.UNKNOWN}
    runs = [make(minute, Verdict.FAILED, id=f"b{minute}", **dark) for minute in range(60)]
    runs += [make(minute, Verdict.FAILED, id=f"a{minute}", endpoint="openai", **dark) for minute in (0, 59)]
    history, now = MemoryHistory(runs), DAY + 60 * MINUTE
    period = Span(DAY + 30 * MINUTE, DAY + 35 * MINUTE)
    found = read_unmeasured(history, period, now=now)
    assert masked(found, runs[0].cell, period) == {f"b{minute}" for minute in range(30, 35)}


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10**9), st.integers(0, 12_000), st.integers(0, 12_000), st.integers(0, 150))
def test_maintenance_ends_nothing(seed: int, one: int, two: int, planned: int) -> None:
    """Nor does it begin anything: what reaches across it is found from a period on its other side."""
    start = DAY + planned * MINUTE
    plan = Maintenance(name="m", targets=("sweden/*",), start=start, end=start + 25 * MINUTE)
    history = pause(MemoryHistory(random_runs(seed)), [plan])
    now = DAY + timedelta(seconds=12_000)
    period = Span(*(DAY + timedelta(seconds=some) for some in sorted((one, two))))
    expected, found = whole(history, now), read_unmeasured(history, period, now=now)
    for cell in history.cells():
        assert spans(found, cell, period) == spans(expected, cell, period)
        assert masked(found, cell, period) == masked(expected, cell, period)
