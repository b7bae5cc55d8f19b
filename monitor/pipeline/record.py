"""One short transaction: outcomes, what they mean, and what is owed because of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from monitor.core.errors import DatabaseError
from monitor.core.model import Cell
from monitor.core.outages.self_observations import SelfObservation
from monitor.core.scheduling.attention import Slots
from monitor.pipeline.derive import DerivationSettings, IncidentUpdate, update_incidents
from monitor.pipeline.observe import Observed
from monitor.pipeline.pace import Outlook, Pace
from monitor.store.database.engine import Database, Transaction
from monitor.store.derivation.self_observations import add_self_observations
from monitor.store.derivation.unjudged import note_unjudged
from monitor.store.heartbeats import add_skips, beat
from monitor.store.outcomes.add import Added, AddResult, add_outcomes
from monitor.store.outcomes.pack import pack_evidence
from monitor.store.overview import read_newest_run

log = structlog.get_logger("record")

TRY_AGAIN = timedelta(minutes=1)  # how long a derivation that failed rests


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Slots that were due and not run, and why."""

    cell: Cell
    slots: Slots
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What one transaction did; `results` in the order of the outcomes.

    `refused`: nothing was stored, since another process stores for this location now.
    """

    results: Sequence[AddResult] = ()
    judged: IncidentUpdate = field(default_factory=IncidentUpdate)
    refused: bool = False


def record(
    database: Database,
    items: Sequence[Observed | Skipped | SelfObservation],
    house: DerivationSettings,
    *,
    now: datetime,
    lag: timedelta = timedelta(0),
    pace: Pace | None = None,
    may_store: Callable[[Transaction], bool] = lambda _tx: True,
) -> Recorded:
    """Store what came, and everything that follows from it.

    Without items it stores what only time brings: a sign of life, a resolution, a reminder. With a
    *pace* what follows waits until it is due by it; without one nothing waits. *may_store* is asked first,
    in the same transaction. Raises DatabaseError; then nothing is stored and the same call may be made again.
    """
    pace = Pace.without_waiting() if pace is None else pace
    observed = [item for item in items if isinstance(item, Observed)]
    # Packing takes longer than storing: it is done before the transaction begins.
    packed = [(one.outcome, one.evidence and pack_evidence(one.evidence)) for one in observed]
    skipped = [(item.cell, item.slots, item.reason) for item in items if isinstance(item, Skipped)]
    sights = [item for item in items if isinstance(item, SelfObservation)]
    with database.write() as tx:
        if not may_store(tx):
            return Recorded(refused=True)
        results = add_outcomes(tx, packed)
        add_skips(tx, skipped)
        add_self_observations(tx, sights)
        beat(tx, now, lag, location=house.location)
        added = [
            outcome
            for (outcome, _), result in zip(packed, results, strict=True)
            if result.added is Added.ADDED
        ]
        newest = read_newest_run(tx)
        pace.hear(added, newest, now)
        for sight in sights:
            pace.see(sight, now)
        if not pace.is_due(now):
            return Recorded(results=results)
        began = pace.stopwatch()
        judged = _judge(database, tx, house, now, pace)
    pace.follow(judged.outlook, pace.stopwatch() - began)
    return Recorded(results=results, judged=judged)


def _judge(
    database: Database, tx: Transaction, house: DerivationSettings, now: datetime, pace: Pace
) -> IncidentUpdate:
    """What follows from what is stored; where deriving it fails, the outcomes are stored all the same."""
    touched = pace.touched
    try:
        with database.part_of(tx):
            return update_incidents(tx, house, now=now, touched=touched, bad=pace.bad, pace=pace)
    except DatabaseError:
        raise
    except Exception:  # one derivation: the outcomes are kept, and judged by a later start
        log.exception("what is stored could not be judged")
        note_unjudged(tx, touched or now)
        return IncidentUpdate(outlook=Outlook(at=now, due=now + TRY_AGAIN))
