"""Days and months as spans of time, in UTC or in a named zone; it knows no clock and no outcome.

A day runs from one local midnight to the next: where clocks are changed it has 23 or 25 hours, and its
share is one of these. Where a zone skips midnight the day begins when its clocks go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from monitor.core.intervals import Span
from monitor.core.outages.uptime import Uptime, compute_uptime

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A day or a month: its name (``2026-10-25``, ``2026-10``) and its span in UTC."""

    name: str
    span: Span

    @property
    def label(self) -> str:
        """The name, with its hours where it is a day that has not 24 of them: ``2026-10-25 (25 h)``."""
        hours = self.span.length / timedelta(hours=1)
        return self.name if self.span.length > 2 * _DAY or hours == 24 else f"{self.name} ({hours:g} h)"


def days(within: Span, zone: tzinfo = UTC) -> tuple[Period, ...]:
    """The days of a zone that touch *within*, whole, in order."""
    return tuple(_between(_midnights(within, zone), zone, "%Y-%m-%d"))


def months(within: Span, zone: tzinfo = UTC) -> tuple[Period, ...]:
    """The calendar months of a zone that touch *within*, whole, in order."""
    return tuple(_between(_firsts(within, zone), zone, "%Y-%m"))


def uptime_by_period(
    periods: Sequence[Period],
    counts: Sequence[tuple[int, int]],
    *,
    measured: Sequence[Span],
    down: Sequence[Span],
) -> Iterator[tuple[Period, Uptime]]:
    """The uptime of each period over its own measured time; *counts* are its failed and conclusive runs."""
    for period, (failed, total) in zip(periods, counts, strict=True):
        yield period, compute_uptime(period.span, measured=measured, down=down, failed=failed, total=total)


def _midnights(within: Span, zone: tzinfo) -> Iterator[date]:
    day = within.start.astimezone(zone).date()
    while _begin(day, zone) < within.end:
        yield day
        day += _DAY
    yield day


def _firsts(within: Span, zone: tzinfo) -> Iterator[date]:
    first = within.start.astimezone(zone).date().replace(day=1)
    while _begin(first, zone) < within.end:
        yield first
        first = (first + 31 * _DAY).replace(day=1)
    yield first


def _between(dates: Iterable[date], zone: tzinfo, name: str) -> Iterator[Period]:
    begun = [(day, _begin(day, zone)) for day in dates]
    for (day, start), (_, end) in pairwise(begun):
        if start < end:
            yield Period(name=day.strftime(name), span=Span(start, end))


def _begin(day: date, zone: tzinfo) -> datetime:
    """The first instant of a day, in UTC; a midnight that comes twice is the first of the two."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
