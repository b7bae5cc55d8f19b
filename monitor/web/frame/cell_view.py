"""What a page knows before it is worded: values read from the store, per cell and as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from monitor.core.incidents.incident import StoredIncident
from monitor.core.intervals import Span, subtract
from monitor.core.model import Cell, State, Verdict
from monitor.core.outages.marks import Mark
from monitor.core.outages.rule import GAP_INTERVALS
from monitor.core.outages.uptime import CellState, Uptime, compute_uptime, down_spans, standing
from monitor.core.outages.windows import Window
from monitor.core.views.lanes import GAP, MAINTENANCE, NO_RUN, Counts, Lane, Unseen, cut

MEASURABLE = frozenset({GAP, NO_RUN, MAINTENANCE})  # unseen for other reasons than blindness


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The newest run of a cell."""

    id: str
    started_at: datetime
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class CellView:
    """One cell over a period: `windows` touching it, what was `unseen`, `counts` per bucket.

    `steady_since` is the first run after the last gap; `histogram` counts the latencies of good runs
    in the period; `watched` says whether the running configuration still asks for it.
    """

    cell: Cell
    provider: str | None
    region: str | None
    every: timedelta
    watched: bool
    first_at: datetime | None
    steady_since: datetime | None
    last: LastRun | None
    windows: Sequence[Window] = ()
    unseen: Sequence[Unseen] = ()
    counts: Mapping[datetime, Counts] = field(default_factory=dict)
    histogram: Sequence[int] = ()
    marks: Sequence[Mark] = ()

    @property
    def patience(self) -> timedelta:
        """How long silence may last before the state is unknown."""
        return self.every * GAP_INTERVALS

    @cached_property
    def totals(self) -> Counts:
        """The runs of the period."""
        return Counts.of(self.counts.values())

    @property
    def is_blind(self) -> bool:
        """Whether the newest run lies in a blind span: it measured us, and not the target."""
        return self.last is not None and any(
            hole.reason not in MEASURABLE and hole.start <= self.last.started_at <= hole.end
            for hole in self.unseen
        )

    def standing(self, now: datetime) -> CellState:
        """The state of the cell now; during maintenance nothing else is said."""
        for hole in self.unseen:
            if hole.reason == MAINTENANCE and hole.start <= now < hole.end:
                return replace(self._measured(now), state=State.MAINTENANCE, since=hole.start)
        return self._measured(now)

    def _measured(self, now: datetime) -> CellState:
        return standing(
            windows=self.windows,
            last_at=self.last.started_at if self.last else None,
            last_verdict=self.last.verdict if self.last else None,
            first_at=self.steady_since,
            patience=self.patience,
            now=now,
            blind=self.is_blind,
        )

    def uptime(self, period: Span, now: datetime) -> Uptime:
        """The uptime over *period* as far as it has passed."""
        passed = Span(period.start, min(period.end, now))
        measured = subtract([passed], (Span(hole.start, hole.end) for hole in self.unseen))
        return compute_uptime(
            passed,
            measured=measured,
            down=down_spans(self.windows, now),
            failed=self.totals.failed,
            total=self.totals.total,
        )

    def lane(self, period: Span, bucket: timedelta, now: datetime) -> Lane:
        """The lane of the cell over *period*."""
        return cut(
            period,
            bucket,
            counts=self.counts,
            windows=self.windows,
            unseen=self.unseen,
            now=now,
            marks=self.marks,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewView:
    """Everything the overview shows: cells in order, incidents still open and those gone by."""

    period: Span
    bucket: timedelta
    now: datetime
    newest: datetime | None
    cells: Sequence[CellView]
    unresolved: Sequence[StoredIncident]
    recent: Sequence[StoredIncident]
