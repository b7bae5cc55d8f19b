"""What pages, JSON and metrics know of each cell: its state now, and its numbers over a period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

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
    """One cell at `now` and over a period: `windows` touching it, what was `unseen`, `counts` per bucket.

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
    period: Span
    bucket: timedelta
    now: datetime
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

    @cached_property
    def standing(self) -> CellState:
        """The state of the cell now; during maintenance nothing else is said."""
        found = standing(
            windows=self.windows,
            last_at=self.last.started_at if self.last else None,
            last_verdict=self.last.verdict if self.last else None,
            first_at=self.steady_since,
            patience=self.patience,
            now=self.now,
            blind=self.is_blind,
        )
        for hole in self.unseen:
            if hole.reason == MAINTENANCE and hole.start <= self.now < hole.end:
                return replace(found, state=State.MAINTENANCE, since=hole.start)
        return found

    @property
    def state(self) -> State:
        """The state of the cell now."""
        return self.standing.state

    @property
    def since(self) -> datetime | None:
        """Since when it is in that state."""
        return self.standing.since

    @property
    def lasting(self) -> timedelta | None:
        """How long it has been in that state."""
        return None if self.since is None else self.now - self.since

    @property
    def gaps(self) -> list[Span]:
        """The time without runs: of a window, not certain to have been down."""
        return [Span(hole.start, hole.end) for hole in self.unseen if hole.reason == GAP]

    @cached_property
    def uptime(self) -> Uptime:
        """The uptime over the period as far as it has passed."""
        passed = Span(self.period.start, min(self.period.end, self.now))
        measured = subtract([passed], (Span(hole.start, hole.end) for hole in self.unseen))
        return compute_uptime(
            passed,
            measured=measured,
            down=down_spans(self.windows, self.now),
            failed=self.totals.failed,
            total=self.totals.total,
        )

    @cached_property
    def lane(self) -> Lane:
        """The lane of the cell over the period."""
        return cut(
            self.period,
            self.bucket,
            counts=self.counts,
            windows=self.windows,
            unseen=self.unseen,
            now=self.now,
            marks=self.marks,
        )
