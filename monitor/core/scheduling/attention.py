"""When to run, beyond the plain interval: confirming runs, neighbours, slots and the quota's share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.core.model import Cell, State, Target, Verdict
from monitor.core.outages.history import History, StoredRun
from monitor.core.outages.lookback import is_settled, oldest_number, reached, starts_afresh
from monitor.core.outages.rule import Rule
from monitor.core.outages.windows import Window

CONFIRM_EVERY = timedelta(seconds=20)
OPEN_EVERY = timedelta(minutes=1)
QUOTA_MINUTE = timedelta(minutes=1)


class Attention(StrEnum):
    """How closely a cell is watched now."""

    CALM = "calm"  # every `every`
    CONFIRMING = "confirming"  # a bad run whose look-back is not settled: every 20 s
    OPEN = "open"  # a window is open: at most a minute apart
    CLOSING = "closing"  # a window is open and the last run was good: every 20 s


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """A cell's attention; `first_bad`: the start of the newest run where it alone is bad in the look-back."""

    cell: Cell
    attention: Attention
    first_bad: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """So many slots in a row, *every* apart, the first of them at `first`."""

    first: datetime
    count: int = 1
    every: timedelta = timedelta(0)

    @property
    def last(self) -> datetime:
        """The latest of them."""
        return self.first + (self.count - 1) * self.every

    def __iter__(self) -> Iterator[datetime]:
        """Each slot in order."""
        return (self.first + number * self.every for number in range(self.count))

    def __len__(self) -> int:
        """How many they are."""
        return self.count

    def since(self, instant: datetime) -> Slots:
        """Those at or after an instant."""
        if instant <= self.first:
            return self
        if instant > self.last:
            return Slots(first=instant, count=0)
        over = -((self.first - instant) // self.every)
        return Slots(first=self.first + over * self.every, count=self.count - over, every=self.every)


def grace(every: timedelta) -> timedelta:
    """How late a slot may start: past it, it is a gap and not a late run."""
    return max(timedelta(seconds=1), min(every / 4, timedelta(seconds=15)))


def interval(target: Target, attention: Attention) -> timedelta:
    """How far apart the target's scheduled runs are under this attention."""
    if attention in {Attention.OPEN, Attention.CLOSING}:
        return min(target.every, OPEN_EVERY)
    return target.every


def neighbours(target: Target, targets: Iterable[Target]) -> Sequence[Target]:
    """The targets of the same endpoint that share the model or the pathway: the nearest controls."""
    return [
        other
        for other in targets
        if other.key != target.key
        and other.endpoint.name == target.endpoint.name
        and (other.model == target.model or other.pathway == target.pathway)
    ]


def quota_key(target: Target) -> tuple[str, str]:
    """What `max_per_minute` counts over: the endpoint and its deployment, whatever the pathway."""
    return target.endpoint.name, target.endpoint.deployment(target.model, target.pathway) or target.model


def watch(history: History, cell: Cell, rule: Rule, windows: Iterable[Window], now: datetime) -> Watching:
    """How closely to watch a cell after what is stored."""
    last = history.last_run(cell, now)
    if last is None:
        return Watching(cell=cell, attention=Attention.CALM)
    own = [window for window in windows if window.cell == cell]
    mine = [window for window in own if window.state is State.DOWN]
    began = max((window.closed_at for window in mine if window.closed_at), default=None)
    oldest = oldest_number(rule.down, last.number, last.started_at, reached(history, cell))
    bad = _bad_in_look_back(history, cell, oldest, began, now)
    if any(window.open for window in mine):
        recovered = not bad or bad[-1].number < last.number
        return Watching(cell=cell, attention=Attention.CLOSING if recovered else Attention.OPEN)
    if is_settled(rule.down, [run.number for run in bad], last.number, oldest):
        # What is degraded is watched as closely as what is down, so that its end is known to the minute.
        slow = any(window.open for window in own)
        return Watching(cell=cell, attention=Attention.OPEN if slow else Attention.CALM)
    first = len(bad) == 1 and bad[0].number == last.number
    return Watching(cell=cell, attention=Attention.CONFIRMING, first_bad=bad[0].started_at if first else None)


def _bad_in_look_back(
    history: History, cell: Cell, oldest: int, since: datetime | None, now: datetime
) -> Sequence[StoredRun]:
    """The failed runs from the number *oldest* on, since the look-back began."""
    start = history.start_of(cell, oldest)
    begins = max((at for at in (start, since) if at), default=None)
    bad: list[StoredRun] = []
    before: StoredRun | None = None
    for run in history.not_passed(cell, begins, now):
        if starts_afresh(run, before, bad[-1].number if bad else None):
            bad.clear()
        if run.verdict is Verdict.FAILED and run.number >= oldest:
            bad.append(run)
        before = run
    return bad
