"""What a start takes over from the store: starts of the last minute, money spent today, pauses asked for.

A limit that a restart forgets is none. It reads, and starts nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from monitor.core.budget import LONGEST_PAUSE, midnight
from monitor.core.delivery import asked_pause
from monitor.core.model import Cell, Failure, Outcome, Target
from monitor.core.sampling import QUOTA_MINUTE
from monitor.store.engine import Database
from monitor.store.heartbeats import killed_runs
from monitor.store.runs import evidence_of, latest_outcomes
from monitor.store.spending import billable_runs, recent_starts

_ASKING = frozenset({Failure.QUOTA, Failure.CAPACITY})
_UNAVAILABLE = 503  # the other status for which RFC 9110, 10.2.3, gives the header a meaning


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
            *recent_starts(tx, location, now - QUOTA_MINUTE),
            *killed_runs(tx, location, now - QUOTA_MINUTE),
        ]
        spent: dict[str, float] = {}
        paid = Counter(billable_runs(tx, location, midnight(now)))
        paid.update(cell for cell, _ in killed_runs(tx, location, midnight(now)))
        for cell, runs in paid.items():
            usd = runs * costs.get(cell.target, _dearest(cell, costs))
            spent[cell.endpoint] = spent.get(cell.endpoint, 0.0) + usd
        pauses: dict[str, datetime] = {}
        newest: dict[str, datetime] = {}
        for cell, last in latest_outcomes(tx).items():
            if cell.location != location or cell.target not in known:
                continue
            newest[cell.target] = last.started_at
            if _may_ask(last):
                until = pause_until(last, evidence_of(tx, last.id))
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
