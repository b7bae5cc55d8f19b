"""What the owner of the monitor alone is told: what cannot be measured, and which targets are unstable.

Both follow from what was derived, blind spans and windows, and stand in incidents of their own beside
those of outages. A replay prints what they rest on, not them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.core.diagnosis.diagnose import Severity
from monitor.core.diagnosis.scope import NOWHERE
from monitor.core.incidents.incident import (
    Change,
    Diagnosis,
    Entry,
    EntryKind,
    IncidentKind,
    Phase,
    StoredIncident,
)
from monitor.core.intervals import Span, length
from monitor.core.model import Blame, Cell, State
from monitor.core.outages.self_observations import BlindSpan
from monitor.core.outages.windows import Window
from monitor.core.timefmt import duration_words, rfc3339

BLIND_LEAST = timedelta(minutes=1)  # shorter darkness is on the lanes, and wakes nobody
BLIND_MERGE = timedelta(minutes=15)  # as long as a window of downtime waits for a relapse
UNSTABLE_OVER = timedelta(hours=24)
UNSTABLE_MOST = 6  # openings in that time that are still no sign of instability
_TOLD_SPANS = 50
_NEVER = datetime.max.replace(tzinfo=UTC) - BLIND_MERGE


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorProblem:
    """One thing that the owner is told of; `scope` says of what, by facets, and tells it from others.

    `subject` is that in words: ``berlin``, or ``azure-sweden/whisper-1/rest from berlin``.
    `end` is None while it lasts. `settles_at` is until when what comes next continues it; None while it
    lasts. `spans` are the stretches it consists of, the end of each None while it lasts.
    """

    kind: IncidentKind
    scope: Mapping[str, str]
    subject: str
    affected: tuple[str, ...]
    start: datetime
    end: datetime | None
    settles_at: datetime | None
    reason: str
    spans: tuple[tuple[datetime, datetime | None], ...]

    @property
    def title(self) -> str:
        """``berlin blind since 08:30:10 UTC: nothing was reachable: …``, or what it was."""
        if self.end is None:
            return f"{self.subject} {self.kind} since {self.start:%H:%M:%S} UTC: {self.reason}"
        return f"{self.subject} was {self.kind} {self.start:%H:%M:%S}–{self.end:%H:%M:%S} UTC: {self.reason}"

    def phase(self, now: datetime) -> Phase:
        """Open while it lasts, resolved once nothing that comes would continue it."""
        if self.settles_at is None:
            return Phase.OPEN
        return Phase.RECOVERING if now <= self.settles_at else Phase.RESOLVED


def blind_troubles(unmeasured: Iterable[BlindSpan], now: datetime) -> list[MonitorProblem]:
    """The stretches in which a location, or some of its targets, could not be measured.

    Spans that follow each other within 15 minutes are one stretch, of however many targets: a thousand
    that go dark together are told in one word. It is told from a minute of darkness on.
    """
    by_place: dict[str, list[BlindSpan]] = {}
    for span in sorted(unmeasured, key=lambda span: (span.start, span.end, span.cell or ())):
        by_place.setdefault(span.location, []).append(span)
    return [
        _dark(chain)
        for _, spans in sorted(by_place.items())
        for chain in _chains(spans)
        if length(Span(one.start, max(one.end, now) if one.lasting else one.end) for one in chain)
        >= BLIND_LEAST
    ]


def _chains(spans: Sequence[BlindSpan]) -> Iterator[list[BlindSpan]]:
    chain: list[BlindSpan] = []
    reach: datetime | None = None
    for span in spans:
        if reach is not None and span.start > reach + BLIND_MERGE:
            yield chain
            chain, reach = [], None
        chain.append(span)
        end = _NEVER if span.lasting else span.end
        reach = end if reach is None else max(reach, end)
    if chain:
        yield chain


def _dark(chain: Sequence[BlindSpan]) -> MonitorProblem:
    place, last = chain[0].location, max(one.end for one in chain)
    lasting = any(one.lasting for one in chain)
    cells = sorted({one.cell for one in chain if one.cell is not None})
    alone = len(cells) == 1 and all(one.cell for one in chain)
    return MonitorProblem(
        kind=IncidentKind.BLIND,
        scope={"location": place},
        subject=_name(cells[0]) if alone else place,
        affected=tuple(cell.target for cell in cells),
        start=chain[0].start,
        end=None if lasting else last,
        settles_at=None if lasting else last + BLIND_MERGE,
        reason="; ".join(dict.fromkeys(one.reason for one in chain)),
        spans=tuple(dict.fromkeys((one.start, None if one.lasting else one.end) for one in chain)),
    )


def _name(cell: Cell) -> str:
    return f"{cell.target} from {cell.location}"


def unstable_troubles(windows: Iterable[Window], now: datetime) -> list[MonitorProblem]:
    """The cells that went down more than six times in 24 hours.

    *windows* are those that began in this time, and may be more. It is over when the windows that are
    left in the last 24 hours are six or fewer.
    """
    recent: dict[Cell, list[Window]] = {}
    for window in windows:
        if window.state is State.DOWN and now - UNSTABLE_OVER < window.start <= now:
            recent.setdefault(window.cell, []).append(window)
    return [
        _unstable(cell, sorted(mine, key=lambda window: window.start))
        for cell, mine in sorted(recent.items())
        if len(mine) > UNSTABLE_MOST
    ]


def _unstable(cell: Cell, windows: Sequence[Window]) -> MonitorProblem:
    return MonitorProblem(
        kind=IncidentKind.UNSTABLE,
        scope={
            "endpoint": cell.endpoint,
            "model": cell.model,
            "pathway": cell.pathway,
            "location": cell.location,
        },
        subject=_name(cell),
        affected=(cell.target,),
        start=windows[0].start,
        end=None,
        settles_at=None,
        reason=f"down more than {UNSTABLE_MOST} times in 24 h; each time has an incident of its own",
        spans=tuple((one.start, one.end) for one in windows),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorIncidents:
    """Where the owner's incidents are brought up to date; *since* is from where troubles are known."""

    now: datetime
    since: datetime | None
    rule: Mapping[str, Any]
    next_number: Callable[[], int]
    new_id: Callable[[], str]

    def reconcile(self, stored: Iterable[StoredIncident], troubles: Sequence[MonitorProblem]) -> list[Change]:
        """What must be stored so that the owner's incidents say what the troubles say.

        A trouble that is over for good before anyone was told of it begins no incident.
        """
        left = [
            one for one in stored if one.kind is not IncidentKind.OUTAGE and one.phase is not Phase.DISMISSED
        ]
        changes: list[Change | None] = []
        for trouble in troubles:
            before = next((one for one in left if _is_same(one, trouble)), None)
            if before is not None:
                left.remove(before)
            if before is not None or trouble.phase(self.now) is not Phase.RESOLVED:
                changes.append(self._advanced(before, trouble))
        changes += (self._ended(one) for one in left)
        return [change for change in changes if change is not None]

    def _advanced(self, before: StoredIncident | None, trouble: MonitorProblem) -> Change | None:
        # What is unstable keeps its beginning, though the first of its windows leave the last 24 hours.
        keeps = before is not None and trouble.kind is IncidentKind.UNSTABLE
        told = replace(trouble, start=min(before.start, trouble.start)) if before and keeps else trouble
        phase = told.phase(self.now)
        number = before.number if before and before.number is not None else self.next_number()
        after = StoredIncident(
            id=before.id if before else self.new_id(),
            number=number,
            phase=phase,
            severity=Severity.NOTICE,
            blame=_BLAMES[told.kind],
            title=told.title,
            start=told.start,
            end=told.end,
            opened_at=before.opened_at if before else self.now,
            recovering_at=told.end,
            resolved_at=told.settles_at if phase is Phase.RESOLVED else None,
            updated_at=self.now,
            rule=self.rule,
            configurations=(),
            diagnosis=Diagnosis(
                subject=told.subject,
                blame_reason=told.reason,
                scope=replace(NOWHERE, conjunctions=(told.scope,)),
                affected=told.affected,
                spans=told.spans[-_TOLD_SPANS:],
            ),
            kind=told.kind,
        )
        if before and replace(before, updated_at=self.now) == after:
            return None
        return Change(incident=after, entries=tuple(self._entries(before, after)))

    def _entries(self, before: StoredIncident | None, after: StoredIncident) -> Iterator[Entry]:
        phase = before.phase if before else None
        if before is None:
            yield self._entry(after, EntryKind.OPENED, after.title)
        elif after.phase is Phase.OPEN and phase is not Phase.OPEN:
            yield self._entry(after, EntryKind.RELAPSED, after.title)
        if after.phase is Phase.RECOVERING and phase is not Phase.RECOVERING:
            yield self._entry(after, EntryKind.RECOVERING, f"measured again since {_instant(after.end)}")
        if after.phase is Phase.RESOLVED and phase is not Phase.RESOLVED:
            yield self._entry(after, EntryKind.RESOLVED, f"over for {duration_words(BLIND_MERGE)}")

    def _ended(self, one: StoredIncident) -> Change | None:
        """An incident without its trouble: over where it was unstable, else not borne out any more."""
        if one.kind is IncidentKind.UNSTABLE:
            return None if one.phase is Phase.RESOLVED else self._calm(one)
        if self.since is not None and one.end is not None and one.end <= self.since:
            return None
        text = "no longer borne out by the outcomes on record"
        gone = replace(
            one,
            phase=Phase.DISMISSED,
            end=one.end or self.now,
            updated_at=self.now,
            diagnosis=replace(one.diagnosis, dismissed=text),
        )
        return Change(incident=gone, entries=(self._entry(gone, EntryKind.DISMISSED, text),))

    def _calm(self, one: StoredIncident) -> Change:
        text = f"down {UNSTABLE_MOST} times or fewer in the last 24 h"
        subject, span = one.diagnosis.subject, f"{one.start:%H:%M:%S}–{self.now:%H:%M:%S} UTC"
        calm = replace(
            one,
            phase=Phase.RESOLVED,
            title=f"{subject} was {one.kind} {span}: {text}",
            end=self.now,
            recovering_at=self.now,
            resolved_at=self.now,
            updated_at=self.now,
        )
        return Change(incident=calm, entries=(self._entry(calm, EntryKind.RESOLVED, text),))

    def _entry(self, one: StoredIncident, kind: EntryKind, text: str) -> Entry:
        return Entry(incident_id=one.id, at=self.now, kind=kind, text=text)


_BLAMES = {IncidentKind.BLIND: Blame.MONITOR, IncidentKind.UNSTABLE: Blame.UNKNOWN}


def _is_same(one: StoredIncident, trouble: MonitorProblem) -> bool:
    """Whether the stored incident is about this trouble: of the same thing, and at the same time."""
    if one.kind is not trouble.kind or one.diagnosis.scope.conjunctions != (trouble.scope,):
        return False
    if trouble.kind is IncidentKind.UNSTABLE:
        return one.phase is not Phase.RESOLVED
    begins = trouble.settles_at is None or one.start <= trouble.settles_at
    ends = one.end is None or trouble.start <= one.end + BLIND_MERGE
    return begins and ends


def _instant(instant: datetime | None) -> str:
    return rfc3339(instant) if instant else "now"
