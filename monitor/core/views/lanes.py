"""A period cut into equal buckets: what a lane shows of one cell; it draws nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from monitor.core.intervals import Span, clip, length
from monitor.core.model import State
from monitor.core.outages.marks import Mark
from monitor.core.outages.windows import Window


class Zoom(NamedTuple):
    """How long a lane is and how wide one of its buckets."""

    name: str
    period: timedelta
    bucket: timedelta


ZOOMS: Mapping[str, Zoom] = {
    zoom.name: zoom
    for zoom in (
        Zoom("24h", timedelta(hours=24), timedelta(minutes=15)),
        Zoom("7d", timedelta(days=7), timedelta(hours=2)),
        Zoom("30d", timedelta(days=30), timedelta(hours=8)),
        Zoom("90d", timedelta(days=90), timedelta(days=1)),
    )
}


class Counts(NamedTuple):
    """How many runs ended how; `inconclusive` ones count for neither side."""

    passed: int = 0
    degraded: int = 0
    failed: int = 0
    inconclusive: int = 0

    @property
    def total(self) -> int:
        """The conclusive runs."""
        return self.passed + self.degraded + self.failed

    @classmethod
    def of(cls, parts: Iterable[Counts]) -> Counts:
        """The sum, verdict by verdict."""
        columns = tuple(zip(*parts, strict=True))
        return cls(*map(sum, columns)) if columns else cls()


GAP, NO_RUN, MAINTENANCE = "gap", "no run yet", "maintenance"


class Unseen(NamedTuple):
    """A stretch that was not measured, and why: a gap, no run yet, maintenance, or why we were blind."""

    start: datetime
    end: datetime
    reason: str


def find_unseen(
    period: Span, *, first_at: datetime | None, holes: Sequence[Unseen], now: datetime
) -> tuple[Unseen, ...]:
    """What of *period* nobody measured up to *now*: before the first run, and the *holes* that touch it."""
    end = min(period.end, now)
    if first_at is None or first_at >= end:
        return (Unseen(period.start, end, NO_RUN),) if period.start < end else ()
    found = [hole for hole in holes if hole.start < end and hole.end > period.start]
    if first_at > period.start:
        found.append(Unseen(period.start, first_at, NO_RUN))
    return tuple(sorted(found))


class Bucket(NamedTuple):
    """One cell of a lane. `state` is the worst in it, None where it lies wholly ahead of now."""

    start: datetime
    end: datetime
    state: State | None
    counts: Counts

    @property
    def share_failed(self) -> float:
        """Failed runs over conclusive runs."""
        total = self.counts.total
        return self.counts.failed / total if total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The buckets of one cell over a period, what was unseen in it, its windows, and outside events."""

    period: Span
    now: datetime
    buckets: tuple[Bucket, ...]
    unseen: tuple[Unseen, ...]
    windows: tuple[Window, ...]
    marks: tuple[Mark, ...] = ()


def period_of(zoom: Zoom, until: datetime) -> Span:
    """The period of a lane whose newest bucket holds *until*, on whole buckets of UTC."""
    epoch = datetime(1970, 1, 1, tzinfo=until.tzinfo)
    buckets = -((epoch - until) // zoom.bucket)
    end = epoch + buckets * zoom.bucket
    return Span(end - zoom.period, end)


def cut(
    period: Span,
    width: timedelta,
    *,
    counts: Mapping[datetime, Counts],
    windows: Sequence[Window],
    unseen: Sequence[Unseen],
    now: datetime,
    marks: Sequence[Mark] = (),
) -> Lane:
    """The lane of one cell; *counts* are keyed by the start of their bucket."""
    inside = tuple(
        Unseen(max(hole.start, period.start), min(hole.end, period.end, now), hole.reason)
        for hole in unseen
        if hole.start < min(period.end, now) and hole.end > period.start
    )
    touching = tuple(w for w in windows if w.start < period.end and (w.end or now) >= period.start)
    bad = {
        start: state
        for state in (State.DEGRADED, State.DOWN)  # the worse one stands
        for start in _touched(period, width, touching, state, now)
    }
    state_of = _StateOf(
        bad=bad,
        unseen=inside,
        planned=[Span(hole.start, hole.end) for hole in inside if hole.reason == MAINTENANCE],
        now=now,
    )
    buckets = []
    for span in _buckets(period, width):
        found = counts.get(span.start, _NONE)
        buckets.append(Bucket(*span, state_of(span, found), found))
    noted = tuple(mark for mark in marks if period.start <= mark.at < period.end)
    return Lane(period=period, now=now, buckets=tuple(buckets), unseen=inside, windows=touching, marks=noted)


_NONE = Counts()


def _touched(
    period: Span, width: timedelta, windows: Sequence[Window], state: State, now: datetime
) -> set[datetime]:
    """The starts of the buckets that share time with a window of that state."""
    touched: set[datetime] = set()
    for window in windows:
        if window.state is state:
            start = period.start + max(0, (window.start - period.start) // width) * width
            end = min(window.end or now, period.end)
            while start < end:
                touched.add(start)
                start += width
    return touched


@lru_cache(maxsize=16)  # all lanes of a page have the same
def _buckets(period: Span, width: timedelta) -> tuple[Span, ...]:
    count = -((period.start - period.end) // width)
    return tuple(
        Span(period.start + number * width, min(period.start + (number + 1) * width, period.end))
        for number in range(count)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _StateOf:
    """The state of any bucket of one lane; `bad` says which of them a window touches."""

    bad: Mapping[datetime, State]
    unseen: Sequence[Unseen]
    planned: Sequence[Span]
    now: datetime

    def __call__(self, bucket: Span, counts: Counts) -> State | None:
        if bucket.start >= self.now:
            return None
        if self.planned and self._covers(self.planned, bucket):
            return State.MAINTENANCE
        bad = self.bad.get(bucket.start)
        if bad is not None:
            return bad
        return State.UP if counts.total or not self._is_unseen(bucket) else State.UNKNOWN

    def _is_unseen(self, bucket: Span) -> bool:
        # Most empty buckets lie in one long hole: that is seen without cutting all of them.
        seen_until = min(bucket.end, self.now)
        for hole in self.unseen:
            if hole.start <= bucket.start and hole.end >= seen_until:
                return True
        return self._covers([Span(hole.start, hole.end) for hole in self.unseen], bucket)

    def _covers(self, spans: Iterable[Span], bucket: Span) -> bool:
        seen = Span(bucket.start, min(bucket.end, self.now))
        return length(clip(spans, seen)) >= seen.length


class Segment(NamedTuple):
    """Neighbouring buckets of the same state, told as one line of a table."""

    start: datetime
    end: datetime
    state: State
    counts: Counts


def segments(lane: Lane) -> tuple[Segment, ...]:
    """The lane in words: one segment for each stretch of equal state with or without failed runs."""
    told = []
    for (state, _), group in groupby(lane.buckets, key=_alike):
        buckets = tuple(group)
        if state is not None:
            counts = Counts.of(bucket.counts for bucket in buckets)
            told.append(Segment(buckets[0].start, buckets[-1].end, state, counts))
    return tuple(told)


def _alike(bucket: Bucket) -> tuple[State | None, bool]:
    return bucket.state, bucket.counts.failed > 0
