"""Compose what is known of one cell: its state now; counts, unmeasured time and uptime over a period.

One composition for pages, API, advice, metrics and tickets. It rests on what the derivation says: its
windows, and what `read_unmeasured` finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from monitor.core.intervals import Span, subtract
from monitor.core.model import Cell, State, Verdict
from monitor.core.outages.history import INSTANT, StoredRun
from monitor.core.outages.maintenance import Maintenance, covered
from monitor.core.outages.self_observations import BlindSpan
from monitor.core.outages.unmeasured import Unmeasured
from monitor.core.outages.uptime import Uptime, compute_uptime, down_spans
from monitor.core.outages.windows import Window
from monitor.core.views.lanes import GAP, MAINTENANCE, Counts, Unseen, find_unseen

_NONE = Counts()
_LONGEST = timedelta(days=400)  # so far back the beginning of maintenance is sought


class LastRun(NamedTuple):
    """The newest run of a cell."""

    id: str
    started_at: datetime
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class CellState:
    """One cell at `now` and over a period: `windows` touching it, what was `unseen` in it, its runs."""

    cell: Cell
    now: datetime
    period: Span
    state: State
    since: datetime | None
    last: LastRun | None
    windows: Sequence[Window] = ()
    unseen: Sequence[Unseen] = ()
    counts: Counts = _NONE

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
        passed = Span(self.period.start, max(self.period.start, min(self.period.end, self.now)))
        measured = subtract([passed], (Span(hole.start, hole.end) for hole in self.unseen))
        return compute_uptime(
            passed,
            measured=measured,
            down=down_spans(self.windows, self.now),
            failed=self.counts.failed,
            total=self.counts.total,
        )


def state_of(
    *,
    windows: Iterable[Window],
    last_end: datetime | None,
    last: LastRun | None,
    blind: Iterable[BlindSpan],
    planned: datetime | None,
    steady_since: datetime | None,
    patience: timedelta,
    now: datetime,
) -> tuple[State, datetime | None]:
    """The state of a cell *now*, and since when: during maintenance, *planned* since then, nothing else.

    *windows* are those that have not ended, *last_end* is when the last of the others did, *steady_since*
    the first run after the last gap.
    Silence longer than *patience* is unknown and never up; so is what a newest run that measured nothing
    says. A conclusive run ends a blind stretch: from then on the windows speak again.
    """
    if planned is not None:
        return State.MAINTENANCE, planned
    if last is None:
        return State.UNKNOWN, None
    if now - last.started_at > patience or any(_holds(span, last.started_at) for span in blind):
        return State.UNKNOWN, last.started_at
    return _tracked(windows, (steady_since, last_end))


def planned_since(plans: Sequence[Maintenance], cell: Cell, now: datetime) -> datetime | None:
    """Since when the cell has been in planned maintenance; None where it is in none now."""
    spans = covered(plans, cell.target, now, now + INSTANT) if plans else ()
    if not any(span.start <= now < span.end for span in spans):
        return None
    whole = covered(plans, cell.target, now - _LONGEST, now + INSTANT)
    return next(span.start for span in whole if span.start <= now < span.end)


def _holds(span: BlindSpan, at: datetime) -> bool:
    """Whether a run begun then measured nothing; the run that ended the span did."""
    return span.start <= at < span.end or (span.lasting and at == span.end)


def _tracked(windows: Iterable[Window], steady: Iterable[datetime | None]) -> tuple[State, datetime | None]:
    """The worse of the two tracks."""
    starts: dict[State, datetime] = {}
    for window in windows:
        starts[window.state] = min(window.start, starts.get(window.state, window.start))
    for state in (State.DOWN, State.DEGRADED):
        if state in starts:
            return state, starts[state]
    return State.UP, max((at for at in steady if at is not None), default=None)


def unseen_of(
    cell: Cell,
    found: Unmeasured,
    plans: Sequence[Maintenance],
    *,
    period: Span,
    first_at: datetime | None,
    now: datetime,
) -> tuple[Unseen, ...]:
    """What of a period was not measured, and why: no run yet, gaps, blind spans, maintenance."""
    holes = [Unseen(gap.start, gap.end, GAP) for gap in found.gaps if gap.cell == cell]
    holes += [Unseen(span.start, span.end, span.reason) for span in found.of(cell)]
    if plans:
        end = max(period.end, now)
        holes += [Unseen(*span, MAINTENANCE) for span in covered(plans, cell.target, period.start, end)]
    return find_unseen(period, first_at=first_at, holes=holes, now=now)


def measured_counts(
    counts: Mapping[datetime, Counts],
    *,
    masked: Iterable[StoredRun],
    paused: Mapping[datetime, Counts],
    period: Span,
    bucket: timedelta | None,
) -> Mapping[datetime, Counts]:
    """The runs per bucket, those that a blind span masks and those inside maintenance as inconclusive.

    Without a *bucket* all runs of the *period* are counted at its start.
    """
    width = bucket or period.length
    found = dict(counts)
    for run in masked:
        if period.start <= run.started_at < period.end:
            at = period.start + (run.started_at - period.start) // width * width
            known = found[at]
            found[at] = known._replace(failed=known.failed - 1, inconclusive=known.inconclusive + 1)
    for at, inside in paused.items():
        passed, degraded, failed, inconclusive = (
            all_ - out for all_, out in zip(found[at], inside, strict=True)
        )
        found[at] = Counts(passed, degraded, failed, inconclusive + sum(inside))
    return found
