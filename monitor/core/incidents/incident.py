"""Open incidents and derived ones give changes: the life of an incident."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from monitor.core.diagnosis.diagnose import Beside, Control, Incident, Severity
from monitor.core.diagnosis.nearby_changes import NearbyChanges
from monitor.core.diagnosis.scope import NOWHERE, Scope
from monitor.core.diagnosis.signatures import Signature
from monitor.core.intervals import Span
from monitor.core.model import Blame, Cell, State
from monitor.core.outages.gaps import Gap
from monitor.core.outages.rule import Rule
from monitor.core.outages.self_observations import BlindSpan
from monitor.core.outages.uptime import Bounds, bounds
from monitor.core.outages.windows import Pending, Window

__all__ = [
    "Change",
    "Derivation",
    "Diagnosis",
    "Entry",
    "EntryKind",
    "IncidentKind",
    "Phase",
    "Severity",
    "StoredIncident",
    "SuspectedCell",
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


class SuspectedCell(NamedTuple):
    """The cell of a suspicion and its first bad run; it has no window yet, and so no track."""

    cell: Cell
    start: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What was found out about an incident; `core.incidents.codec` alone writes and reads it as JSON.

    `subject` is what the title is about, `unaffected` the healthy cells, the nearest first. `gaps` and
    `pauses` (planned maintenance) lie inside the windows. A suspicion without windows has `suspected`.
    Of what the monitor could not do there are no windows but `spans`, the end of each None while it lasts.
    """

    subject: str = ""
    blame_reason: str = ""
    also_blamed: Blame | None = None  # where account and provider are mixed: the other of them
    scope: Scope = NOWHERE
    affected: tuple[str, ...] = ()
    unaffected: tuple[Control, ...] = ()
    beside: Beside | None = None  # only where there is no control
    windows: tuple[Window, ...] = ()
    gaps: tuple[Gap, ...] = ()
    pauses: tuple[Gap, ...] = ()
    signatures: tuple[Signature, ...] = ()
    nearby: NearbyChanges = field(default_factory=NearbyChanges)
    suspected: tuple[SuspectedCell, ...] = ()
    spans: tuple[tuple[datetime, datetime | None], ...] = ()
    dismissed: str = ""  # why it is no incident any more
    joined: int | None = None  # the incident that goes on with its windows

    @property
    def state(self) -> State:
        """The worst state of its windows."""
        states = {window.state for window in self.windows}
        return State.DEGRADED if states == {State.DEGRADED} else State.DOWN

    @property
    def leading(self) -> tuple[Window, ...]:
        """The windows of the worst state: a target's degraded window beside its down window is no news."""
        worst = self.state
        return tuple(window for window in self.windows if window.state is worst)

    @property
    def began(self) -> datetime | None:
        """When the first of the leading windows began: the time that belongs to the state's word."""
        return min((window.start for window in self.leading), default=None)

    @property
    def ended(self) -> datetime | None:
        """When the last of the leading windows ended; None while one lasts."""
        ends = [window.end for window in self.leading if window.end is not None]
        return max(ends) if ends and len(ends) == len(self.leading) else None

    @property
    def failed(self) -> int:
        """Bad runs in the leading windows."""
        return sum(window.failed for window in self.leading)

    @property
    def total(self) -> int:
        """Conclusive runs in the leading windows."""
        return sum(window.total for window in self.leading)

    @property
    def bounds(self) -> Bounds:
        """How long it lasted: at least, less what was not measured, and at most."""
        return bounds(self.leading, self.unmeasured)

    def lasted(self, window: Window) -> Bounds:
        """How long one of its windows lasted."""
        return bounds([window], self.unmeasured)

    @property
    def first_bad(self) -> Window | None:
        """The window that begins with the first bad run."""
        return min(self.windows, key=lambda window: window.start, default=None)

    @property
    def last_bad(self) -> Window | None:
        """The window that ends with the last bad run; one that lasts has it still to come."""
        return max(self.windows, key=lambda window: (window.end is None, window.end_after), default=None)

    @property
    def settles_at(self) -> datetime | None:
        """Until when a relapse continues this incident; None without windows."""
        return max((window.continues_until for window in self.windows), default=None)

    @property
    def unwatched(self) -> bool:
        """Whether it ended because its last failing target left the configuration."""
        if not self.windows or any(window.end is None for window in self.windows):
            return False
        return max(self.windows, key=lambda window: (window.end, window.unwatched)).unwatched

    def unmeasured(self, cell: Cell | None = None) -> tuple[Span, ...]:
        """The gaps and the planned maintenance in the windows of all cells, or of one.

        Every figure of how long an incident lasted leaves out these.
        """
        parts = (part for part in (*self.gaps, *self.pauses) if cell is None or part.cell == cell)
        return tuple(Span(part.start, part.end) for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIncident:
    """An incident as the store keeps it. `number` is None while it is only suspected."""

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
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    kind: IncidentKind = IncidentKind.OUTAGE

    @property
    def open(self) -> bool:
        """Whether it lasts: one of its windows does, or what cannot be measured."""
        if self.kind is IncidentKind.OUTAGE:
            lasts = any(window.open for window in self.diagnosis.windows)
        else:
            lasts = self.end is None
        return lasts and self.phase is not Phase.DISMISSED

    @property
    def state(self) -> State:
        """`down` or `degraded`; unknown where nothing could be measured."""
        return self.diagnosis.state if self.kind is IncidentKind.OUTAGE else State.UNKNOWN

    @property
    def condition(self) -> str:
        """`down` or `degraded`; of what only the owner is told `blind` or `unstable`."""
        return str(self.state if self.kind is IncidentKind.OUTAGE else self.kind)

    @property
    def silent_since(self) -> datetime | None:
        """Since when no window of an open incident had a run; None while one has, or none is open."""
        open_ = [window for window in self.diagnosis.windows if window.end is None]
        ends = [max(self._silences(window), default=None) for window in open_]
        known = [end for end in ends if end is not None]
        return max(known) if self.phase is Phase.OPEN and known and len(known) == len(ends) else None

    def _silences(self, window: Window) -> Iterator[datetime]:
        """The gap that began with the window's last run: no good one came since either."""
        for gap in self.diagnosis.gaps:
            if gap.cell == window.cell and gap.start >= window.end_after:
                yield gap.start


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
