"""Find what counts for neither side: gaps, blind spans, and the runs that a blind span masks.

The derivation, `replay`, pages, API and tickets all read it here, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.intervals import Span
from monitor.core.model import Cell
from monitor.core.outages.blind_spans import (
    Block,
    ReachingRuns,
    find_blocks,
    is_unreachable,
    own_spans,
    unmeasured_spans,
)
from monitor.core.outages.gaps import Gap, derive_gaps, gap_at, interval
from monitor.core.outages.history import History, StoredRun
from monitor.core.outages.rule import GAP_INTERVALS
from monitor.core.outages.self_observations import BlindSpan

_LEAST_INTERVAL = timedelta(minutes=1)

Runs = Mapping[Cell, Sequence[StoredRun]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeasured:
    """What of some cells counts for neither side.

    `gaps` are by cell, `own` the stretches in which the monitor was unfit, `blocks` those in which a
    location reached nothing, `stretches` those of a cell's inconclusive runs.
    """

    gaps: Sequence[Gap]
    own: Sequence[BlindSpan]
    blocks: Sequence[Block]
    stretches: Sequence[BlindSpan]

    @property
    def blind(self) -> tuple[BlindSpan, ...]:
        """Every blind span; one without a cell is of its whole location."""
        return (*self.own, *(block.span for block in self.blocks), *self.stretches)

    @property
    def masked(self) -> Mapping[Cell, Sequence[StoredRun]]:
        """The runs that a blind span masks, by cell."""
        found: dict[Cell, list[StoredRun]] = {}
        for block in self.blocks:
            for cell, runs in block.masked.items():
                found.setdefault(cell, []).extend(runs)
        return found

    def of(self, cell: Cell) -> list[BlindSpan]:
        """The blind spans of a cell."""
        return [span for span in self.blind if span.location == cell.location and span.cell in (None, cell)]


def find_unmeasured(history: History, runs: Runs, *, since: datetime | None, now: datetime) -> Unmeasured:
    """What of these notable runs, up to *now* and of all cells of their locations, measured nothing."""
    locations: dict[str, dict[Cell, Sequence[StoredRun]]] = {}
    for cell, own in runs.items():
        locations.setdefault(cell.location, {})[cell] = own
    return Unmeasured(
        gaps=[gap for cell, own in runs.items() for gap in derive_gaps(history, cell, own, now=now)],
        own=[span for place in locations for span in own_spans(history.sights(place, since, now), now=now)],
        blocks=[block for here in locations.values() for block in find_blocks(history, here, now=now)],
        stretches=[
            span for cell, own in runs.items() for span in unmeasured_spans(history, cell, own, now=now)
        ],
    )


def margin_of(history: History) -> timedelta:
    """Three of the longest interval: whoever has no run in it is in a gap."""
    last = ((cell, history.last_run(cell, None)) for cell in history.cells())
    known = (interval(history, cell, run.every_s) for cell, run in last if run is not None)
    return GAP_INTERVALS * max((every for every in known if every is not None), default=_LEAST_INTERVAL)


def read_unmeasured(history: History, period: Span, *, now: datetime) -> Unmeasured:
    """What was not measured in a period, as the whole history up to *now* says it.

    What reaches across a bound is found by reading a margin beyond it. Where a location reached nothing in
    the margin either, or the margin ends in maintenance, whose runs end nothing, more is read::

        period                       [··············]
        reached, × unreachable  ○  ×  ×  ×  ×  ×  ×  ×  ×  ○
        read                    [←─────────────────────────→]
    """
    end, margin = min(period.end, now), margin_of(history)
    locations: dict[str, list[Cell]] = {}
    for cell in history.cells():
        locations.setdefault(cell.location, []).append(cell)
    parts = [_read(history, cells, Span(period.start, end), margin, now) for cells in locations.values()]
    crossing = (gap_at(history, cell, end, now=now) for cells in locations.values() for cell in cells)
    return Unmeasured(
        gaps=[*(gap for part in parts for gap in part.gaps), *(gap for gap in crossing if gap)],
        own=[span for part in parts for span in part.own],
        blocks=[block for part in parts for block in part.blocks],
        stretches=[span for part in parts for span in part.stretches],
    )


def _read(
    history: History, cells: Sequence[Cell], period: Span, margin: timedelta, now: datetime
) -> Unmeasured:
    before = after = max(margin, _LEAST_INTERVAL)
    newest = history.newest() or now
    while True:
        since, until = period.start - before, min(period.end + after, now)
        runs = {cell: history.not_passed(cell, since, until) for cell in cells}
        dark = {cell: [run for run in own if is_unreachable(run)] for cell, own in runs.items()}
        reaching = ReachingRuns(history, dark) if any(dark.values()) else None
        earlier = [run for cell in cells if (run := history.last_run(cell, since))]
        is_whole = not any(run.paused for run in earlier) and (
            reaching is None or not earlier or reaching.last(period.start) >= since
        )
        is_over = until >= min(now, newest) or (
            (reaching is None or reaching.following(period.end, until) <= until)
            and not any(run.paused for cell in cells if (run := history.last_run(cell, until)))
        )
        if is_whole and is_over:
            break
        before, after = before * (1 if is_whole else 4), after * (1 if is_over else 4)
    return find_unmeasured(history, runs, since=period.start, now=until)
