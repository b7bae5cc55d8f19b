"""The numbers: uptime by time, coverage, bounds and states."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.intervals import Span, clip, length, subtract, union
from monitor.core.model import Cell, State
from monitor.core.outages.uptime import (
    METHOD,
    Bounds,
    Uptime,
    bounds,
    compute_uptime,
    down_spans,
    percent,
    wilson,
    worst,
)
from monitor.core.outages.windows import Window

DAY = datetime(2025, 11, 17, tzinfo=UTC)
CELL = Cell("azure-sweden", "gpt-4o-transcribe", "realtime", "berlin")


def at(minutes: float) -> datetime:
    return DAY + timedelta(minutes=minutes)


def span(start: float, end: float) -> Span:
    return Span(at(start), at(end))


def window(
    start: float,
    end: float | None,
    *,
    state: State = State.DOWN,
    after: float | None = None,
    last_bad: float | None = None,
) -> Window:
    bad = last_bad if last_bad is not None else (end - 1 if end is not None else start + 2)
    return Window(
        cell=CELL,
        state=state,
        start=at(start),
        start_after=None if after is None else at(after),
        end=None if end is None else at(end),
        end_after=at(bad),
        failed=3,
        total=3,
        open=end is None,
        decided_at=at(start + 2),
        closed_at=None,
        continues_until=at(bad + 15),
        first_id="first",
        last_id="last",
    )


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: span(*pair)), max_size=8)


def minutes_of(some: list[Span] | tuple[Span, ...]) -> set[int]:
    return {minute for minute in range(60) for one in some if one.start <= at(minute) < one.end}


@given(spans)
def test_a_union_covers_the_same_minutes_once(some: list[Span]) -> None:
    """Joined spans cover exactly what the spans covered, in order and without overlap."""
    joined = union(some)
    assert minutes_of(joined) == minutes_of(some)
    assert length(some) == timedelta(minutes=len(minutes_of(some)))
    assert all(one.end < two.start for one, two in pairwise(joined))


@given(spans, spans)
def test_subtraction_leaves_exactly_the_minutes_outside_the_holes(
    some: list[Span], holes: list[Span]
) -> None:
    """What is left is every covered minute that no hole covers."""
    assert minutes_of(subtract(some, holes)) == minutes_of(some) - minutes_of(holes)


@given(spans, spans)
def test_uptime_counts_minutes_like_a_clock_would(seen: list[Span], down: list[Span]) -> None:
    """Uptime by spans equals uptime counted minute by minute, and lies between worst and best case."""
    uptime = compute_uptime(span(0, 60), measured=seen, down=down, failed=0, total=0)
    measured, dark = minutes_of(seen), minutes_of(seen) & minutes_of(down)
    assert uptime.measured == timedelta(minutes=len(measured))
    assert uptime.down == timedelta(minutes=len(dark))
    if uptime.share is not None:
        assert uptime.share == pytest.approx(1 - len(dark) / len(measured))
        assert uptime.worst - 1e-9 <= uptime.share <= uptime.best + 1e-9
    else:
        assert not measured


def test_a_reference_day_has_the_uptime_of_its_measured_time() -> None:
    """Seven hours down of a day measured in full: 70.83 %, and full coverage leaves no range."""
    uptime = compute_uptime(
        span(0, 1440), measured=[span(0, 1440)], down=[span(510, 930)], failed=420, total=1440
    )
    assert uptime.text() == "70.83 %"
    assert uptime.coverage == 1
    assert uptime.range_text() == ""


def test_unseen_time_stands_in_neither_side() -> None:
    """A gap lowers coverage and not uptime; worst and best case tell what it could hide."""
    uptime = compute_uptime(span(0, 100), measured=[span(0, 80)], down=[span(70, 90)], failed=10, total=80)
    assert (uptime.share, uptime.coverage) == (0.875, 0.8)
    assert uptime.worst == pytest.approx(0.7)
    assert uptime.best == pytest.approx(0.9)
    assert uptime.range_text() == "70.00 % to 90.00 %"


def test_nothing_measured_is_no_figure() -> None:
    """Without measured time there is a dash, and not a hundred or a zero."""
    uptime = compute_uptime(span(0, 10), measured=[], down=[], failed=0, total=0)
    assert uptime.text() == "–"
    assert uptime.interval_text() == "–"
    empty = Uptime(period=timedelta(0), measured=timedelta(0), down=timedelta(0), failed=0, total=0)
    assert (empty.coverage, empty.best, empty.worst) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("share", "flawless", "text"),
    [
        (1.0, True, "100.00 %"),
        (1.0, False, "99.99 %"),
        (0.999999, False, "99.99 %"),
        (0.98765, False, "98.76 %"),
        (0.29, False, "29.00 %"),
        (0.0, False, "0.00 %"),
    ],
)
def test_a_share_is_rounded_down_and_never_up_to_a_hundred(
    *, share: float, flawless: bool, text: str
) -> None:
    """Two decimals, never in our favour."""
    assert percent(share, flawless=flawless) == text


@given(share=st.floats(0, 1), flawless=st.booleans())
def test_a_printed_share_never_flatters(*, share: float, flawless: bool) -> None:
    """What is printed is at most the share, but for the last digit of a float."""
    assert float(percent(share, flawless=flawless).removesuffix(" %")) <= share * 100 + 1e-4


def test_one_failed_run_without_a_window_still_forbids_a_hundred() -> None:
    """Uptime by time is whole, and is printed as 99.99 all the same."""
    uptime = compute_uptime(span(0, 1440), measured=[span(0, 1440)], down=[], failed=1, total=1440)
    assert uptime.share == 1
    assert uptime.text() == "99.99 %"


@pytest.mark.parametrize(
    ("failed", "total", "low", "high"),
    [(0, 1440, 0.9973, 1.0), (2, 1440, 0.9950, 0.9996), (40, 43_200, 0.9987, 0.9993), (0, 0, 0.0, 1.0)],
)
def test_the_interval_is_wilsons(failed: int, total: int, low: float, high: float) -> None:
    """The table of the domain, to its digits."""
    least, most = wilson(failed, total)
    assert least == pytest.approx(low, abs=6e-5)
    assert most == pytest.approx(high, abs=6e-5)


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_holds_the_observed_share(failed: int, more: int) -> None:
    """The share that was seen lies inside, and the interval inside 0 to 1."""
    total = failed + more
    low, high = wilson(failed, total)
    assert 0 <= low <= more / total + 1e-12
    assert more / total - 1e-12 <= high <= 1


def test_the_reference_outage_lasted_between_its_two_bounds() -> None:
    """At least first to last bad, at most last good before to first good after."""
    outage = window(510, 930, after=509, last_bad=929)
    assert bounds([outage]).text() == "at least 6 h 59 min, at most 7 h 1 min"


def test_gaps_inside_are_taken_from_the_least_time_only() -> None:
    """What nobody saw is not certain to have been down, and may have been."""
    outage = window(0, 60, after=-1, last_bad=59)
    assert bounds([outage], lambda _: [span(10, 30)]) == Bounds(
        least=timedelta(minutes=39), most=timedelta(minutes=61), open=False
    )


def test_a_gap_of_one_cell_takes_nothing_from_what_another_certainly_failed() -> None:
    """An hour in which one target always failed lasted an hour, whatever the other was not asked."""
    seen = window(0, 60, after=-1, last_bad=59)
    other = replace(seen, cell=CELL._replace(pathway="rest"))
    hole = {other.cell: [span(10, 51)]}
    assert bounds([seen, other], lambda cell: hole.get(cell, [])).least == timedelta(minutes=59)
    assert bounds([other], lambda cell: hole.get(cell, [])).least == timedelta(minutes=18)


def test_an_open_window_has_no_upper_bound() -> None:
    """While it lasts the text says so far."""
    assert bounds([window(0, None, after=-1, last_bad=30)]).text() == "at least 30 min so far"


def test_without_a_good_run_before_nothing_is_said_about_the_most() -> None:
    """A window at the start of the history has no upper bound."""
    assert bounds([window(0, 10)]).text() == "at least 9 min"
    assert bounds([]) == Bounds(least=timedelta(0), most=None)


def test_windows_that_overlap_count_once() -> None:
    """Two targets down together were down as long as their union."""
    together = [window(0, 30, after=-1), window(20, 50, after=19)]
    assert bounds(together) == Bounds(least=timedelta(minutes=49), most=timedelta(minutes=51))


def test_only_down_windows_are_down_time_and_open_ones_last_until_now() -> None:
    """Degraded time is up for uptime; an open window counts up to now, and never backwards."""
    some = [window(0, 10), window(20, None), window(30, 40, state=State.DEGRADED)]
    assert down_spans(some, at(60)) == (span(0, 10), span(20, 60))
    assert down_spans([window(20, None)], at(10)) == ()


def test_the_worst_of_nothing_is_unknown() -> None:
    """No state is no good news."""
    assert worst([]) is State.UNKNOWN
    assert worst([State.UP, State.UNKNOWN]) is State.UNKNOWN
    assert worst([State.DEGRADED, State.DOWN, State.UP]) is State.DOWN


def test_clipping_keeps_what_lies_inside() -> None:
    """Parts outside the period are cut off."""
    assert clip([span(-10, 5), span(50, 90), span(99, 99)], span(0, 60)) == (span(0, 5), span(50, 60))


def test_the_method_names_what_the_figure_rests_on() -> None:
    """The sentence that is printed beside every figure names its parts."""
    assert all(word in METHOD for word in ("measured", "down windows", "coverage", "Gaps"))
