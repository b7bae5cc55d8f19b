"""Windows and gaps by hand: one row of marks per rule of the text."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.core.model import Cell, Outcome, State
from monitor.core.outages.gaps import Gap, derive_gaps, gap_limit
from monitor.core.outages.rule import Rule, Threshold, rule_to_json
from monitor.core.outages.windows import Pending, Window, derive_windows, in_window, overlaps
from monitor.core.timefmt import parse_instant
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import T0, minutes, row, together

CELL = Cell("azure-sweden", "gpt-4o-transcribe", "realtime", "berlin")
RULE = Rule()


def windows_of(*rows: list[Outcome], until: float | None = None) -> list[Window]:
    """The windows of one cell's runs."""
    return list(_derive(together(*rows), until)[0])


def _derive(
    runs: list[Outcome], until: float | None = None
) -> tuple[tuple[Window, ...], tuple[Pending, ...]]:
    history = MemoryHistory(runs)
    now = minutes(until) if until is not None else history.newest()
    assert now is not None
    return derive_windows(history, CELL, history.not_passed(CELL, None, now), RULE, now=now)


def shape(window: Window) -> tuple[str, float, float | None, int, int]:
    """State, start and end in minutes, failed and total."""
    end = None if window.end is None else (window.end - T0) / timedelta(minutes=1)
    return window.state.value, (window.start - T0) / timedelta(minutes=1), end, window.failed, window.total


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ("..F.F....", []),  # two of five are not enough
        ("..FFF.....", [("down", 2, 5, 3, 3)]),
        ("..F.F.F.....", [("down", 2, 7, 3, 5)]),
        ("..F.F..F.....", []),  # the first has left the look-back
        ("FFF", [("down", 0, None, 3, 3)]),  # fewer than five runs suffice
        ("..FFF....", [("down", 2, None, 3, 7)]),  # four good runs do not close
        ("..FFF....F.....", [("down", 2, 10, 4, 8)]),  # a bad run starts the streak again
        ("..FF?F?..?...", [("down", 2, 7, 3, 3)]),  # inconclusive runs neither open, close nor split
        ("FFF.....FF.......", [("down", 0, 3, 3, 3), ("degraded", 0, 10, 5, 10)][:1]),
        ("..DDD....", []),  # degraded is good for down
        ("..DDDD..........", [("degraded", 2, 6, 4, 4)]),
        ("..D.D.D.D.........", [("degraded", 2, None, 4, 16)]),  # nine good runs do not close
        ("..FFFF..........", [("down", 2, 6, 4, 4)]),  # its degraded window lies inside and is not told
        ("DDDDFFF.....", [("degraded", 0, None, 7, 12), ("down", 4, 7, 3, 3)]),
    ],
)
def test_rows_give_their_windows(
    marks: str, expected: list[tuple[str, float, float | None, int, int]]
) -> None:
    """Each row of a run a minute gives exactly these windows."""
    assert [shape(window) for window in windows_of(row(marks))] == expected


def test_failures_in_a_burst_span_too_little() -> None:
    """Three failures within a minute do not open; the one that makes it a minute does."""
    assert windows_of(row("FFF", step=20)) == []
    assert [shape(one)[1] for one in windows_of(row("FFFF", step=20))] == [0]


def test_a_relapse_in_time_continues_the_window() -> None:
    """A new opening within 15 minutes of the last bad run keeps start and decision."""
    (window,) = windows_of(row("FFF" + "." * 13 + "FFF....."))
    assert (window.start, window.decided_at) == (T0, minutes(2))
    assert (window.end, window.end_after, window.closed_at) == (minutes(19), minutes(18), minutes(23))
    assert (window.failed, window.total) == (6, 19)


def test_a_relapse_too_late_is_another_window() -> None:
    """One minute later it is a window of its own."""
    first, second = windows_of(row("FFF" + "." * 15 + "FFF....."))
    assert (first.end, second.start) == (minutes(3), minutes(18))


def test_a_long_interval_stretches_the_time_of_relapse() -> None:
    """Eight intervals count where they are longer than 15 minutes; without one, the median spacing."""
    for every in (600, None):
        (window,) = windows_of(row("FFF.....FFF", step=600, every_s=every))
        assert window.start == T0
        assert window.continues_until == window.end_after + timedelta(minutes=80)


