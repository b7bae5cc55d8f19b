"""Drawings: lanes keep a single failed run visible, hatch what was unseen, and need no style."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from monitor.core.intervals import Span
from monitor.core.model import Cell, State
from monitor.core.outages.windows import Window
from monitor.core.views.lanes import ZOOMS, Counts, Lane, Unseen, cut, period_of
from monitor.web.frame.charts import HEIGHT, WIDTH, draw_axis, draw_lane, draw_latency, scale

NOW = datetime(2025, 11, 17, 23, 59, tzinfo=UTC)
CELL = Cell("azure-sweden", "gpt-4o-transcribe", "realtime", "berlin")


def window(start: datetime, end: datetime | None) -> Window:
    return Window(
        cell=CELL, state=State.DOWN, start=start, start_after=start - timedelta(hours=1), end=end,
        end_after=(end or NOW) - timedelta(hours=1), failed=3, total=3, open=end is None, decided_at=start,
        closed_at=None, continues_until=start, first_id="a", last_id="b",
    )  # fmt: skip


def lane(zoom: str = "24h", *, failed_at: int | None = None, windows: tuple[Window, ...] = (),
         unseen: tuple[Unseen, ...] = ()) -> Lane:  # fmt: skip
    chosen = ZOOMS[zoom]
    period = period_of(chosen, NOW)
    steps = chosen.period // chosen.bucket
    counts = {period.start + step * chosen.bucket: Counts(passed=9999) for step in range(steps)}
    if failed_at is not None:
        counts[period.start + failed_at * chosen.bucket] = Counts(passed=9999, failed=1)
    return cut(period, chosen.bucket, counts=counts, windows=windows, unseen=unseen, now=NOW)


def path(drawing: str, name: str) -> str:
    found = re.search(rf'<path class="{name}" d="([^"]*)"', drawing)
    return found[1] if found else ""


@pytest.mark.parametrize("zoom", ZOOMS)
def test_a_single_failed_run_stays_visible_at_every_zoom(zoom: str) -> None:
    """Its foot is at least 3 pixels high, and 3 wide on a phone's lane of 330 pixels."""
    box = re.fullmatch(
        r"M(\d+) (\d+)H(\d+)V(\d+)H\d+Z", path(draw_lane(lane(zoom, failed_at=5), "x"), "foot")
    )
    assert box
    left, top, right, bottom = map(int, box.groups())
    assert bottom - top >= 3
    assert (right - left) / WIDTH * 330 >= 3


def test_a_healthy_lane_is_one_box() -> None:
    """Equal neighbours are drawn together, so that a page of health is small."""
    drawing = draw_lane(lane(), "x")
    assert path(drawing, "s-up").count("M") == 1
    assert len(drawing) < 600


def test_down_time_has_its_colour_a_bracket_and_faint_ends() -> None:
    """The bracket is solid from first to last bad run and faint to the good runs beside."""
    start = NOW.replace(hour=8, minute=30)
    drawing = draw_lane(lane(windows=(window(start, start + timedelta(hours=7)),)), "x")
    assert path(drawing, "s-down")
    assert path(drawing, "bracket").count("M") == 1
    assert path(drawing, "faint").count("M") == 2


def test_an_open_window_fades_into_now() -> None:
    """After the last bad run nothing is certain."""
    drawing = draw_lane(lane(windows=(window(NOW - timedelta(hours=3), None),)), "x")
    assert path(drawing, "faint").count("M") == 2


def test_unseen_time_is_hatched_line_by_line_inside_its_bounds() -> None:
    """Lines are drawn one by one, none outside the gap; patterns get lost in some PDF makers."""
    start = NOW.replace(hour=3, minute=7)
    drawing = draw_lane(lane(unseen=(Unseen(start, start + timedelta(hours=2), "gap"),)), "x")
    assert "<pattern" not in drawing
    box = re.fullmatch(r"M(\d+) 10H(\d+)V38H\d+Z", path(drawing, "void"))
    assert box
    lines = [
        tuple(map(int, four)) for four in re.findall(r"M(\d+) (\d+)L(\d+) (\d+)", path(drawing, "hatch"))
    ]
    assert len(lines) > 5
    for x1, y1, x2, y2 in lines:
        assert int(box[1]) <= x1 < x2 <= int(box[2])
        assert 10 <= y2 < y1 <= HEIGHT


def test_maintenance_is_not_hatched() -> None:
    """What was announced is drawn in its own colour."""
    pause = Unseen(NOW - timedelta(hours=4), NOW - timedelta(hours=2), "maintenance")
    assert not path(draw_lane(lane(unseen=(pause,)), "x"), "hatch")


def test_drawings_are_well_formed_and_their_title_is_escaped() -> None:
    """A label from outside stays a label."""
    hostile = "</title><script>alert(1)</script>"
    root = ET.fromstring(draw_lane(lane(failed_at=3), hostile))  # noqa: S314 - a drawing of ours
    assert root.findtext("title") == hostile
    ET.fromstring(draw_axis(period_of(ZOOMS["24h"], NOW), NOW))  # noqa: S314 - a drawing of ours


@pytest.mark.parametrize("zoom", ZOOMS)
def test_an_axis_has_a_handful_of_round_ticks(zoom: str) -> None:
    """Few enough for a phone, and at times people say aloud."""
    axis = draw_axis(period_of(ZOOMS[zoom], NOW))
    texts = re.findall(r">([^<>]+)</text>", axis)
    assert 3 <= len(texts) <= 9
    assert all(re.fullmatch(r"\d\d:00|\d{1,2} [A-Z][a-z]{2}", text) for text in texts)


def test_a_scale_holds_everything_inside() -> None:
    """What lies outside the period is drawn at its edge."""
    x = scale(Span(NOW, NOW + timedelta(hours=1)))
    assert (x(NOW - timedelta(days=1)), x(NOW), x(NOW + timedelta(days=1))) == (0, 0, WIDTH)


def test_latency_lines_break_where_nothing_is_known() -> None:
    """Two strokes around the hole, and nothing at all without a value."""
    period = Span(NOW, NOW + timedelta(hours=4))
    hours = [NOW + timedelta(hours=number) for number in range(4)]
    points = [
        (hours[0], 400.0, 900.0),
        (hours[1], None, None),
        (hours[2], 500.0, None),
        (hours[3], 450.0, 950.0),
    ]
    drawing = draw_latency(points, period)
    assert path(drawing, "p50").count("M") == 2
    assert path(drawing, "p95").count("M") == 2
    assert not draw_latency([(hours[0], None, None)], period)


def test_a_value_alone_is_a_dash_and_failures_are_ticks_on_the_top_edge() -> None:
    """What was measured once can be seen; what failed has no latency to draw and is still on record."""
    period = Span(NOW, NOW + timedelta(hours=4))
    alone = NOW + timedelta(hours=2)
    failures = [NOW + timedelta(hours=1), NOW + timedelta(hours=3)]
    drawing = draw_latency([(alone, 400.0, None)], period, failures)
    assert path(drawing, "p50").count("L") == 1
    assert path(drawing, "p95") == ""
    assert path(drawing, "miss") == f"M{WIDTH / 4:g} 0v5M{WIDTH * 3 / 4:g} 0v5"
