"""The history in memory: numbers, flags and answers at their edges."""

from __future__ import annotations

from datetime import timedelta

from monitor.core.model import Cell, Outcome, Verdict
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import T0, minutes, outcome, row, together

CELL = Cell("azure-sweden", "gpt-4o-transcribe", "realtime", "berlin")


def notable(runs: list[Outcome]) -> list[tuple[str, int, bool]]:
    """Verdict, number and freshness of the notable runs."""
    return [
        (run.verdict, run.number, run.may_reset_lookback)
        for run in MemoryHistory(runs).not_passed(CELL, None, None)
    ]


def test_numbers_count_conclusive_runs() -> None:
    """An inconclusive run carries the number before it; passed runs are notable only when fresh."""
    assert notable(row(".F?.D")) == [
        ("passed", 1, True),
        ("failed", 2, False),
        ("inconclusive", 2, False),
        ("degraded", 4, False),
    ]


def test_a_run_is_fresh_after_a_gap_and_after_a_change() -> None:
    """Longer than three intervals of the run before; another configuration, also none."""
    assert notable(row(".   .")) == [("passed", 1, True), ("passed", 2, True)]
    assert notable(row(".  .")) == [("passed", 1, True)]
    assert notable(row(".") + row("..", start=minutes(1), configuration=None))[1:] == [("passed", 2, True)]
    (_, ends) = MemoryHistory(row(".   .")).not_passed(CELL, None, None)
    assert ends.gap_since == T0


def test_order_is_by_start_then_id() -> None:
    """Runs of one instant are ordered by their id."""
    runs = [outcome(T0, "F", id="b"), outcome(T0, ".", id="a")]
    assert [run.id for run in MemoryHistory(runs).not_passed(CELL, None, None)] == ["a", "b"]


def test_ranges_are_closed_for_runs_and_half_open_for_counts() -> None:
    """`not_passed` takes in both ends, `count` leaves out the last."""
    history = MemoryHistory(row("FFFF"))
    assert len(history.not_passed(CELL, minutes(1), minutes(2))) == 2
    assert history.count(CELL, minutes(1), minutes(2)) == 1
    assert history.count(CELL, minutes(2), minutes(1)) == 0
    assert history.count(CELL, None, None) == 4


def test_runs_are_found_by_number_and_by_time() -> None:
    """None where there is none."""
    history = MemoryHistory(row(".?F."))
    assert [history.start_of(CELL, number) for number in (0, 1, 2, 3, 4)] == [
        None,
        T0,
        minutes(2),
        minutes(3),
        None,
    ]
    last = history.last_run(CELL, minutes(1.5))
    assert last is not None
    assert last.verdict is Verdict.INCONCLUSIVE
    assert history.last_run(CELL, minutes(-1)) is None
    assert history.last_run(CELL, None) != last
    assert history.newest() == minutes(3)
    assert MemoryHistory([]).newest() is None


def test_the_last_pass_is_of_that_configuration() -> None:
    """Before the instant, passed, and the same configuration; None asks for runs without one."""
    history = MemoryHistory(row("..D") + row(".", start=minutes(3), configuration=None))
    assert history.last_pass(CELL, "c1", minutes(9)) == minutes(1)
    assert history.last_pass(CELL, "c1", minutes(1)) == T0
    assert history.last_pass(CELL, None, minutes(9)) == minutes(3)
    assert history.last_pass(CELL, "other", minutes(9)) is None


def test_the_typical_spacing_is_the_watchs_else_the_median() -> None:
    """The mean of the middle two where their number is even; none below two runs."""
    runs = [outcome(minutes(at), every_s=None) for at in (0, 1, 3)]
    assert MemoryHistory(runs).typical_spacing(CELL) == timedelta(seconds=90)
    assert MemoryHistory(runs[:1]).typical_spacing(CELL) is None
    assert MemoryHistory(runs, {CELL.target: timedelta(minutes=5)}).typical_spacing(CELL) == timedelta(
        minutes=5
    )


def test_later_runs_that_say_their_interval_have_no_part_in_that_of_imported_lines() -> None:
    """A day of every hour, then live runs each minute: the day has no gap, and a real one is found."""
    hourly = [outcome(minutes(60 * hour), every_s=None) for hour in range(24) if hour not in (9, 10, 11)]
    live = [outcome(minutes(24 * 60 + minute), every_s=60) for minute in range(200)]
    history = MemoryHistory(hourly + live)
    assert history.typical_spacing(CELL) == timedelta(hours=1)
    found = [run.started_at for run in history.not_passed(CELL, None, None) if run.gap_since]
    assert found == [minutes(12 * 60)]
    assert MemoryHistory(live).typical_spacing(CELL) == timedelta(minutes=1)


def test_facets_are_those_of_the_newest_run() -> None:
    """A region that was renamed counts as it is now."""
    history = MemoryHistory(together(row("."), row(".", start=minutes(1), region="new")))
    assert history.facets(CELL)["region"] == "new"
    assert history.cells() == [CELL]