def test_a_window_keeps_its_edges_apart() -> None:
    """Start and end with the last good and the last bad run beside them."""
    (window,) = windows_of(row("..FFF....."))
    assert (window.start_after, window.start) == (minutes(1), minutes(2))
    assert (window.end_after, window.end) == (minutes(4), minutes(5))
    assert (window.decided_at, window.closed_at) == (minutes(4), minutes(9))
    assert not window.open
    assert (window.first_id, window.last_id) == (row("..F")[2].id, row("....F")[4].id)


def test_nothing_good_before_leaves_the_start_unbounded() -> None:
    """A target that never passed has no `start_after`, also behind bad runs of its own."""
    assert windows_of(row("FFF"))[0].start_after is None
    assert windows_of(row("F F", step=10), row("FFF", start=minutes(1)))[0].start_after is None


@pytest.mark.parametrize(
    "runs",
    [
        together(row("FF."), row("F", start=minutes(60))),  # a gap behind a good run
        together(row("FF.?"), row("?F", start=minutes(60))),  # what measured nothing does not count
        together(row("FF"), row("F", start=minutes(2), configuration="other")),
        together(row("FF"), row("F", start=minutes(60), configuration="other")),
        together(row("FF"), row("?", start=minutes(30), configuration="other"), row("F", start=minutes(60))),
        together(row("FF"), row("F", start=minutes(24 * 60 + 1))),  # a day of silence
    ],
)
def test_the_look_back_starts_afresh(runs: list[Outcome]) -> None:
    """Bad runs on both sides of a change, or of a silence that says something, are not added up."""
    assert windows_of(runs) == []


@pytest.mark.parametrize(
    "runs",
    [
        together(row("FF"), row("F", start=minutes(60))),
        together(row("FF?"), row("?F", start=minutes(60))),
        together(row("FF"), row("F", start=minutes(24 * 60 + 0.9))),
        row("F     F     F     "),
    ],
)
def test_a_silence_after_a_failure_keeps_the_look_back(runs: list[Outcome]) -> None:
    """Less than a day without runs after a failed one is no sign of health."""
    assert [shape(window)[:2] for window in windows_of(runs)] == [("down", 0)]


def test_a_degraded_run_before_a_silence_keeps_only_its_own_track() -> None:
    """It is good for *down* and bad for *degraded*."""
    assert windows_of(row("FFD"), row("F", start=minutes(60)))[0].state is State.DEGRADED


@pytest.mark.parametrize(("step", "decided"), [(1, 59), (5, 60), (10, 60), (14, 70), (19.9, 59.7), (20, 60)])
def test_no_interval_makes_the_rule_unreachable(step: float, decided: float) -> None:
    """Where five runs span less than a minute the look-back takes in as many as do."""
    (window,) = windows_of(row("." * 30 + "F" * 70, step=step, every_s=step))
    assert window.state is State.DOWN
    assert window.decided_at - window.start == timedelta(seconds=decided)


def test_a_longer_look_back_asks_for_the_same_share() -> None:
    """Seven runs in a minute: five of them must be bad, four are not enough."""
    assert windows_of(row("..F...FFF..", step=10, every_s=10), until=1.35) == []
    assert [one.state for one in windows_of(row("..F..FFFF..", step=10, every_s=10), until=1.35)] == [
        State.DOWN
    ]


def test_slots_may_jitter_by_a_second() -> None:
    """Four failures 59.999 s apart open a window; more than a second short they do not."""
    assert windows_of(row("FFFF", step=59.999 / 3))[0].state is State.DOWN
    assert windows_of(row("FFFF", step=58.9 / 3)) == []


def test_failed_runs_alone_are_down_before_they_are_degraded() -> None:
    """Whatever blips came before, a refused connection opens down, and nothing before it."""
    for before in ("." * 19, "F" + "." * 15, "F..F" + "." * 9, "F....F....F....", "F" + "." * 6 + "F......"):
        for step, count in ((10, 7), (20, 4), (60, 3)):
            runs = row(before + "F" * 8, step=step, every_s=step)
            for known in range(len(before) + 1, len(before) + count):
                assert windows_of(runs[:known]) == []
            opened = windows_of(runs[: len(before) + count])
            assert [window.state for window in opened][-1:] == [State.DOWN], (before, step)


def test_failed_runs_alone_open_degraded_once_down_is_out_of_the_question() -> None:
    """Three good runs after the fourth failure settle that: the window begins where it began."""
    marks = "F....F....F....F.."
    assert windows_of(row(marks)) == []
    (window,) = windows_of(row(marks + "."))
    assert (window.state, window.start, window.decided_at) == (State.DEGRADED, T0, minutes(18))
    assert (window.end_after, window.failed, window.total) == (minutes(15), 4, 19)


