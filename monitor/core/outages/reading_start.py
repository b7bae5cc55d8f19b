"""How far back a cell must be read, so that everything derived from there on equals what
the whole history gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from monitor.core.model import Cell, Verdict
from monitor.core.outages.blind_spans import ReachingRuns, is_unreachable
from monitor.core.outages.gaps import interval
from monitor.core.outages.history import INSTANT, History, StoredRun, until_after
from monitor.core.outages.lookback import span_of
from monitor.core.outages.rule import Rule

# A cell is clear at the start of a run when nothing before it can change what is derived from there on:
#
#     F F F F . . . . . . . . . . . . . . . . . . . . . | F …
#           |← as many passes as any look-back holds   →|
#           |← and longer than a relapse may continue  →|
#
# Behind that bar no window is open, no bad run is in a look-back, and no new stretch of bad runs continues
# the old window. Reading begins there, instead of at the first run of all.

_KEPT = 8  # bounds from which deriving began lately
_STRETCHES = (timedelta(hours=6), timedelta(days=2), timedelta(days=14))


def clear_instant(history: History, cell: Cell, rule: Rule, before: datetime) -> datetime | None:
    """The latest instant found, not after *before*, that is clear for the cell; None for the beginning."""
    newest = history.count(cell, None, until_after(before))
    last = history.last_run(cell, before)
    if last is None or newest == 0:
        return None
    # Most cells are clear within hours, so that little is read first; only where that does not do, more.
    for stretch in _STRETCHES:
        since = before - stretch
        bad = _bad(history, cell, since, before)
        longest = max(_continuation(history, cell, rule, run) for run in (*bad, last))
        if longest <= stretch:
            unseen = (history.count(cell, None, since), since + longest)
            found = _find(history, cell, rule, newest, [unseen, *_reaches(history, cell, rule, bad)])
            if found is not None:
                return found
    bad = _bad(history, cell, None, before)
    return _find(history, cell, rule, newest, _reaches(history, cell, rule, bad))


class Clearings:
    """Clear instants as they were found, for as long as nothing is stored or planned before them.

    An instant follows from the runs up to its bound alone. `hold` says on what they rest: with another
    *basis* nothing is known any more, and what is not older than *settled* is not kept.
    """

    def __init__(self) -> None:
        self._found: dict[datetime, dict[Cell, datetime | None]] = {}
        self._basis: object = None
        self._settled: datetime | None = None

    def hold(self, basis: object, settled: datetime | None) -> None:
        """Forget what rests on another basis."""
        if basis != self._basis:
            self._found.clear()
        self._basis, self._settled = basis, settled

    def forget(self) -> None:
        """A run came late: nothing is known any more."""
        self._found.clear()

    def find(self, history: History, cell: Cell, rule: Rule, before: datetime) -> datetime | None:
        """`clear_instant`, looked up where it was asked before."""
        if self._settled is None or before >= self._settled:
            return clear_instant(history, cell, rule, before)
        if before not in self._found:
            while len(self._found) >= _KEPT:
                del self._found[next(iter(self._found))]
            self._found[before] = {}
        found = self._found[before]
        if cell not in found:
            found[cell] = clear_instant(history, cell, rule, before)
        return found[cell]


def _bad(history: History, cell: Cell, since: datetime | None, until: datetime) -> list[StoredRun]:
    runs = history.not_passed(cell, since, until)
    return [run for run in runs if run.verdict in (Verdict.FAILED, Verdict.DEGRADED)]


def _continuation(history: History, cell: Cell, rule: Rule, run: StoredRun) -> timedelta:
    every = interval(history, cell, run.every_s) or timedelta(0)
    return max(max(track.merge, track.merge_intervals * every) for track in (rule.down, rule.degraded))


def _reaches(
    history: History, cell: Cell, rule: Rule, bad: Iterable[StoredRun]
) -> list[tuple[int, datetime]]:
    return [(run.number, run.started_at + _continuation(history, cell, rule, run)) for run in bad]


def _find(
    history: History, cell: Cell, rule: Rule, newest: int, bad: Sequence[tuple[int, datetime]]
) -> datetime | None:
    """The start of a run that ends enough passes after one bad run, beyond the reach of all before it."""
    need = max(rule.down.of, rule.down.good, rule.degraded.of, rule.degraded.good)
    latest = list(accumulate((until for _, until in bad), max))
    upper = newest
    for (number, _), until in zip(reversed(bad), reversed(latest), strict=True):
        if upper - number >= need:
            start = history.start_of(cell, upper)
            if start is not None and start > until and _has_left(history, cell, rule, number, start):
                return start
        upper = number - 1
    return None


def _has_left(history: History, cell: Cell, rule: Rule, number: int, at: datetime) -> bool:
    """Whether the bad run of that number has left every look-back of runs begun after *at*."""
    following = history.start_of(cell, number + 1)
    longest = max(span_of(rule.down), span_of(rule.degraded))
    return following is not None and following <= at - longest


def dark_since(history: History, runs: Mapping[Cell, Sequence[StoredRun]], before: datetime) -> datetime:
    """The start of the stretch before an instant in which the location reached nothing at all.

    *runs* are the notable runs of its cells. A run begun at *before* may make the stretch a blind span
    by touching another endpoint, or end it where it went on, and so change what every run in the
    stretch counts for. *before* itself where the last conclusive run reached something.
    """
    dark = {
        cell: [run for run in notable if is_unreachable(run) and run.started_at < before]
        for cell, notable in runs.items()
    }
    last = ReachingRuns(history, dark).last(before - INSTANT)
    return min(
        (run.started_at for found in dark.values() for run in found if run.started_at > last), default=before
    )
