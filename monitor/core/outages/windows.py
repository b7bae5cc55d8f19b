"""A cell's runs and a rule give its windows; nothing here passes over the runs that passed.

A cell is followed through the runs that did not pass. Their running `number` says how many good runs lie
between two bad ones, which is all that opening, closing and the look-back need.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitor.core.model import Cell, State, Verdict
from monitor.core.outages.gaps import interval
from monitor.core.outages.history import History, StoredRun, until_after
from monitor.core.outages.lookback import (
    Reached,
    held,
    is_settled,
    oldest_number,
    opening,
    reached,
    starts_afresh,
)
from monitor.core.outages.rule import Rule, Threshold

# What the fields of a window name, by a run a minute; F failed, . passed, the rule 3 of 5, closed by 5 good:
#
#     .   .   F   F   F   .   F   .   .   .   .   .   .
#         |   |       |       |   |               |
#         |   |       |       |   |               closed_at: the fifth good run in a row
#         |   |       |       |   end: the first of them
#         |   |       |       end_after: the last bad run
#         |   |       decided_at: the third bad run, with which the rule is met
#         |   start: the first bad run of that look-back
#         start_after: the last good run before it
#
# It began between `start_after` and `start`, and was over between `end_after` and `end`. The good run inside
# does not end it. `failed`/`total` are 4/5: the runs from `start` up to, and without, `end`.


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch in which a cell was down or degraded; instants are starts of runs.

    `end_after` is the last bad run so far; `end` is None while open or while a closing streak is
    unfinished. `decided_at` is when the rule opened it, `closed_at` when it closed it.
    `continues_until`: a bad stretch starting by then continues this window.
    """

    cell: Cell
    state: State
    start: datetime
    start_after: datetime | None
    end: datetime | None
    end_after: datetime
    failed: int
    total: int
    open: bool
    decided_at: datetime
    closed_at: datetime | None
    continues_until: datetime
    first_id: str
    last_id: str
    unwatched: bool = False  # it ended since its target left the configuration, and may fail still


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Bad runs in a look-back that has not opened a window: at the next run they still count."""

    cell: Cell
    state: State
    first_at: datetime
    last_at: datetime
    bad: int


BAD = {
    State.DOWN: frozenset({Verdict.FAILED}),
    State.DEGRADED: frozenset({Verdict.FAILED, Verdict.DEGRADED}),
}


def in_window(window: Window, instant: datetime) -> bool:
    """Whether a run begun then lies in the window: ``start <= instant < end``."""
    return window.start <= instant and (window.end is None or instant < window.end)


def overlaps(window: Window, start: datetime, end: datetime | None) -> bool:
    """Whether the window shares time with ``[start, end)``; None stands for now."""
    return (end is None or window.start < end) and (window.end is None or window.end > start)


def derive_windows(
    history: History, cell: Cell, runs: Sequence[StoredRun], rule: Rule, *, now: datetime
) -> tuple[tuple[Window, ...], tuple[Pending, ...]]:
    """The cell's windows of both tracks in order of start, and the bad runs still undecided.

    *runs* are the notable runs up to *now*: all of them, or those from an instant at which nothing earlier
    matters any more (`monitor.core.outages.reading_start`). A degraded window is kept only where enough of
    its bad runs lie outside the down windows. What still fails when its target leaves the configuration ends
    then: nobody will ever see it pass.
    """
    if all(run.verdict not in BAD[State.DEGRADED] for run in runs):
        return (), ()
    follow = _Follower(history=history, cell=cell, rule=rule, now=now)
    follow.all(runs)
    bad_at = _bad_at(runs, State.DEGRADED)
    down = follow.windows(follow.down, runs)
    slow = follow.windows(follow.degraded, runs)
    kept = [window for window in slow if _outside(window, down, bad_at) >= rule.degraded.bad]
    windows = sorted([*down, *kept], key=lambda window: (window.start, window.state))
    left = _left(history, cell, now)
    if left is None:
        return tuple(windows), tuple(follow.pending())
    return tuple(_ended(window, left) if window.open else window for window in windows), ()


def _left(history: History, cell: Cell, now: datetime) -> datetime | None:
    """When the cell was left alone for good: its target is watched no more, and was not run since."""
    since = history.unwatched_since(cell)
    if since is None or since > now:
        return None
    last = history.last_run(cell, now)
    return None if last is None or last.started_at >= since else since


def _ended(window: Window, left: datetime) -> Window:
    return replace(window, open=False, end=left, closed_at=left, continues_until=left, unwatched=True)


def _bad_at(runs: Sequence[StoredRun], state: State) -> list[datetime]:
    return [run.started_at for run in runs if run.verdict in BAD[state]]


def _outside(window: Window, down: Sequence[Window], bad_at: Sequence[datetime]) -> int:
    last = len(bad_at) if window.end is None else bisect_left(bad_at, window.end)
    inside = bad_at[bisect_left(bad_at, window.start) : last]
    beside = [other for other in down if overlaps(window, other.start, other.end)]
    return sum(not any(in_window(other, at) for other in beside) for at in inside)


@dataclass(slots=True)
class _Stretch:
    """A window in the making: the run it began with, when it was decided, the last bad one."""

    first: StoredRun
    decided_at: datetime
    last: StoredRun
    closed: bool = False


@dataclass(slots=True, kw_only=True)
class _Track:
    """One track of a cell, run by run."""

    state: State
    threshold: Threshold
    reached: Reached
    continues_until: Callable[[Threshold, StoredRun], datetime]
    stretches: list[_Stretch] = field(default_factory=list)
    recent: list[StoredRun] = field(default_factory=list)  # the bad runs in the look-back while none is open
    last_bad: StoredRun | None = None
    is_open: bool = False

    # `recent` holds bad runs only, and their numbers say how many good ones lie between: with F . . F F they
    # are 1, 4 and 5, so that the look-back of the run 5 (the numbers 1 to 5) holds three of them.

    def refresh(self, run: StoredRun, before: StoredRun | None) -> None:
        """Empty the look-back where it starts afresh at the run."""
        if starts_afresh(run, before, self.last_bad and self.last_bad.number):
            self.recent = []

    def close(self, newest: int) -> None:
        """Close the open stretch where enough good runs followed its last bad one by *newest*."""
        if self.is_open and newest - self.stretches[-1].last.number >= self.threshold.good:
            self.stretches[-1].closed, self.is_open = True, False

    def take(self, run: StoredRun) -> int | None:
        """Take in a bad run; the index in `recent` of the first one where the rule now opens a window."""
        self.close(run.number - 1)
        self.last_bad = run
        if self.is_open:
            self.stretches[-1].last = run
            return None
        self.recent.append(run)
        first = opening(self.threshold, self.recent, self.reached)
        if first is None:
            self.recent = held(self.threshold, self.recent, run.number, run.started_at, self.reached)
        return first

    def open(self, first: StoredRun, last: StoredRun, decided_at: datetime) -> None:
        """Open a stretch, or the latest one again where it reaches this far."""
        self.is_open, self.recent = True, []
        if self.stretches and first.started_at <= self.continues_until(
            self.threshold, self.stretches[-1].last
        ):
            self.stretches[-1].last = last
            self.stretches[-1].closed = False
        else:
            self.stretches.append(_Stretch(first=first, decided_at=decided_at, last=last))


@dataclass(slots=True, kw_only=True)
class _Waiting:
    """Failed runs that satisfy the rule of *degraded* while *down* is still under decision for them."""

    first: StoredRun
    last: StoredRun  # the one that satisfied it


@dataclass(slots=True, kw_only=True)
class _Follower:
    """Both tracks of one cell, followed side by side.

    Failed runs alone open *degraded* only once *down* is decided for them: until then the track waits,
    and good runs may be what it waits for::

        F F F F          20 s apart: at the fourth, down opens; degraded opens beside it and is not told
        F . . . F . . . F . . . F . . .     the last run settles that down will not open: degraded does
    """

    history: History
    cell: Cell
    rule: Rule
    now: datetime
    down: _Track = field(init=False)
    degraded: _Track = field(init=False)
    reached: Reached = field(init=False)
    waiting: _Waiting | None = None
    newest: int = 0

    def __post_init__(self) -> None:
        self.reached = reached(self.history, self.cell)
        self.newest = self.reached(self.now)
        self.down = self._track(State.DOWN, self.rule.down)
        self.degraded = self._track(State.DEGRADED, self.rule.degraded)

    def _track(self, state: State, threshold: Threshold) -> _Track:
        return _Track(
            state=state, threshold=threshold, reached=self.reached, continues_until=self._continues_until
        )

    def _continues_until(self, threshold: Threshold, run: StoredRun) -> datetime:
        """Until when a new bad stretch continues the one that this bad run ended."""
        every = interval(self.history, self.cell, run.every_s) or timedelta(0)
        return run.started_at + max(threshold.merge, threshold.merge_intervals * every)

    def all(self, runs: Sequence[StoredRun]) -> None:
        """Follow the notable runs, and the good ones behind the last of them."""
        before: StoredRun | None = None
        for run in runs:
            if before and self.waiting:
                conclusive_before = run.number - (run.verdict is not Verdict.INCONCLUSIVE)
                self._decide_among_good(before.number + 1, conclusive_before)
            self._step(run, before)
            before = run
        if before and self.waiting:
            self._decide_among_good(before.number + 1, self.newest)
        self.down.close(self.newest)
        self.degraded.close(self.newest)

    def _step(self, run: StoredRun, before: StoredRun | None) -> None:
        self.down.refresh(run, before)
        if run.verdict in BAD[State.DOWN]:
            first = self.down.take(run)
            if first is not None:
                self.down.open(self.down.recent[first], run, run.started_at)
        if self.waiting:
            self._wait(run)
            return
        self.degraded.refresh(run, before)
        first = self.degraded.take(run) if run.verdict in BAD[State.DEGRADED] else None
        if first is not None:
            self.degraded.recent = self.degraded.recent[first:]
            self.waiting = _Waiting(first=self.degraded.recent[0], last=run)
            self._decide(run.number, run.started_at)

    def _wait(self, run: StoredRun) -> None:
        """Take in a run while failed runs wait; a look-back that starts afresh decides for them as well."""
        if run.verdict in BAD[State.DEGRADED]:
            self.degraded.recent.append(run)
            self.degraded.last_bad = run
        if run.verdict is not Verdict.INCONCLUSIVE or not self.down.recent:
            self._decide(run.number, run.started_at)

    def _decide_among_good(self, first: int, last: int) -> None:
        """Look among the good runs of these numbers for the one that decides *down*."""
        for number in range(first, last + 1):
            at = self.history.start_of(self.cell, number)
            if at is not None:
                self._decide(number, at)
            if self.waiting is None:
                return

    def _decide(self, number: int, at: datetime) -> None:
        """Open *degraded* at this run where *down* is decided for what waits, or a degraded run waits too."""
        bad, last = self.degraded.recent, self.degraded.last_bad
        if self.waiting is None or last is None:
            return
        if all(run.verdict is Verdict.FAILED for run in bad):
            failed = [run.number for run in self.down.recent]
            oldest = oldest_number(self.rule.down, number, at, self.reached)
            if not is_settled(self.rule.down, failed, number, oldest, self.waiting.last.number):
                return
        self.degraded.open(self.waiting.first, last, at)
        self.waiting = None

    def pending(self) -> list[Pending]:
        """The bad runs that the next run's look-back still holds, by track."""
        found = []
        for track in (self.down, self.degraded):
            recent: Sequence[StoredRun] = track.recent
            if not (self.waiting and track is self.degraded):
                recent = held(track.threshold, recent, self.newest + 1, self.now, self.reached)
            if recent:
                found.append(self._pending(track.state, recent))
        return found

    def _pending(self, state: State, recent: Sequence[StoredRun]) -> Pending:
        first, last = recent[0].started_at, recent[-1].started_at
        return Pending(cell=self.cell, state=state, first_at=first, last_at=last, bad=len(recent))

    def windows(self, track: _Track, runs: Sequence[StoredRun]) -> list[Window]:
        """The windows of one track."""
        numbers = {run.number for run in runs if run.verdict in BAD[track.state]}
        times = _bad_at(runs, track.state)
        return [self._window(track, stretch, numbers, times) for stretch in track.stretches]

    def _window(
        self, track: _Track, stretch: _Stretch, numbers: set[int], times: Sequence[datetime]
    ) -> Window:
        start, last = stretch.first.started_at, stretch.last.started_at
        end = self._start_of(stretch.last.number + 1) if stretch.closed else None
        closed_at = self._start_of(stretch.last.number + track.threshold.good) if stretch.closed else None
        bound = until_after(self.now) if end is None else end
        return Window(
            cell=self.cell,
            state=track.state,
            start=start,
            start_after=self._last_good_before(stretch.first.number, numbers),
            end=end,
            end_after=last,
            failed=bisect_left(times, bound) - bisect_left(times, start),
            total=self.history.count(self.cell, start, bound),
            open=not stretch.closed,
            decided_at=stretch.decided_at,
            closed_at=closed_at and max(closed_at, stretch.decided_at),
            continues_until=self._continues_until(track.threshold, stretch.last),
            first_id=stretch.first.id,
            last_id=stretch.last.id,
        )

    def _start_of(self, number: int) -> datetime | None:
        return self.history.start_of(self.cell, number)

    def _last_good_before(self, number: int, bad: set[int]) -> datetime | None:
        # Bad runs in a row have numbers in a row: the first below that is no bad run's is a good one's.
        number -= 1
        while number in bad:
            number -= 1
        return self._start_of(number) if number > 0 else None