def test_a_pattern_that_never_lets_down_settle_is_degraded_all_the_same() -> None:
    """Every third run fails: what comes later does not hold up what was seen."""
    (window,) = windows_of(row("F..F..F..F..F..F"))
    assert (window.state, window.start, window.decided_at) == (State.DEGRADED, T0, minutes(13))


def test_a_slow_run_among_failed_ones_opens_degraded_at_once() -> None:
    """Then not failed runs alone say it."""
    (window,) = windows_of(row("F....F....D....F"))
    assert (window.state, window.decided_at) == (State.DEGRADED, minutes(15))


def test_another_configuration_decides_what_was_left_open() -> None:
    """Down can no longer open with runs from before it."""
    (window,) = windows_of(row("F....F....F....F"), row(".", start=minutes(16), configuration="other"))
    assert (window.state, window.decided_at) == (State.DEGRADED, minutes(16))


def test_a_gap_inside_leaves_a_window_open() -> None:
    """Good runs on both sides of a gap add up to the closing streak."""
    (window,) = windows_of(row("FFF..."), row("..", start=minutes(60)))
    assert (window.end, window.closed_at) == (minutes(3), minutes(61))


def test_now_cuts_what_is_seen() -> None:
    """Runs after now neither close a window nor count."""
    assert [shape(one) for one in windows_of(row("FFF....."), until=5)] == [("down", 0, None, 3, 6)]


def test_undecided_bad_runs_are_pending() -> None:
    """Both tracks say which bad runs their next look-back still holds."""
    windows, pending = _derive(row("F.F"))
    assert windows == ()
    both = [(one.state, one.first_at, one.last_at, one.bad) for one in pending]
    assert both == [(state, T0, minutes(2), 2) for state in (State.DOWN, State.DEGRADED)]
    assert [one.state for one in _derive(row("F....."))[1]] == [State.DEGRADED]
    assert isinstance(pending[0], Pending)


def gaps_of(runs: list[Outcome], until: float) -> list[tuple[float, float]]:
    """The gaps in minutes."""
    history = MemoryHistory(runs)
    gaps = derive_gaps(history, CELL, history.not_passed(CELL, None, minutes(until)), now=minutes(until))
    assert all(isinstance(gap, Gap) for gap in gaps)
    return [((gap.start - T0) / timedelta(minutes=1), (gap.end - T0) / timedelta(minutes=1)) for gap in gaps]


def test_gaps_are_silences_longer_than_three_intervals() -> None:
    """Exactly three are none; the one after the last run reaches to now."""
    assert gaps_of(row(".  .   ."), 10) == [(3, 7)]
    assert gaps_of(row("."), 3) == []
    assert gaps_of(row("."), 4) == [(0, 4)]
    assert gaps_of(row(".", every_s=None), 400) == []
    assert gaps_of(row("...    .", every_s=None), 7) == [(2, 7)]


def test_nobody_can_say_where_there_is_no_interval() -> None:
    """One run without an interval has no limit; the watch's own interval gives one."""
    runs = row(".", every_s=None)
    assert gap_limit(MemoryHistory(runs), CELL, None) is None
    watched = MemoryHistory(runs, {CELL.target: timedelta(minutes=5)})
    assert gap_limit(watched, CELL, None) == timedelta(minutes=15)


def test_no_run_by_then_gives_no_gap() -> None:
    """Before its first run a cell has no gap."""
    assert gaps_of(row(".", start=minutes(5)), 0) == []


def test_windows_share_time_only_inside() -> None:
    """Half-open: the run at the end is outside, and windows that touch do not overlap."""
    (window,) = windows_of(row("FFF....."))
    assert in_window(window, minutes(0))
    assert not in_window(window, minutes(3))
    assert not overlaps(window, minutes(3), None)
    assert overlaps(window, minutes(2), minutes(3))
    (still,) = windows_of(row("FFF"))
    assert in_window(still, minutes(900))
    assert overlaps(still, minutes(900), None)


def test_the_rule_is_printed_in_seconds() -> None:
    """Durations as numbers, whole where they are whole."""
    half = Threshold(bad=1, of=1, span=timedelta(seconds=0.5), good=1, merge=timedelta(0), merge_intervals=0)
    shown = rule_to_json(Rule(down=half))
    assert shown["down"]["span_s"] == 0.5
    assert shown["degraded"] == {
        "bad": 4,
        "of": 20,
        "span_s": 0,
        "good": 10,
        "merge_s": 1200,
        "merge_intervals": 13,
    }
    assert parse_instant("2025-11-17T08:30:10Z") == T0
