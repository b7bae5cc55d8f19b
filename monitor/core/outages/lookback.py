"""The look-back of a rule: which runs count at a run, when they open a window, when they no longer can.

The look-back of a run is the last `of` conclusive runs up to it, or as many as cover `span` where those
cover less. Good runs in it are not read: running numbers say how many there are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from monitor.core.model import Cell, Verdict
from monitor.core.outages.history import History, StoredRun, until_after
from monitor.core.outages.rule import Threshold

SPAN_TOLERANCE = timedelta(seconds=1)  # slots jitter
LONGEST_SILENCE = timedelta(hours=24)  # a silence after a bad run that is longer empties the look-back


class Numbered(Protocol):
    """What the rule knows of a run."""

    @property
    def number(self) -> int:
        """Its number among the conclusive runs of its cell."""

    @property
    def started_at(self) -> datetime:
        """When it began."""


_R = TypeVar("_R", bound=Numbered)
Reached = Callable[[datetime], int]  # the number of the last conclusive run begun by an instant


def reached(history: History, cell: Cell) -> Reached:
    """The number of the cell's last conclusive run begun by an instant."""
    return lambda instant: history.count(cell, None, until_after(instant))


def span_of(threshold: Threshold) -> timedelta:
    """The span that bad runs must have at least."""
    return max(threshold.span - SPAN_TOLERANCE, timedelta(0))


def oldest_number(threshold: Threshold, number: int, at: datetime, reached: Reached) -> int:
    """The number of the oldest run in the look-back of the run *number*, which began at *at*."""
    by_count = number - threshold.of + 1
    return min(by_count, reached(at - span_of(threshold))) if threshold.span else by_count


def opening(threshold: Threshold, bad: Sequence[Numbered], reached: Reached) -> int | None:
    """The index of the first of these bad runs in the look-back that opens a window at the last; else None.

    A look-back that is longer than `of` runs begins with the latest run that is `span` away, and the bad runs
    span it only if that one is bad::

        of = 5, span = 60 s, a run every 10 s     F F . F F . F
                                                  |← at least 60 s: 7 runs, of which 3/5 must be bad
    """
    last = bad[-1]
    edge = last.started_at - span_of(threshold)
    first = bisect_left(bad, last.number - threshold.of + 1, key=_number)
    runs = threshold.of
    if bad[first].started_at > edge:
        first = bisect_right(bad, edge, key=_started) - 1
        if first < 0 or not _is_latest(bad, first, edge, reached):
            return None
        runs = max(runs, last.number - bad[first].number + 1)
    enough = (len(bad) - first) * threshold.of >= threshold.bad * runs
    return first if enough else None


def _is_latest(bad: Sequence[Numbered], index: int, edge: datetime, reached: Reached) -> bool:
    """Whether no run lies between the bad run at *index* and the edge behind it."""
    return bad[index + 1].number == bad[index].number + 1 or reached(edge) == bad[index].number


def held(threshold: Threshold, bad: Sequence[_R], number: int, at: datetime, reached: Reached) -> list[_R]:
    """Those of the bad runs that the look-back of the run *number*, begun at *at*, holds."""
    if not bad or bad[0].number > number - threshold.of:
        return list(bad)
    return list(bad[bisect_left(bad, oldest_number(threshold, number, at, reached), key=_number) :])


def starts_afresh(run: StoredRun, before: StoredRun | None, last_bad: int | None) -> bool:
    """Whether the look-back of a track starts afresh at a run.

    It does at the cell's first run, at a change of the configuration, and after a gap; but not after a
    gap shorter than a day whose last conclusive run before it was bad. *before* is the notable run before
    this one and *last_bad* the number of the track's last bad run: where that is the last conclusive
    run of all, every run since did not pass either, so that *before* is the run just before the gap.
    """
    if not run.may_reset_lookback:
        return False
    if run.gap_since is None or before is None:
        return True
    conclusive_before = run.number - (run.verdict is not Verdict.INCONCLUSIVE)
    was_bad = last_bad == conclusive_before and before.configuration == run.configuration
    return not (was_bad and run.started_at - run.gap_since < LONGEST_SILENCE)


def is_settled(
    threshold: Threshold, bad: Sequence[int], latest: int, oldest: int, seen_by: int | None = None
) -> bool:
    """Whether no run to come can open a window together with bad runs already seen.

    *bad* holds the numbers of the bad runs since the look-back began, ascending; *latest* is the number
    of the latest conclusive run, *oldest* that of the oldest run in its look-back. With *seen_by* only the
    bad runs up to that number are asked about. Where the look-back is longer than `of` runs, nobody
    can say how many it will hold: there a bad run is settled when it has left.
    """
    for index, number in enumerate(bad):
        if seen_by is not None and number > seen_by:
            break
        seen = latest - number + 1
        if oldest < latest - threshold.of + 1:
            if number >= oldest:
                return False
        elif seen <= threshold.of and len(bad) - index + threshold.of - seen >= threshold.bad:
            return False
    return True


def _number(run: Numbered) -> int:
    return run.number


def _started(run: Numbered) -> datetime:
    return run.started_at
