"""Planned maintenance: when it is, for which targets, and since when it was known.

It counts from when it was entered, unless it is named retroactive: nobody plans an outage afterwards.
Recurring maintenance begins at a local time of day; it lasts as long as is said, also where clocks change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo

from monitor.core.summary import Span
from monitor.core.times import parse_instant, rfc3339

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = timedelta(days=1)
_LONGEST_ONCE = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


class Recurrence(StrEnum):
    """How often it comes back."""

    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """One entry. Once: `start` and `end`. Recurring: `every` with `at`, `duration`, `zone`, and a `weekday`.

    `targets` are patterns of target keys, none means all. `entered_at` and `withdrawn_at` are when it came
    into the configuration and when it left it.
    """

    name: str
    targets: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    every: Recurrence | None = None
    weekday: str | None = None
    at: time = time()
    duration: timedelta = timedelta(0)
    zone: str = "UTC"
    retroactive: bool = False
    entered_at: datetime | None = None
    withdrawn_at: datetime | None = None

    def concerns(self, target: str) -> bool:
        """Whether it is for the target of that key."""
        return not self.targets or any(fnmatchcase(target, pattern) for pattern in self.targets)

    def spans(self, since: datetime, until: datetime) -> Iterator[Span]:
        """What of it lies in ``[since, until]`` and counts, in order."""
        first = None if self.retroactive else self.entered_at
        begin = max(since, first) if first else since
        end = min(until, self.withdrawn_at) if self.withdrawn_at else until
        for one in self._planned(begin, end):
            clipped = Span(max(one.start, begin), min(one.end, end))
            if clipped.start < clipped.end:
                yield clipped

    def _planned(self, since: datetime, until: datetime) -> Iterator[Span]:
        if self.every is None:
            yield Span(self.start or _LONGEST_ONCE[0], self.end or _LONGEST_ONCE[1])
            return
        zone = ZoneInfo(self.zone)
        day = (since - self.duration).astimezone(zone).date() - _DAY
        last = until.astimezone(zone).date() + _DAY
        while day <= last:
            if self.every is Recurrence.DAY or WEEKDAYS[day.weekday()] == self.weekday:
                start = _instant(day, self.at, zone)
                yield Span(start, start + self.duration)
            day += _DAY


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The local time of a day in UTC: the earlier of two, and behind the jump where there is none."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def covered(plans: Iterable[Maintenance], target: str, since: datetime, until: datetime) -> tuple[Span, ...]:
    """The maintenance of a target in ``[since, until]``, in order; what touches is one."""
    found = sorted(span for plan in plans if plan.concerns(target) for span in plan.spans(since, until))
    united: list[Span] = []
    for span in found:
        if united and span.start <= united[-1].end:
            united[-1] = Span(united[-1].start, max(united[-1].end, span.end))
        else:
            united.append(span)
    return tuple(united)


def to_document(plan: Maintenance) -> dict[str, Any]:
    """What is planned, as JSON; not when it was entered."""
    return {
        "name": plan.name,
        "targets": list(plan.targets),
        "start": plan.start and rfc3339(plan.start),
        "end": plan.end and rfc3339(plan.end),
        "every": plan.every and plan.every.value,
        "weekday": plan.weekday,
        "at": plan.at.isoformat("minutes"),
        "duration_s": plan.duration.total_seconds(),
        "zone": plan.zone,
        "retroactive": plan.retroactive,
    }


def from_document(
    document: Mapping[str, Any], *, entered_at: datetime | None = None, withdrawn_at: datetime | None = None
) -> Maintenance:
    """What `to_document` wrote, with when it was entered and withdrawn."""
    read = {name: document[name] and parse_instant(document[name]) for name in ("start", "end")}
    return Maintenance(
        **read,
        name=document["name"],
        targets=tuple(document["targets"]),
        every=Recurrence(document["every"]) if document["every"] else None,
        weekday=document["weekday"],
        at=time.fromisoformat(document["at"]),
        duration=timedelta(seconds=document["duration_s"]),
        zone=document["zone"],
        retroactive=document["retroactive"],
        entered_at=entered_at,
        withdrawn_at=withdrawn_at,
    )


def changes(
    known: Sequence[Maintenance], configured: Iterable[Maintenance]
) -> tuple[tuple[Maintenance, ...], tuple[Maintenance, ...]]:
    """What of *configured* is to be entered, and what of *known* to be withdrawn; neither is rewritten."""
    current = {_plan(one): one for one in known if one.withdrawn_at is None}
    wanted = {_plan(one): one for one in configured}
    entered = tuple(one for plan, one in wanted.items() if plan not in current)
    withdrawn = tuple(one for plan, one in current.items() if plan not in wanted)
    return entered, withdrawn


def _plan(one: Maintenance) -> Maintenance:
    return replace(one, entered_at=None, withdrawn_at=None)
