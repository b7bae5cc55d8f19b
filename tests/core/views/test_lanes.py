"""Lanes: buckets of a period with their worst state, what was unseen, and the same in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.core.intervals import Span
from monitor.core.model import Cell, State
from monitor.core.outages.windows import Window
from monitor.core.views.lanes import ZOOMS, Counts, Lane, Unseen, cut, find_unseen, period_of, segments

DAY = datetime(2025, 11, 17, tzinfo=UTC)
CELL = Cell("azure-sweden", "gpt-4o-transcribe", "realtime", "berlin")
HOUR = timedelta(hours=1)


def hour(number: float) -> datetime:
    return DAY + number * HOUR


def down(start: float, end: float | None, state: State = State.DOWN) -> Window:
    return Window(
        cell=CELL,
        state=state,
        start=hour(start),
        start_after=None,
        end=None if end is None else hour(end),
        end_after=hour(start),
        failed=3,
        total=3,
        open=end is None,
        decided_at=hour(start),
        closed_at=None,
        continues_until=hour(start),
        first_id="a",
        last_id="b",
    )


def lane(
    *windows: Window,
    counts: dict[int, Counts] | None = None,
    unseen: tuple[Unseen, ...] = (),
    now: float = 24,
) -> Lane:
    given = {hour(number): Counts(passed=60) for number in range(24)} if counts is None else {}
    given |= {hour(number): value for number, value in (counts or {}).items()}
    return cut(Span(hour(0), hour(24)), HOUR, counts=given, windows=windows, unseen=unseen, now=hour(now))


def states(drawn: Lane) -> str:
    letters = {None: ".", State.UP: "u", State.DOWN: "D", State.DEGRADED: "d", State.UNKNOWN: "?"}
    letters[State.MAINTENANCE] = "m"
    return "".join(letters[bucket.state] for bucket in drawn.buckets)


def test_a_quiet_day_is_up_from_end_to_end() -> None:
    """Every bucket with runs and without a window is up."""
    assert states(lane()) == "u" * 24


def test_a_bucket_takes_the_worst_state_that_touches_it() -> None:
    """Part of an hour down makes it down, and down wins over degraded."""
    drawn = lane(down(8.5, 15.5), down(14, 18, State.DEGRADED))
    assert states(drawn) == "u" * 8 + "D" * 8 + "dd" + "u" * 6


def test_a_window_ends_before_its_first_good_run() -> None:
    """The bucket that begins with the first good run is up."""
    assert states(lane(down(8, 9)))[8:10] == "Du"


def test_an_open_window_lasts_until_now_and_no_further() -> None:
    """What lies ahead of now has no state."""
    assert states(lane(down(20, None), now=22)) == "u" * 20 + "DD.."


def test_hours_without_runs_are_unknown_only_where_they_were_unseen() -> None:
    """A long interval leaves buckets empty without a gap; a gap hatches them."""
    sparse = {0: Counts(passed=1), 12: Counts(passed=1)}
    assert states(lane(counts=sparse)) == "u" * 24
    gap = Unseen(hour(2), hour(5), "gap")
    assert states(lane(counts=sparse, unseen=(gap,))) == "uu???" + "u" * 19


def test_maintenance_has_its_own_state() -> None:
    """A stretch that people announced is neither unknown nor down."""
    pause = Unseen(hour(2), hour(3), "maintenance")
    assert states(lane(counts={0: Counts(passed=1)}, unseen=(pause,)))[2] == "m"


def test_unseen_time_before_the_first_run_is_named_so() -> None:
    """No run yet is not a gap; holes that do not touch the period are dropped."""
    period = Span(hour(0), hour(24))
    holes = [Unseen(hour(-5), hour(-4), "gap"), Unseen(hour(12), hour(13), "gap")]
    found = find_unseen(period, first_at=hour(10), holes=holes, now=hour(20))
    assert found == (Unseen(hour(0), hour(10), "no run yet"), Unseen(hour(12), hour(13), "gap"))
    assert find_unseen(period, first_at=None, holes=holes, now=hour(20)) == (
        Unseen(hour(0), hour(20), "no run yet"),
    )
    assert find_unseen(period, first_at=None, holes=[], now=hour(-1)) == ()


def test_the_share_of_failed_runs_leaves_out_the_inconclusive() -> None:
    """Three of six conclusive runs are a half, whatever could not be measured."""
    counts = Counts(passed=2, degraded=1, failed=3, inconclusive=10)
    bucket = lane(counts={0: counts}).buckets[0]
    assert bucket.share_failed == 0.5
    assert lane(counts={}).buckets[0].share_failed == 0
    assert Counts.of([counts, Counts(failed=1)]) == Counts(2, 1, 4, 10)
    assert Counts.of([]) == Counts()


def test_segments_tell_the_lane_in_as_few_lines_as_it_has_stretches() -> None:
    """Equal neighbours are one line with their counts; a failed run alone has its own."""
    drawn = lane(down(8, 9), now=20)
    counts = {hour(number): Counts(passed=60) for number in range(20)}
    counts[hour(3)] = Counts(passed=59, failed=1)
    drawn = cut(drawn.period, HOUR, counts=counts, windows=drawn.windows, unseen=(), now=hour(20))
    told = [(segment.start.hour, segment.end.hour, segment.state.value) for segment in segments(drawn)]
    assert told == [(0, 3, "up"), (3, 4, "up"), (4, 8, "up"), (8, 9, "down"), (9, 20, "up")]
    assert sum(segment.counts.total for segment in segments(drawn)) == 1200


@pytest.mark.parametrize("name", ZOOMS)
def test_a_period_holds_whole_buckets_and_its_end(name: str) -> None:
    """Whatever the clock says, the newest bucket holds it and all buckets are aligned."""
    zoom = ZOOMS[name]
    until = datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)
    period = period_of(zoom, until)
    assert period.start < until <= period.end < until + zoom.bucket
    assert period.length == zoom.period
    assert (period.end - datetime(1970, 1, 1, tzinfo=UTC)) % zoom.bucket == timedelta(0)
