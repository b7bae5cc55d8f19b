"""A quiet month: independent failures alone make next to no window, and real outages are seen."""

from __future__ import annotations

from datetime import timedelta
from statistics import mean, median

import pytest

from benchmarks.noise import CELL, MONTH, Steady, outage, quiet_month, windows_of
from monitor.core.model import State
from monitor.core.outages.rule import Rule
from monitor.core.outages.windows import derive_windows
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import row

SEEDS = range(60)


def test_a_quiet_month_has_at_most_one_false_window_on_average() -> None:
    """1 % of noise, one run a minute, both tracks together; in none of these months are there many."""
    counts = [len(quiet_month(0.01, seed)) for seed in SEEDS]
    assert mean(counts) <= 0.8
    assert max(counts) <= 4
    assert sum(count > 1 for count in counts) <= len(counts) / 6


def test_a_good_month_has_no_false_window() -> None:
    """At 0.2 % of noise there is none in twenty months."""
    assert not any(quiet_month(0.002, seed) for seed in range(20))


@pytest.mark.parametrize(
    ("rate", "minutes", "pieces"),
    [(1.0, 3, 1.0), (0.6, 5, 1.05), (0.3, 13, 1.25)],
    ids=("100 %", "60 %", "30 %"),
)
def test_an_outage_is_seen_in_time_and_in_one_piece(rate: float, minutes: float, pieces: float) -> None:
    """Two hours in which a share of the runs fails: median detection, pieces, and none that is missed."""
    seen = [outage(rate, 120, seed) for seed in SEEDS]
    found = [one.minutes for one in seen if one.minutes is not None]
    assert len(found) == len(seen)
    assert median(found) <= minutes
    assert mean(one.pieces for one in seen) <= pieces


def test_the_simulated_history_answers_like_a_real_one() -> None:
    """Windows made from bad runs alone are those of the same runs written out."""
    marks = "." * 30 + "FF.F" * 6 + "." * 40 + "F......F...F....F" + "." * 30
    bad = [number for number, mark in enumerate(marks, 1) if mark == "F"]
    written = MemoryHistory(row(marks))
    (cell,) = written.cells()
    runs = written.not_passed(cell, None, None)
    expected, _ = derive_windows(written, cell, runs, Rule(), now=runs[-1].started_at + timedelta(hours=2))
    sparse = windows_of(bad, len(marks))
    assert len(sparse) >= 2
    offset = sparse[0].start - expected[0].start
    assert [(one.state, one.start, one.end, one.failed, one.total, one.decided_at) for one in sparse] == [
        (
            one.state,
            one.start + offset,
            one.end and one.end + offset,
            one.failed,
            one.total,
            one.decided_at + offset,
        )
        for one in expected
    ]
    assert {one.state for one in sparse} == {State.DOWN, State.DEGRADED}


def test_a_steady_history_counts_by_arithmetic() -> None:
    """Counts and starts of a month of minutes agree with each other at its edges."""
    steady = Steady(MONTH)
    first, last = steady.start_of(CELL, 1), steady.start_of(CELL, MONTH)
    assert first is not None
    assert last is not None
    assert steady.count(CELL, first, last) == MONTH - 1
    assert steady.count(CELL, None, first) == 0
    assert steady.count(CELL, first + timedelta(seconds=1), None) == MONTH - 1
    assert steady.start_of(CELL, MONTH + 1) is None
