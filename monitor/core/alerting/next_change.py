"""When what is stored will mean something else though no run comes: the earliest moment, never a late one.

Until then nothing has to be derived anew. What a person adds, and what another process stores, is found
by looking again now and then; to look too often is only a waste.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from monitor.core.alerting.decide import GROUP_INTERVAL
from monitor.core.alerting.notice import Notice
from monitor.core.incidents.incident import Derivation, Phase, StoredIncident
from monitor.core.incidents.monitor_incidents import BLIND_MERGE
from monitor.core.incidents.reconcile import cells_of, settled_at
from monitor.core.model import Cell
from monitor.core.outages.gaps import gap_limit
from monitor.core.outages.history import INSTANT, History

LOOK_AGAIN = timedelta(seconds=30)
_YOUNG = timedelta(minutes=2)  # what has just begun, or begun to recover, is looked at with every turn


def next_change(
    history: History,
    derivation: Derivation,
    current: Sequence[StoredIncident],
    notices: Iterable[Notice],
    repeat: timedelta,
    now: datetime,
) -> datetime:
    """The earliest moment after *now* at which the same runs may say something else; at most 30 s later.

    *current* are the incidents as they are stored now, *notices* what was owed about them, *repeat* is
    the interval of reminders.
    """
    living = [one for one in current if one.phase not in (Phase.RESOLVED, Phase.DISMISSED)]
    young = any(span.lasting and now - span.start < _YOUNG for span in derivation.unmeasured)
    if young or any(_is_new(one, now) for one in living):
        return now
    moments = [
        *(settled_at(incident) for incident in derivation.incidents if not incident.open),
        *_silences(history, derivation, living, now),
        *(span.end + BLIND_MERGE for span in derivation.unmeasured),
        *(notice.created_at + after for notice in notices for after in (GROUP_INTERVAL, repeat)),
    ]
    return min([now + LOOK_AGAIN, *(at + INSTANT for at in moments if at >= now)])


def _is_new(one: StoredIncident, now: datetime) -> bool:
    latest = max(at for at in (one.start, one.opened_at, one.recovering_at) if at is not None)
    return now - latest < _YOUNG


def _silences(
    history: History, derivation: Derivation, living: Iterable[StoredIncident], now: datetime
) -> Iterator[datetime]:
    """When the silence of a cell that is looked at becomes a gap."""
    cells: set[Cell] = {pending.cell for pending in derivation.pending}
    for one in living:
        cells |= cells_of(one)
    for cell in cells.intersection(history.cells()):
        last = history.last_run(cell, now)
        limit = last and gap_limit(history, cell, last.every_s)
        if last and limit is not None:
            yield last.started_at + limit
