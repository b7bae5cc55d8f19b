"""One short transaction: outcomes, what they mean, and what is owed because of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.model import Cell
from monitor.core.sampling import Slots
from monitor.core.sights import Sight
from monitor.pipeline.observe import Observed
from monitor.pipeline.pace import Pace
from monitor.pipeline.verdict import House, Judged, judge
from monitor.store.engine import Database
from monitor.store.heartbeats import add_skips, beat
from monitor.store.outcomes import Added, AddResult, add_outcomes, pack_evidence
from monitor.store.pages import newest_run
from monitor.store.sights import add_sights


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Slots that were due and not run, and why."""

    cell: Cell
    slots: Slots
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What one transaction did; `results` in the order of the outcomes."""

    results: Sequence[AddResult]
    judged: Judged


def record(
    database: Database,
    items: Sequence[Observed | Skipped | Sight],
    house: House,
    *,
    now: datetime,
    lag: timedelta = timedelta(0),
    pace: Pace | None = None,
) -> Recorded:
    """Store what came, and everything that follows from it.

    Without items it stores what only time brings: a sign of life, a resolution, a reminder. With a
    *pace* what follows waits until it is due by it; without one nothing waits. Raises DatabaseError;
    then nothing is stored and the same call may be made again.
    """
    pace = Pace.without_waiting() if pace is None else pace
    observed = [item for item in items if isinstance(item, Observed)]
    # Packing takes longer than storing: it is done before the transaction begins.
    packed = [(one.outcome, one.evidence and pack_evidence(one.evidence)) for one in observed]
    skipped = [(item.cell, item.slots, item.reason) for item in items if isinstance(item, Skipped)]
    sights = [item for item in items if isinstance(item, Sight)]
    with database.write() as tx:
        results = add_outcomes(tx, packed)
        add_skips(tx, skipped)
        add_sights(tx, sights)
        beat(tx, now, lag, location=house.location)
        added = [
            outcome
            for (outcome, _), result in zip(packed, results, strict=True)
            if result.added is Added.ADDED
        ]
        newest = newest_run(tx)
        pace.hear(added, newest, now)
        for sight in sights:
            pace.see(sight, now)
        if not pace.is_due(now):
            return Recorded(results=results, judged=Judged())
        began = pace.stopwatch()
        judged = judge(tx, house, now=now, touched=pace.touched, bad=pace.bad, pace=pace)
    pace.follow(judged.outlook, pace.stopwatch() - began)
    return Recorded(results=results, judged=judged)
