"""Incidents in a list: one card each, the sentence first, its unaffected neighbours beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.core.incidents.codec import read_course
from monitor.core.incidents.incident import StoredIncident
from monitor.web.frame.components import Freshness, Link
from monitor.web.frame.time_format import Moment, TimeFormatter


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentCard:
    """One incident in a list; a suspicion has no number and no page yet."""

    number: int | None
    href: str
    phase: str
    severity: str
    state: str
    title: str
    beside: str
    lasted: str
    runs: str
    blame: str
    start: Moment
    end: Moment | None


def incident_card(incident: StoredIncident, face: TimeFormatter) -> IncidentCard:
    """The card of a stored incident."""
    course = read_course(incident)
    title, _, beside = incident.title.partition(" Unaffected: ")
    return IncidentCard(
        number=incident.number,
        href=f"/incidents/{incident.number}" if incident.number is not None else "",
        phase=incident.phase.value,
        severity=incident.severity.value,
        state=course.state.value,
        title=title,
        beside=beside,
        lasted=course.bounds.text() if course.leading else "",
        runs=f"{course.failed}/{course.total}" if course.total else "",
        blame=incident.blame.value,
        start=face(incident.start),
        end=face(incident.end) if incident.end else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentsPage:
    """All incidents, newest first."""

    title: str
    fresh: Freshness
    incidents: Sequence[IncidentCard]
    more: Link | None
