"""How long until an incident was detected and told: the least and the most it can have been.

Nobody looked between two runs, so what began between them has no exact start. It reads windows and the
time of a delivery, and decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.incidents.incident import StoredIncident
from monitor.core.outages.uptime import Bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """The two times of one incident; `notify` is None where nobody was told."""

    detect: Bounds
    notify: timedelta | None


def delays_of(incident: StoredIncident, *, told_at: datetime | None = None) -> Delays | None:
    """The times of an incident; None while it is not decided, and without windows.

    Detect: from the first bad run, or from the last good one before it, to the decision. Notify: from the
    decision to *told_at*, the first delivery that a channel accepted.
    """
    decided, windows = incident.opened_at, incident.diagnosis.windows
    if decided is None or not windows:
        return None
    first = min(windows, key=lambda window: window.start)
    most = None if first.start_after is None else decided - first.start_after
    return Delays(
        detect=Bounds(least=decided - first.start, most=most),
        notify=None if told_at is None else max(told_at - decided, timedelta(0)),
    )
