"""The parts that several pages show: the frame, states with their signs, lanes with their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote

from markupsafe import Markup
from starlette.convertors import Convertor, register_url_convertor

from monitor.core.intervals import Span
from monitor.core.model import State, target_path
from monitor.core.timefmt import duration_words
from monitor.core.views.lanes import Lane, Segment, segments
from monitor.web.frame.charts import draw_lane
from monitor.web.frame.context import DisplaySettings
from monitor.web.frame.time_format import Moment, TimeFormatter


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the frame of every page shows."""

    location: str
    timezone: str
    version: str
    demo_url: str | None
    demo_note: str


def site_of(settings: DisplaySettings) -> Site:
    """The frame for these settings."""
    demo = settings.demo
    return Site(
        location=settings.location,
        timezone=settings.timezone,
        version=settings.version,
        demo_url=demo.sandbox_url if demo else None,
        demo_note=demo.note if demo else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """When the page was made and how old its newest run is; `stale` once that is too old to trust.

    `limit_s` is how long a page that is left open may go without a word from the service.
    """

    made: Moment
    newest: Moment | None
    age: str
    stale: bool
    limit_s: int


def freshness(
    now: datetime, newest: datetime | None, settings: DisplaySettings, face: TimeFormatter
) -> Freshness:
    """How far a page made at *now* can be trusted."""
    age = max(now - newest, timedelta(0)) if newest else None
    return Freshness(
        made=face(now),
        newest=face(newest) if newest else None,
        age=duration_words(age) if age is not None else "",
        stale=age is not None and age > settings.patience,
        limit_s=round(settings.stale_after.total_seconds()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An address with its text; `current` marks the one that is shown."""

    text: str
    href: str
    current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """One line of the table under the lanes."""

    target: str
    start: Moment
    end: Moment
    state: State
    runs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRow:
    """An outside event in the table under the lanes."""

    at: Moment
    text: str
    author: str


class Figure(NamedTuple):
    """A number as it is shown, and in small letters what it rests on."""

    text: str
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneRow:
    """One lane with what stands beside it; `drawing` is SVG of ours."""

    name: str
    pathway: str
    place: str
    href: str
    state: State | None
    figure: Figure
    drawing: Markup
    segments: Sequence[SegmentRow]
    marks: Sequence[MarkRow] = ()


def lane_row(  # each is one thing that stands in the row
    lane: Lane,
    *,
    target: str,
    model: str,
    pathway: str,
    place: str,
    state: State | None,
    figure: Figure,
    face: TimeFormatter,
) -> LaneRow:
    """The row of one lane; its title tells in words what the drawing shows."""
    told = segments(lane)
    failed = sum(segment.counts.failed for segment in told)
    total = sum(segment.counts.total for segment in told)
    spoken = f"{target}: {failed} of {total} runs failed; {_trouble(lane)}"
    return LaneRow(
        name=model,
        pathway=pathway,
        place=place,
        href=target_href(target),
        state=state,
        figure=figure,
        drawing=draw_lane(lane, spoken),
        segments=tuple(
            SegmentRow(
                target=target,
                start=face(segment.start),
                end=face(segment.end),
                state=segment.state,
                runs=_runs_words(segment),
            )
            for segment in told
        ),
        marks=tuple(MarkRow(at=face(mark.at), text=mark.text, author=mark.author) for mark in lane.marks),
    )


def _runs_words(segment: Segment) -> str:
    counts = segment.counts
    return f"{counts.failed} of {counts.total} failed" if counts.total else "no runs"


def _trouble(lane: Lane) -> str:
    windows = [
        f"{window.state.value} {window.start:%d %b %H:%M:%S} to "
        f"{f'{window.end:%d %b %H:%M:%S}' if window.end else 'now'} UTC"
        for window in lane.windows
    ]
    return "; ".join(windows) if windows else "no window"


def target_href(target: str) -> str:
    """The page of a target; the key's slashes stay, everything else from outside is quoted."""
    return target_path(target)


class AnyText(Convertor[str]):
    """What stands at ``{name:text}`` in an address: any text, line ends and slashes included."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """The text as it was sent."""
        return value

    def to_string(self, value: str) -> str:
        """The text as it stands."""
        return value


register_url_convertor("text", AnyText())


def run_href(run_id: str) -> str:
    """The page of a run; an imported id may hold anything."""
    return f"/runs/{quote(run_id, safe='')}"


def period_text(period: Span) -> str:
    """``16 Nov 2025 10:45 to 17 Nov 2025 10:45 UTC``."""
    start, end = period
    return f"{start.day} {start:%b %Y %H:%M} to {end.day} {end:%b %Y %H:%M} UTC"
