"""Open incidents and derived ones give changes: the life of an incident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from monitor.core.diagnosis.diagnose import Incident, Severity
from monitor.core.model import Blame, Cell
from monitor.core.outages.gaps import Gap
from monitor.core.outages.rule import Rule
from monitor.core.outages.self_observations import BlindSpan
from monitor.core.outages.windows import Pending, Window

__all__ = [
    "Change",
    "Derivation",
    "Entry",
    "EntryKind",
    "IncidentKind",
    "Phase",
    "Severity",
    "StoredIncident",
    "Suspicion",
]


class IncidentKind(StrEnum):
    """What an incident is about; all but an outage are told to the owner only."""

    OUTAGE = "outage"  # windows with one explanation
    BLIND = "blind"  # a location, or a target, could not be measured
    UNSTABLE = "unstable"  # a target goes down again and again


class Phase(StrEnum):
    """The life of an incident."""

    SUSPECTED = "suspected"  # a bad run whose look-back is not settled
    OPEN = "open"
    RECOVERING = "recovering"  # its windows are closed, a relapse would continue them
    RESOLVED = "resolved"
    DISMISSED = "dismissed"  # a suspicion that came to nothing; never numbered


class EntryKind(StrEnum):
    """What a line of the timeline says; entries are only ever appended."""

    SUSPECTED = "suspected"
    OPENED = "opened"
    UPDATED = "updated"  # scope, blame or members changed
    RECOVERING = "recovering"
    RELAPSED = "relapsed"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"
    NOTIFIED = "notified"
    ACKNOWLEDGED = "acknowledged"  # the last three are what people say
    NOTE = "note"
    RECLASSIFIED = "reclassified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """What a history says under a rule: exactly what ``replay --json`` prints.

    `since` is from where it speaks: None, or an instant that no window reaches across; whatever
    ended before it is left out. `pending` are bad runs that may still open a window. `unmeasured` are
    the blind spans one by one, each with its cell and whether it lasts.
    """

    rule: Rule
    windows: tuple[Window, ...]
    gaps: tuple[Gap, ...]
    blind: tuple[BlindSpan, ...]
    incidents: tuple[Incident, ...]
    pending: tuple[Pending, ...] = ()
    unmeasured: tuple[BlindSpan, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """A cell with bad runs in its look-back and no open window."""

    cell: Cell
    first_at: datetime
    bad: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIncident:
    """An incident as the store keeps it. `number` is None while it is only suspected.

    `document` is the JSON of the derived incident (the object of ``replay --json`` plus
    `blame_reason`, `windows`, `signatures`); of a suspicion it holds `cells` and `title`.
    """

    id: str
    number: int | None
    phase: Phase
    severity: Severity
    blame: Blame
    title: str
    start: datetime
    end: datetime | None
    opened_at: datetime | None  # when it was decided, not when it began
    recovering_at: datetime | None
    resolved_at: datetime | None
    updated_at: datetime
    rule: Mapping[str, Any]
    configurations: Sequence[str]
    document: Mapping[str, Any] = field(default_factory=dict)
    kind: IncidentKind = IncidentKind.OUTAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of an incident's timeline; a person who reclassifies names a blame, a severity or both."""

    incident_id: str
    at: datetime
    kind: EntryKind
    text: str
    author: str = "earwitness"
    blame: Blame | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The incident's new value and the entries that say why."""

    incident: StoredIncident
    entries: tuple[Entry, ...]
