"""What pages, JSON and metrics know of a cell: its state and numbers, and what only people look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from monitor.core.outages.marks import Mark
from monitor.core.outages.rule import GAP_INTERVALS
from monitor.core.views.cell_state import CellState
from monitor.core.views.lanes import Counts, Lane, cut


@dataclass(frozen=True, kw_only=True)
class CellView(CellState):
    """One cell with its lane and its latencies.

    `watched` says whether the running configuration still asks for it; `buckets` are the runs per bucket
    of the lane, `histogram` counts the latencies of good runs in the period.
    """

    provider: str | None
    region: str | None
    every: timedelta
    watched: bool
    bucket: timedelta | None = None
    buckets: Mapping[datetime, Counts] = field(default_factory=dict)
    histogram: Sequence[int] = ()
    marks: Sequence[Mark] = ()

    @property
    def patience(self) -> timedelta:
        """How long silence may last before the state is unknown."""
        return self.every * GAP_INTERVALS

    @cached_property
    def lane(self) -> Lane:
        """The lane of the cell over the period."""
        return cut(
            self.period,
            self.bucket or self.period.length,
            counts=self.buckets,
            windows=self.windows,
            unseen=self.unseen,
            now=self.now,
            marks=self.marks,
        )
