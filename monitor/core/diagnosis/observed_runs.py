"""What can be looked at when windows are explained: a history, its notable runs, and now.

Counts of runs in a span, by the history's numbers and the runs that did not pass; it explains nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter

from monitor.core.model import Cell, Verdict
from monitor.core.outages.history import History, StoredRun, until_after
from monitor.core.outages.windows import Window

_STARTED = attrgetter("started_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedRuns:
    """A history with the notable runs of every cell, read from before the earliest window up to *now*.

    `history` leaves out what blind spans mask, as far back as the runs go; `whole` leaves out nothing,
    and is what may be asked about the days before.
    """

    history: History
    whole: History
    runs: Mapping[Cell, Sequence[StoredRun]]
    now: datetime
    _hosts: dict[Cell, str] = field(default_factory=dict)

    def not_passed(self, cell: Cell, start: datetime, end: datetime | None) -> Sequence[StoredRun]:
        """The notable runs in ``[start, end)``; an *end* of None takes in now."""
        runs = self.runs[cell]
        bound = until_after(self.now) if end is None else end
        return runs[bisect_left(runs, start, key=_STARTED) : bisect_left(runs, bound, key=_STARTED)]

    def failed(self, cell: Cell, start: datetime, end: datetime | None) -> list[StoredRun]:
        """The failed runs in the span."""
        return [run for run in self.not_passed(cell, start, end) if run.verdict is Verdict.FAILED]

    def total(self, cell: Cell, start: datetime, end: datetime | None) -> int:
        """How many conclusive runs lie in the span."""
        return self.history.count(cell, start, until_after(self.now) if end is None else end)

    def host(self, cell: Cell) -> str:
        """Return the host that the cell's newest run asked: two endpoints with one address share it.

        A run that names no host counts for its endpoint.
        """
        if cell not in self._hosts:
            newest = self.whole.last_run(cell, self.now)
            self._hosts[cell] = (newest.host if newest else None) or cell.endpoint
        return self._hosts[cell]

    def is_control(self, cell: Cell, start: datetime, end: datetime | None) -> bool:
        """Whether the cell has a good run in the span, and none that failed after its newest good one."""
        total = self.total(cell, start, end)
        failed = self.failed(cell, start, end)
        if len(failed) >= total:
            return False
        bound = until_after(self.now) if end is None else end
        return not failed or failed[-1].number < self.history.count(cell, None, bound)

    def telling(self, window: Window) -> list[StoredRun]:
        """The runs whose blame counts: the failed ones; the degraded ones where none failed."""
        failed = self.failed(window.cell, window.start, window.end)
        return failed or [
            run
            for run in self.not_passed(window.cell, window.start, window.end)
            if run.verdict is Verdict.DEGRADED
        ]

    def first_configuration(self, window: Window) -> str | None:
        """The configuration of the window's first bad run: what is changed while it fails moves no blame."""
        first = self.not_passed(window.cell, window.start, until_after(window.start))
        return first[0].configuration if first else None
