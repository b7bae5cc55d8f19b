"""Lanes, axes and latency lines as SVG drawn on the server: shapes by class only, no style, no script.

A lane is stretched to the width of the page (its x axis has its own units, its y axis is in pixels), so
strokes keep their width and text stands in a drawing of its own, which is not stretched.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from markupsafe import Markup, escape

from monitor.core.intervals import Span
from monitor.core.model import State
from monitor.core.views.lanes import MAINTENANCE, Bucket, Lane

WIDTH = 9600  # x units of a lane
HEIGHT = 40  # pixels
_TOP, _CELL = 10, 28  # the brackets of windows stand above the cells
_FOOT_LEAST, _FOOT_MOST = 3, 14  # a single failed run stays visible
_HATCH = 72  # x units between two lines
_DASH = 40  # half the length of a value that stands alone, in x units
_MOST_MARKS = 200  # ticks on one lane; the table beneath it holds them all

Scale = Callable[[datetime], int]
_Sided = tuple[Bucket, tuple[int, int]]  # a bucket with its left and right edge


@lru_cache(maxsize=16)  # the lanes of a page lie under each other: what is reckoned for one serves all
def scale(period: Span) -> Scale:
    """A function from instants to x units, held inside the lane."""
    start, whole = period.start, period.length

    @lru_cache(maxsize=1000)
    def x(instant: datetime) -> int:
        return round(WIDTH * min(max((instant - start) / whole, 0.0), 1.0))

    return x


def draw_lane(lane: Lane, label: str) -> Markup:
    """The lane as an ``<svg>``; *label* is its title, read aloud for the whole row."""
    x = scale(lane.period)
    parts = [
        f'<svg class="lane" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img">',
        f"<title>{escape(label)}</title>",
        f'<path class="track" d="{_box(0, WIDTH)}"/>',
    ]
    edges = [x(bucket.start) for bucket in lane.buckets]
    edges += [x(bucket.end) for bucket in lane.buckets[-1:]]
    sides = list(zip(lane.buckets, pairwise(edges), strict=True))
    for name, path in _cells(sides).items():
        parts.append(f'<path class="s-{name}" d="{path}"/>')
    parts.append(_hatching(lane, x))
    parts.append(_feet(sides))
    parts.append(_brackets(lane, x))
    parts.extend(_ticks_of(lane, x))
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704  # numbers of ours and escaped texts


@lru_cache(maxsize=4096)  # cells of many lanes stand at the same places
def _box(left: int, right: int, top: int = _TOP, height: int = _CELL) -> str:
    return f"M{left} {top}H{right}V{top + height}H{left}Z"


def _cells(sides: Iterable[_Sided]) -> Mapping[str, str]:
    """One path per state; neighbours of the same state are one box."""
    boxes: list[tuple[State, int, int]] = []
    for bucket, (left, right) in sides:
        state = bucket.state
        if state is None or state is State.UNKNOWN:
            continue
        if boxes and boxes[-1][0] is state and boxes[-1][2] == left:
            boxes[-1] = (state, boxes[-1][1], right)
        else:
            boxes.append((state, left, right))
    paths: dict[str, str] = {}
    for state, left, right in boxes:
        paths[state.value] = paths.get(state.value, "") + _box(left, right)
    return paths


def _feet(sides: Iterable[_Sided]) -> str:
    """The dark foot of a cell: its height is the share of failed runs, never less than 3 pixels."""
    path = ""
    for bucket, (left, right) in sides:
        if bucket.counts.failed and bucket.state is not None and bucket.state is not State.MAINTENANCE:
            height = round(_FOOT_LEAST + (_FOOT_MOST - _FOOT_LEAST) * bucket.share_failed)
            path += _box(left, right, _TOP + _CELL - height, height)
    return f'<path class="foot" d="{path}"/>' if path else ""


def _hatching(lane: Lane, x: Scale) -> str:
    """Diagonal lines, drawn one by one: patterns are lost in some PDF makers."""
    sides = [(x(hole.start), x(hole.end)) for hole in lane.unseen if hole.reason != MAINTENANCE]
    wide = [(left, right) for left, right in sides if right > left]
    if not wide:
        return ""
    boxes = "".join(_box(left, right) for left, right in wide)
    lines = "".join(_hatched(left, right) for left, right in wide)
    return f'<path class="void" d="{boxes}"/><path class="hatch" d="{lines}"/>'


@lru_cache(maxsize=256)  # lanes mostly share their holes: before the first run, or while nothing ran
def _hatched(left: int, right: int) -> str:
    return "".join(_slanted(foot, left, right) for foot in range(left - left % _HATCH, right, _HATCH))


def _slanted(foot: int, left: int, right: int) -> str:
    """One line leaning right by one spacing from the bottom to the top, cut at both sides."""
    first, last = max(foot, left), min(foot + _HATCH, right)
    if first >= last:
        return ""
    bottom = _TOP + _CELL
    low = bottom - round(_CELL * (first - foot) / _HATCH)
    high = bottom - round(_CELL * (last - foot) / _HATCH)
    return f"M{first} {low}L{last} {high}"


def _brackets(lane: Lane, x: Scale) -> str:
    """Above the cells, per window: solid from first to last bad run, faint to the good runs beside."""
    solid, faint = "", ""
    for window in lane.windows:
        if window.state is not State.DOWN and window.state is not State.DEGRADED:
            continue
        left, right = x(window.start), x(window.end_after)
        solid += f"M{left} 4H{max(right, left + 8)}"
        before = x(window.start_after) if window.start_after else left
        after = x(window.end) if window.end else x(lane.now)
        faint += f"M{before} 4H{left}" if before < left else ""
        faint += f"M{right} 4H{after}" if after > right else ""
    drawn = f'<path class="faint" d="{faint}"/>' if faint else ""
    return drawn + (f'<path class="bracket" d="{solid}"/>' if solid else "")


def _ticks_of(lane: Lane, x: Scale) -> Iterator[str]:
    """A small tick per mark, which tells its text where a pointer rests on it."""
    for mark in lane.marks[:_MOST_MARKS]:
        at = x(mark.at)
        title = escape(f"{mark.at:%d %b %H:%M:%S} UTC: {mark.text}")
        yield f'<path class="mark" d="M{at} {_TOP - 4}V{HEIGHT}"><title>{title}</title></path>'


def draw_axis(period: Span, now: datetime | None = None) -> Markup:
    """Tick marks with UTC times under a group of lanes; x in per cent, so the text keeps its shape."""
    step = _tick_step(period.length)
    parts = ['<svg class="axis" height="18" aria-hidden="true">']
    for tick in _ticks(period, step):
        share = (tick - period.start) / period.length * 100
        if 1.5 < share < 98.5:
            parts.append(
                f'<line x1="{share:.2f}%" x2="{share:.2f}%" y1="0" y2="4"/>'
                f'<text x="{share:.2f}%" y="15">{_tick_text(tick, step)}</text>'
            )
    if now is not None and period.start < now < period.end:
        share = (now - period.start) / period.length * 100
        parts.append(f'<line class="now" x1="{share:.2f}%" x2="{share:.2f}%" y1="0" y2="6"/>')
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704  # numbers and times of ours only


_STEPS = tuple(
    timedelta(minutes=minutes) for minutes in (5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14400)
)


def _tick_step(period: timedelta) -> timedelta:
    """About eight ticks, on round times."""
    return next((step for step in _STEPS if period / step <= 8.5), _STEPS[-1])


def _ticks(period: Span, step: timedelta) -> Sequence[datetime]:
    epoch = datetime(1970, 1, 1, tzinfo=period.start.tzinfo)
    first = math.ceil((period.start - epoch) / step)
    last = math.floor((period.end - epoch) / step)
    return [epoch + number * step for number in range(first, last + 1)]


def _tick_text(tick: datetime, step: timedelta) -> str:
    if step >= timedelta(days=1) or (tick.hour == tick.minute == 0):
        return f"{tick.day} {tick:%b}"
    return f"{tick:%H:%M}"


def draw_latency(
    points: Sequence[tuple[datetime, float | None, float | None]],
    period: Span,
    failures: Iterable[datetime] = (),
) -> Markup:
    """Two lines over the period, p50 and p95 in ms on a logarithmic scale; a gap in data is a gap.

    A value between two gaps is a dash; *failures* have no latency and are ticks at the top edge.
    """
    values = [value for _, *pair in points for value in pair if value]
    if not values:
        return Markup("")
    low, high = math.log(max(min(values) / 1.5, 1)), math.log(max(values) * 1.5)
    x = scale(period)

    def line(which: int) -> str:
        drawn = ""
        for stroke in _strokes((instant, pair[which]) for instant, *pair in points):
            places = [
                (x(at), 46 - 38 * (math.log(max(value, 1)) - low) / (high - low)) for at, value in stroke
            ]
            if len(places) == 1:
                ((across, down),) = places
                places = [(max(across - _DASH, 0), down), (min(across + _DASH, WIDTH), down)]
            drawn += "M" + "L".join(f"{across:g} {down:.1f}" for across, down in places)
        return drawn

    ticks = "".join(f"M{x(instant):g} 0v5" for instant in failures)
    drawing = (
        f'<svg class="latency" viewBox="0 0 {WIDTH} 48" preserveAspectRatio="none" aria-hidden="true">'
        f'<path class="miss" d="{ticks}"/><path class="p95" d="{line(1)}"/>'
        f'<path class="p50" d="{line(0)}"/></svg>'
    )
    return Markup(drawing)  # noqa: S704  # numbers of ours only


def _strokes(points: Iterable[tuple[datetime, float | None]]) -> Iterator[list[tuple[datetime, float]]]:
    """The points without holes between them, stroke by stroke."""
    stroke: list[tuple[datetime, float]] = []
    for instant, value in points:
        if value is not None:
            stroke.append((instant, value))
        elif stroke:
            yield stroke
            stroke = []
    if stroke:
        yield stroke
