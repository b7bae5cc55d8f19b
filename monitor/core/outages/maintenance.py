"""Planned maintenance: when it is, for which targets, and since when it was known.

It counts from when it was entered, unless it is named retroactive: nobody plans an outage afterwards.
Recurring maintenance begins at a local time of day; it lasts as long as is said, also where clocks change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo

from monitor.core.intervals import Span
from monitor.core.outages.marks import LONGEST_MARK, checked_author, checked_text
from monitor.core.sanitize import one_line
from monitor.core.timefmt import parse_instant, rfc3339

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_PATTERN = 300  # characters
MOST_PATTERNS = 100
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
    into the configuration and when it left it, or when a person entered and withdrew it: then `author` says
    who. `id` is the store's.
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
    author: str | None = None
    id: int | None = field(default=None, compare=False)

    def concerns(self, target: str) -> bool:
        """Whether it is for the target of that key."""
        return not self.targets or any(fnmatchcase(target, pattern) for pattern in self.targets)

    def may_be_ended(self, now: datetime) -> bool:
        """Whether a person entered it and its end is still to come."""
        lasts = self.withdrawn_at is None and (self.end is None or self.end > now)
        return self.author is not None and lasts

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
        "author": plan.author,
    }


def from_document(
    document: Mapping[str, Any],
    *,
    entered_at: datetime | None = None,
    withdrawn_at: datetime | None = None,
    row_id: int | None = None,
) -> Maintenance:
    """What `to_document` wrote, with when it was entered and withdrawn, and the store's id."""
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
        author=document.get("author"),
        id=row_id,
    )


def checked_pause(
    name: str,
    targets: Iterable[str],
    author: str,
    *,
    start: datetime | None,
    end: datetime,
    now: datetime,
    retroactive: bool = False,
) -> Maintenance:
    """A pause that a person enters; ValueError, with what would be right, where it cannot be.

    It begins at *start* (None: now), and no earlier than it was entered unless it is named retroactive.
    """
    patterns = tuple(one_line(target, LONGEST_PATTERN + 1) for target in targets)
    if any(not pattern or len(pattern) > LONGEST_PATTERN for pattern in patterns):
        raise ValueError("a target is a key, or a pattern of keys such as 'sweden/*'")
    if len(patterns) > MOST_PATTERNS:
        raise ValueError(f"at most {MOST_PATTERNS} targets or patterns of targets; none means all")
    first = now if start is None else start
    if end <= first:
        raise ValueError("a pause ends after it begins")
    if not retroactive and end <= now:
        raise ValueError("a pause that lies in the past has to be named retroactive")
    said = checked_text(name, LONGEST_MARK)
    if not said:
        raise ValueError("a pause needs a name, such as 'moving to another region'")
    return Maintenance(
        name=said,
        targets=patterns,
        start=_to_milliseconds(first),
        end=_to_milliseconds(end),
        retroactive=retroactive,
        author=checked_author(author),
    )


def _to_milliseconds(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def changes(
    known: Sequence[Maintenance], configured: Iterable[Maintenance]
) -> tuple[tuple[Maintenance, ...], tuple[Maintenance, ...]]:
    """What of *configured* is to be entered, and what of *known* to be withdrawn; neither is rewritten.

    What people entered is theirs to withdraw.
    """
    current = {_plan(one): one for one in known if one.withdrawn_at is None and one.author is None}
    wanted = {_plan(one): one for one in configured}
    entered = tuple(one for plan, one in wanted.items() if plan not in current)
    withdrawn = tuple(one for plan, one in current.items() if plan not in wanted)
    return entered, withdrawn


def _plan(one: Maintenance) -> Maintenance:
    return replace(one, entered_at=None, withdrawn_at=None)
