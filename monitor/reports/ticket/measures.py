"""How large an incident was and what stood before and after it, as lines of the ticket."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from monitor.core.alerting.wording import around, counted
from monitor.core.diagnosis.nearby_changes import change_words
from monitor.core.evidence.bundle_facts import BundleFacts, Period
from monitor.core.incidents.incident import StoredIncident
from monitor.core.outages.uptime import bounds
from monitor.core.sanitize import defuse
from monitor.core.timefmt import clock, day, duration_words, rfc3339

_MINUTE = timedelta(minutes=1)
_NAMED_MARKS = 3


def size_line(dossier: BundleFacts) -> str:
    """Runs, spacing, coverage, and both edges with their bounds."""
    incident = dossier.incident
    facts = [counted(incident), _targets(incident), _pace(incident), _coverage(dossier.coverage)]
    size = ", ".join(fact for fact in facts if fact)
    return f"Size: {size}. {_windows(incident)}{_start(incident)}{_end(dossier)}{around(incident)}"


def baseline_line(dossier: BundleFacts) -> str:
    """Passes of the same configuration before and since; empty where nothing ran.

    The month before stands in incident.json only: a ticket has 3,000 characters.
    """
    told = (base for base in dossier.baselines if base.total and base.period is not Period.MONTH_BEFORE)
    said = [f"{base.passed:,}/{base.total:,} {base.period}" for base in told]
    return f"Baseline, same configuration: {', '.join(said)}" if said else ""


def nearby_line(dossier: BundleFacts) -> str:
    """Marks and changes of configuration near the start; empty where there are none."""
    nearby = dossier.incident.diagnosis.nearby
    said = [
        f"marked '{defuse(mark.text, 120)}' at {rfc3339(mark.at)}" for mark in nearby.marks[:_NAMED_MARKS]
    ]
    changed = change_words(nearby.shifts[:_NAMED_MARKS])
    facts = "; ".join([*said, *([defuse(changed, 400)] if changed else [])])
    return f"Near the start, on our side: {facts}" if facts else ""


def _targets(incident: StoredIncident) -> str:
    count = len({window.cell for window in incident.diagnosis.leading})
    return f"over {count} targets" if count > 1 else ""


def _pace(incident: StoredIncident) -> str:
    """How far apart the runs really were: sampling is closer while a window is open than the watch says."""
    window = max(incident.diagnosis.leading, key=lambda window: window.total, default=None)
    if window is None or window.total < 2:
        return ""
    apart = bounds([window], incident.diagnosis.unmeasured).least / (window.total - 1)
    minutes = max(round(apart / _MINUTE), 1)
    near = abs(apart - minutes * _MINUTE) <= minutes * _MINUTE * 0.05
    if near and minutes == 1:
        return "one a minute"
    return f"one every {duration_words(minutes * _MINUTE if near else apart)}"


def _coverage(coverage: float | None) -> str:
    if coverage is None:
        return ""
    tenths = math.floor(coverage * 1000 + 1e-6)
    return f"coverage {tenths / 10:g} %"


def _windows(incident: StoredIncident) -> str:
    count = len(incident.diagnosis.leading)
    cells = len({window.cell for window in incident.diagnosis.leading})
    return f"{count} windows, together {incident.diagnosis.bounds.text()}. " if count > cells else ""


def _start(incident: StoredIncident) -> str:
    first = min(incident.diagnosis.leading, key=lambda window: window.start, default=None)
    if first is None:
        return ""
    if first.start_after is None:
        return f"Start at or before {_at(first.start, incident)}, no good run precedes it"
    return f"Start between {_at(first.start_after, incident)} and {_at(first.start, incident)}"


def _end(dossier: BundleFacts) -> str:
    incident = dossier.incident
    if not incident.diagnosis.leading:
        return ""
    last = max(incident.diagnosis.leading, key=lambda window: window.end_after)
    if incident.diagnosis.ended is None:
        return f", last seen failing at {_at(last.end_after, incident)}. Still open."
    ends = max(window.end for window in incident.diagnosis.leading if window.end is not None)
    return f", end between {_at(last.end_after, incident)} and {_at(ends, incident)}.{_since(dossier)}"


def _since(dossier: BundleFacts) -> str:
    since = next((base for base in dossier.baselines if base.period is Period.SINCE), None)
    if since is None or not since.total:
        return ""
    return (
        " Passing since."
        if since.passed == since.total
        else f" Since then {since.passed:,}/{since.total:,} passed."
    )


def _at(instant: datetime, incident: StoredIncident) -> str:
    return clock(instant) if day(instant) == day(incident.start) else f"{clock(instant)} ({day(instant)})"
