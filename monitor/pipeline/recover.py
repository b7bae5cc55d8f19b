"""What a start takes over from the store: lost slots, recent starts, money spent, pauses asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from monitor.core.alerting.retry import asked_pause
from monitor.core.model import Cell, Failure, Outcome, Target
from monitor.core.scheduling.attention import QUOTA_MINUTE, Attention, Slots, Watching, interval
from monitor.core.scheduling.budget import LONGEST_PAUSE, midnight
from monitor.core.scheduling.slots import slots_between
from monitor.store.database.engine import Database
from monitor.store.heartbeats import (
    BEAT_EVERY,
    KILLED,
    PAUSE,
    add_skips,
    read_accounted_slots,
    read_killed_runs,
    read_last_beat,
)
from monitor.store.outcomes.read import read_evidence, read_latest_outcomes
from monitor.store.outcomes.spending import count_billable_runs, read_recent_starts

DOWN = "down: the process did not run"
LOOK_BACK = timedelta(hours=1)  # of a target without a slot in it nothing is said
LATEST_START = timedelta(seconds=15)  # after its slot
LATEST_BEAT = BEAT_EVERY + timedelta(seconds=2)  # a process that lives says so at least this often
_ASKING = frozenset({Failure.QUOTA, Failure.CAPACITY})
_UNAVAILABLE = 503  # the other status for which RFC 9110, 10.2.3, gives the header a meaning


def account(
    database: Database,
    targets: Iterable[Target],
    watched: Iterable[Watching],
    *,
    location: str,
    now: datetime,
) -> int:
    """Record the slots around the last sign of life that have neither outcome nor reason; their number.

    A slot that came due before the end may have been run and paid for; one after it was not. After a pause
    in which the heartbeats themselves show that nothing ran, only the former are recorded. *watched* tells
    which targets had closer slots.
    """
    attention = {one.cell: one.attention for one in watched}
    with database.write() as tx:
        ended = read_last_beat(tx, location=location)
        if ended is None or ended > now:
            return 0
        until = now if now - ended <= PAUSE else ended + LATEST_BEAT
        lost: list[tuple[Cell, Slots, str]] = []
        known = read_accounted_slots(tx, location, ended - LOOK_BACK)
        for target in targets:
            cell = Cell(target.endpoint.name, target.model, target.pathway, location)
            had = known.get(cell)
            if had:  # else it was not watched lately
                every = interval(target, attention.get(cell, Attention.CALM))
                begun = max(min(had), ended - target.timeout - LATEST_START)
                due = slots_between(target.key, every, begun, until)
                lost += (
                    (cell, Slots(first=slot), KILLED if slot <= ended + LATEST_BEAT else DOWN)
                    for slot in due
                    if slot not in had
                )
        add_skips(tx, lost)
    return len(lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """`starts` of the last minute and the `newest` one of all by target key, `spent` today by endpoint,
    `pauses` by target key.
    """

    newest: Mapping[str, datetime]
    starts: Sequence[tuple[str, datetime]]
    spent: Mapping[str, float]
    pauses: Mapping[str, datetime]


def pause_until(outcome: Outcome, document: Mapping[str, Any] | None) -> datetime | None:
    """Until when the provider asked to be left alone, at most an hour; None where it did not."""
    if not document or not _may_ask(outcome):
        return None
    headers = [(str(name), str(value)) for name, value in document.get("response_headers", ())]
    asked = asked_pause(headers, now=outcome.finished_at)
    return None if asked is None else outcome.finished_at + min(asked, LONGEST_PAUSE)


def _may_ask(outcome: Outcome) -> bool:
    return outcome.failure in _ASKING or outcome.http_status == _UNAVAILABLE


def resume(
    database: Database, targets: Iterable[Target], costs: Mapping[str, float], *, location: str, now: datetime
) -> Resumed:
    """What the store says of the limits at *now*; *costs* is what one run of each target costs."""
    known = {target.key: target for target in targets}
    with database.read() as tx:
        starts = [
            *read_recent_starts(tx, location, now - QUOTA_MINUTE),
            *read_killed_runs(tx, location, now - QUOTA_MINUTE),
        ]
        spent: dict[str, float] = {}
        paid = Counter(count_billable_runs(tx, location, midnight(now)))
        paid.update(cell for cell, _ in read_killed_runs(tx, location, midnight(now)))
        for cell, runs in paid.items():
            usd = runs * costs.get(cell.target, _dearest(cell, costs))
            spent[cell.endpoint] = spent.get(cell.endpoint, 0.0) + usd
        pauses: dict[str, datetime] = {}
        newest: dict[str, datetime] = {}
        for cell, last in read_latest_outcomes(tx).items():
            if cell.location != location or cell.target not in known:
                continue
            newest[cell.target] = last.started_at
            if _may_ask(last):
                until = pause_until(last, read_evidence(tx, last.id))
                if until is not None and until > now:
                    pauses[cell.target] = until
    return Resumed(
        newest=newest,
        starts=sorted(((cell.target, at) for cell, at in starts if cell.target in known), key=itemgetter(1)),
        spent=spent,
        pauses=pauses,
    )


def _dearest(cell: Cell, costs: Mapping[str, float]) -> float:
    """For a target that is watched no more: what the endpoint's dearest run costs now."""
    return max((usd for key, usd in costs.items() if key.startswith(f"{cell.endpoint}/")), default=0.0)
