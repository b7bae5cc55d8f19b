"""A history in which the runs inside planned maintenance count as not measured.

Numbers close up over what lies inside. They are counted from the newest run backwards, so that only the
maintenance behind what is read has to be looked at; only their differences mean something.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter

from monitor.core.maintenance import Maintenance, covered
from monitor.core.model import Cell, Verdict
from monitor.core.overlay import Overlay
from monitor.core.summary import Span
from monitor.core.windows import History, Run

_START = attrgetter("start")


def pause(history: History, plans: Sequence[Maintenance]) -> History:
    """The history without what lies inside these plans; itself where there are none."""
    return PausedHistory(history, plans) if plans else history


@dataclass(slots=True)
class _Pauses:
    """The maintenance of one cell, and how many conclusive runs lie in each, counted when asked for."""

    whole: History
    cell: Cell
    spans: Sequence[Span]
    _sizes: dict[int, int] = field(default_factory=dict)
    _before: dict[int, int] = field(default_factory=dict)

    def index(self, instant: datetime) -> int:
        """The first span that ends behind an instant; their number where there is none."""
        at = bisect_right(self.spans, instant, key=_START)
        return at - 1 if at and instant < self.spans[at - 1].end else at

    def holds(self, instant: datetime) -> bool:
        """Whether a run begun then lies inside maintenance."""
        at = self.index(instant)
        return at < len(self.spans) and self.spans[at].start <= instant

    def size(self, index: int) -> int:
        """The conclusive runs inside a span."""
        if index not in self._sizes:
            span = self.spans[index]
            self._sizes[index] = self.whole.count(self.cell, span.start, span.end)
        return self._sizes[index]

    def before(self, index: int) -> int:
        """The conclusive runs before a span."""
        if index not in self._before:
            self._before[index] = self.whole.count(self.cell, None, self.spans[index].start)
        return self._before[index]

    def after(self, index: int) -> int:
        """The conclusive runs inside this span and those behind it: what numbers before it close up by."""
        return sum(self.size(later) for later in range(index, len(self.spans)))

    def number(self, run: Run) -> int:
        """The number of a run with those behind it closed up."""
        at = self.index(run.started_at)
        inside = at < len(self.spans) and self.spans[at].start <= run.started_at
        return (self.before(at) if inside else run.number) + self.after(at)

    def position(self, instant: datetime | None) -> int:
        """The number of the last run before an instant."""
        if instant is None:
            return self.whole.count(self.cell, None, None)
        at = self.index(instant)
        inside = at < len(self.spans) and self.spans[at].start <= instant
        return (self.before(at) if inside else self.whole.count(self.cell, None, instant)) + self.after(at)

    def own_number(self, number: int) -> int:
        """The number in the whole history of what is closed up to this one."""
        for at in range(len(self.spans), 0, -1):
            found = number - self.after(at)
            if found > self.before(at - 1) + self.size(at - 1):
                return found
        return number - self.after(0)


@dataclass(frozen=True, slots=True)
class PausedHistory(Overlay):
    """The `History` protocol over another one, less what planned maintenance takes out of it."""

    plans: Sequence[Maintenance]
    _pauses: dict[Cell, _Pauses] = field(default_factory=dict, repr=False)

    def _of(self, cell: Cell) -> _Pauses:
        if cell not in self._pauses:
            newest = self.whole.newest()
            first = self.whole.start_of(cell, 1) or newest
            spans: Sequence[Span] = ()
            if newest is not None and first is not None:
                spans = covered(self.plans, cell.target, first, newest + timedelta(days=1))
            self._pauses[cell] = _Pauses(self.whole, cell, spans)
        return self._pauses[cell]

    def _mask(self, cell: Cell, run: Run) -> Run:
        pauses = self._of(cell)
        number = pauses.number(run)
        if pauses.holds(run.started_at):
            return run._replace(number=number, verdict=Verdict.INCONCLUSIVE, paused=True)
        return run._replace(number=number)

    def notable(self, cell: Cell, since: datetime | None, until: datetime | None) -> Sequence[Run]:
        """The notable runs, those inside maintenance as inconclusive."""
        runs = self.whole.notable(cell, since, until)
        return [self._mask(cell, run) for run in runs] if self._of(cell).spans else runs

    def count(self, cell: Cell, since: datetime | None, until: datetime | None) -> int:
        """How many conclusive runs have ``since <= started_at < until``, less those inside maintenance.

        Without *since* the count goes on from the numbers, which do not begin at 1.
        """
        pauses = self._of(cell)
        if not pauses.spans:
            return self.whole.count(cell, since, until)
        upper = pauses.position(until)
        return upper if since is None else max(0, upper - pauses.position(since))

    def start_of(self, cell: Cell, number: int) -> datetime | None:
        """When the conclusive run of that closed-up number began."""
        return self.whole.start_of(cell, self._of(cell).own_number(number))

    def last_run(self, cell: Cell, until: datetime | None) -> Run | None:
        """The latest run, as inconclusive where it lies inside maintenance."""
        run = self.whole.last_run(cell, until)
        return run if run is None or not self._of(cell).spans else self._mask(cell, run)
