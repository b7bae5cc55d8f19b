"""What an address may ask: days, zooms, instants, limits and cursors; every refusal says what is right."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

import orjson
from fastapi import Path, Query

from monitor.core.intervals import Span
from monitor.core.outages.history import INSTANT
from monitor.core.timefmt import LATEST, parse_named
from monitor.core.views.lanes import ZOOMS, period_of
from monitor.core.views.lanes import Zoom as LaneZoom
from monitor.web.frame.components import Link
from monitor.web.frame.errors import BadQuery

LONGEST_RANGE = timedelta(days=400)
_USUAL_RANGE = timedelta(days=1)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LARGEST = 2**63 - 1  # of a number in a cursor: what a database can hold
_AHEAD = timedelta(days=2)

Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="the incident's number")]
Zoom = Annotated[str | None, Query(description="24h, 7d, 30d or 90d")]
Day = Annotated[str | None, Query(description="a day in UTC, such as 2025-11-17")]
Until = Annotated[str | None, Query(description="the end of the period, RFC 3339")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The period that lanes show; `moved` says that it was asked for and does not follow the clock."""

    zoom: LaneZoom
    period: Span
    moved: bool


def read_shown(*, zoom: str | None, day: str | None, until: str | None, now: datetime) -> Shown:
    """The period of an address; BadQuery where it names none."""
    chosen = ZOOMS.get(zoom or "24h")
    if chosen is None:
        raise BadQuery("zoom", f"is one of {', '.join(ZOOMS)}")
    if day is not None:
        return Shown(zoom=chosen, period=period_of(chosen, _end_of(day, now)), moved=True)
    if until is not None:
        instant = _checked("until", read_instant("until", until), now)
        return Shown(zoom=chosen, period=period_of(chosen, instant), moved=True)
    return Shown(zoom=chosen, period=period_of(chosen, now), moved=False)


def _end_of(day: str, now: datetime) -> datetime:
    try:
        start = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    except ValueError:
        raise BadQuery("day", "is a day such as 2025-11-17") from None
    return _checked("day", start, now) + timedelta(days=1)


def _checked(name: str, instant: datetime, now: datetime) -> datetime:
    if not _EARLIEST <= instant <= now + _AHEAD:
        raise BadQuery(name, f"lies between {_EARLIEST:%Y-%m-%d} and {now:%Y-%m-%d}")
    return instant


def read_instant(name: str, text: str) -> datetime:
    """The instant of a parameter."""
    try:
        return parse_named(text.replace(" ", "+"))  # a plus sign that was not quoted
    except ValueError as error:
        raise BadQuery(name, str(error)) from None


def read_range(since: str | None, until: str | None, *, now: datetime) -> Span:
    """The range of `from` and `to`: the last day where neither is given."""
    end = _told("to", until) if until is not None else now + INSTANT
    last = now if until is None else end
    start = _told("from", since) if since is not None else max(last - _USUAL_RANGE, _EARLIEST)
    if start > end:
        raise BadQuery("from", "lies after 'to'")
    if end - start > LONGEST_RANGE:
        raise BadQuery("from", f"lies more than {LONGEST_RANGE.days} days before 'to': ask in parts")
    return Span(start, end)


def _told(name: str, text: str) -> datetime:
    instant = read_instant(name, text)
    if instant < _EARLIEST:
        raise BadQuery(name, f"lies between {_EARLIEST:%Y-%m-%d} and {LATEST:%Y-%m-%d}")
    return instant


def read_bounds(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """The same for what is read in pages: no bound where none is given, and none on the length."""
    start = None if since is None else read_instant("from", since)
    end = None if until is None else read_instant("to", until)
    if start is not None and end is not None and start > end:
        raise BadQuery("from", "lies after 'to'")
    return start, end


def write_cursor(*parts: str | int) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def read_cursor(text: str, *kinds: type) -> list[str | int]:
    """What `write_cursor` wrote; BadQuery for anything else."""
    try:
        parts = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise BadQuery("cursor", "is none of ours: begin again without it") from None
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise BadQuery("cursor", "is none of ours: begin again without it")
    if any(isinstance(part, int) and abs(part) > _LARGEST for part in parts):
        raise BadQuery("cursor", "is none of ours: begin again without it")
    return parts


def address(path: str, zoom: str, until: datetime | None, **more: str | None) -> str:
    """The address of a page that shows lanes; what is usual is left out."""
    query = {"zoom": zoom} if zoom != "24h" else {}
    if until is not None:
        query["until"] = f"{until:%Y-%m-%dT%H:%M:%SZ}"
    query |= {name: value for name, value in more.items() if value}
    return f"{path}?{urlencode(query)}" if query else path


def zoom_links(path: str, shown: Shown) -> tuple[Link, ...]:
    """One link per zoom, the period's end kept where it was asked for."""
    until = shown.period.end if shown.moved else None
    return tuple(
        Link(text=name, href=address(path, name, until), current=name == shown.zoom.name) for name in ZOOMS
    )


def move_links(path: str, shown: Shown, now: datetime) -> tuple[Link, ...]:
    """Links to the period before and, where it was moved, after it and back to now."""
    end, length = shown.period.end, shown.zoom.period
    links = [Link(text="← earlier", href=address(path, shown.zoom.name, end - length))]
    if shown.moved:
        later = end + length if end + length < now else None
        links.append(Link(text="later →", href=address(path, shown.zoom.name, later)))
        links.append(Link(text="now", href=address(path, shown.zoom.name, None)))
    return tuple(links)
