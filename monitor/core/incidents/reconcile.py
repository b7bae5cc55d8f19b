"""The life of an incident: stored and derived ones give changes; nothing here stores or sends.

An incident is *suspected* at a first bad run, and while its windows settle: until no other cell is under
decision that could join it. It is *open*, with a number, once it settled, *recovering* when its windows are
closed, and *resolved* when the time for a relapse is over. All of it follows from what is stored, the
derivation and now: a restart in between changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from monitor.core.diagnosis.diagnose import Incident, Severity
from monitor.core.diagnosis.title import subject_of_target
from monitor.core.incidents.incident import (
    Change,
    Derivation,
    Diagnosis,
    IncidentKind,
    Phase,
    StoredIncident,
    SuspectedCell,
    Suspicion,
)
from monitor.core.incidents.timeline import dismissal, suspected_title, suspicion_entry, timeline_entries
from monitor.core.model import Blame, Cell, State
from monitor.core.outages.gaps import Gap
from monitor.core.outages.history import History
from monitor.core.outages.maintenance import Maintenance, covered
from monitor.core.outages.windows import Pending, Window

SETTLING = timedelta(seconds=60)  # at most, from the first window's decision
_AHEAD = timedelta(days=1)
_LIVING = frozenset({Phase.SUSPECTED, Phase.OPEN, Phase.RECOVERING})
_SEVERITIES = tuple(Severity)
_NEVER = datetime.max.replace(tzinfo=UTC)


def severity(incident: Incident, before: StoredIncident | None, phase: Phase) -> Severity:
    """How bad the incident is: it may rise while it lasts, and falls only on resolution."""
    if before is None or before.number is None or phase is Phase.RESOLVED:
        return incident.severity
    return min(incident.severity, before.severity, key=_SEVERITIES.index)


def horizon(
    stored: Iterable[StoredIncident], history: History, now: datetime, *, touched: datetime | None = None
) -> datetime | None:
    """From when the verdict must be derived anew; None from the beginning (nothing is stored).

    *touched* is the start of the earliest run added since the last time; it changes windows that
    reach beyond it, and nothing that ended, its time of relapse included, before it. What is not yet
    resolved is always looked at. *stored* holds the unresolved incidents and those that were resolved
    at or after *touched*. The answer lies outside every one of them that it reaches, so an incident is
    derived whole or not at all; `derive` goes back further where a window demands it.
    """
    if history.newest() is None:
        return None
    current = (one for one in stored if one.phase is not Phase.DISMISSED and is_derived(one))
    known = sorted(current, key=lambda one: one.start, reverse=True)
    starts = [one.start for one in known if one.phase in _LIVING]
    since = min([now if touched is None else touched, *starts])
    for one in known:
        if one.start < since and (one.resolved_at or one.end or _NEVER) >= since:
            since = one.start
    return since


def is_derived(one: StoredIncident) -> bool:
    """Whether it follows from a derivation; what is unstable follows from the stored windows."""
    return one.kind is not IncidentKind.UNSTABLE


def phase_of(incident: Incident, pending: Iterable[Pending], now: datetime) -> Phase:
    """Open while a window is; resolved once the time for a relapse is over and none is under way."""
    if incident.open:
        return Phase.OPEN
    relapse = any(
        (window.cell, window.state) == (one.cell, one.state) and one.first_at <= window.continues_until
        for window in incident.windows
        for one in pending
    )
    return Phase.RECOVERING if relapse or now <= settled_at(incident) else Phase.RESOLVED


def settled_at(incident: Incident) -> datetime:
    """When a closed incident is over for good: its windows closed, and no relapse would continue them."""
    return max(max(window.continues_until, window.closed_at or window.start) for window in incident.windows)


def is_settled(incident: Incident, undecided: Mapping[State, frozenset[Cell]], now: datetime) -> bool:
    """Whether the incident is complete enough to be numbered and told.

    *undecided* holds, by track, the cells whose bad runs may yet open a window. A whole region that is
    down does not wait for them.
    """
    decided = min(window.decided_at for window in incident.windows)
    if incident.severity is Severity.CRITICAL or now - decided >= SETTLING:
        return True
    own = {window.cell for window in incident.windows}
    if any(window.state is State.DOWN for window in incident.windows):
        return undecided[State.DOWN] <= own
    # What looks degraded may be down in a moment: its own cells must be decided too.
    return not undecided[State.DOWN] and undecided[State.DEGRADED] <= own


def reconcile(  # noqa: PLR0913 - what one reconciliation rests on
    stored: Sequence[StoredIncident],
    derivation: Derivation,
    suspicions: Sequence[Suspicion],
    *,
    undecided: Mapping[State, frozenset[Cell]],
    now: datetime,
    rule_json: Mapping[str, Any],
    next_number: Callable[[], int],
    new_id: Callable[[], str],
    plans: Sequence[Maintenance] = (),
) -> list[Change]:
    """What must be stored so that the stored incidents say what the derivation says.

    *stored* holds every unresolved incident and those that were resolved after the derivation's
    `since`; those of the owner are left alone. An incident that says the same gives no change; one
    whose counts moved a change without an entry. Numbers are given in the order of the derived incidents,
    to those that have settled. *plans* are the planned maintenance that the derivation left out.
    """
    desk = _Reconciler(derivation=derivation, now=now, rule=rule_json, new_id=new_id, plans=plans)
    known = [one for one in stored if one.phase is not Phase.DISMISSED and one.kind is IncidentKind.OUTAGE]
    matched = match(known, derivation.incidents, now)
    numbers: dict[int, int] = {}
    changes: list[Change | None] = []
    for derived in derivation.incidents:
        before = matched.get(derived.number)
        if before is not None and before.number is not None:
            numbers[derived.number] = before.number
        elif is_settled(derived, undecided, now):
            numbers[derived.number] = next_number()
        changes.append(desk.advanced(before, derived, numbers.get(derived.number)))
    taken = {one.id for one in matched.values()}
    left = [one for one in known if one.id not in taken]
    changes += desk.suspected([one for one in left if one.number is None], suspicions, numbers)
    changes += (desk.vanished(one, numbers) for one in left if one.number is not None)
    return [change for change in changes if change is not None]


def diagnosis_of(incident: Incident, gaps: Iterable[Gap] = (), pauses: Iterable[Gap] = ()) -> Diagnosis:
    """What the store keeps of a derived incident, with the gaps and the maintenance in its windows."""
    nearby = incident.nearby
    return Diagnosis(
        subject=incident.subject,
        blame_reason=incident.blame_reason,
        also_blamed=incident.also_blamed,
        scope=incident.scope,
        affected=incident.affected,
        unaffected=incident.unaffected,
        beside=incident.beside,
        windows=incident.windows,
        gaps=tuple(gaps),
        pauses=tuple(pauses),
        signatures=incident.signatures,
        nearby=nearby._replace(marks=tuple(mark._replace(id=None) for mark in nearby.marks)),
    )


def match(
    stored: Iterable[StoredIncident], derived: Iterable[Incident], now: datetime = _NEVER
) -> dict[int, StoredIncident]:
    """The stored incident of each derived one, by its derived number.

    They belong together when windows of the same cell and track share time, else when windows of the
    same cell do. Where several could, the earliest shared window decides: after a split the number
    stays with that piece, after a join with the earliest incident. One that lies ahead of a clock that was
    set back reaches from now on: what its cells do meanwhile is its own.
    """
    # Stored is 1 with windows of the cells a and b. What is derived anew may have split or joined them:
    #
    #     split   {a} and {b}       whichever window began first goes on as 1, the other is a new incident
    #     join    {a, b} and 2 {c}  become {a, b, c}: the number whose shared window began first stays, here 1
    #
    # Pairs on the same track come first: a degraded window is no reason to go on with what was down.
    pairs = [
        (otherwise, shared, one.number or sys.maxsize, one.start, incident.number, one)
        for one in stored
        for incident in derived
        for otherwise in (False, True)
        if (shared := _shared(one, incident, now, any_track=otherwise)) is not None
    ]
    matched: dict[int, StoredIncident] = {}
    taken: set[str] = set()
    for *_, number, one in sorted(pairs, key=lambda pair: pair[:5]):
        if number not in matched and one.id not in taken:
            matched[number] = one
            taken.add(one.id)
    return matched


def _lies_ahead(one: StoredIncident, now: datetime) -> bool:
    """Whether it rests on runs later than now."""
    return any(
        max(window.start, window.end_after, window.decided_at) > now for window in one.diagnosis.windows
    )


def cells_of(one: StoredIncident) -> set[Cell]:
    """The cells that an incident, or a suspicion, is about."""
    return {span.cell for span in _extents(one)}


def _shared(one: StoredIncident, incident: Incident, now: datetime, *, any_track: bool) -> datetime | None:
    """The start of the earliest window of *incident* that shares time with a stored one of its cell."""
    spans = list(_extents(one))
    starts = (
        window.start
        for window in incident.windows
        for span in spans
        if span.cell == window.cell
        and (any_track or span.state in (None, window.state))
        and min(span.start, now) <= (window.end or _NEVER)
        and window.start <= span.end
    )
    return min(starts, default=None)


class _Extent(NamedTuple):
    """A window of a stored incident, or the cell of a suspicion, which has no track yet."""

    cell: Cell
    state: State | None
    start: datetime
    end: datetime


def _extents(one: StoredIncident) -> Iterator[_Extent]:
    for window in one.diagnosis.windows:
        yield _Extent(window.cell, window.state, window.start, window.end or _NEVER)
    for cell, start in one.diagnosis.suspected:
        yield _Extent(cell, None, start, _NEVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reconciler:
    """Where one reconciliation writes its changes."""

    derivation: Derivation
    now: datetime
    rule: Mapping[str, Any]
    new_id: Callable[[], str]
    plans: Sequence[Maintenance]

    def advanced(
        self, before: StoredIncident | None, incident: Incident, number: int | None
    ) -> Change | None:
        """The stored incident as the derived one has it, with what happened since.

        Without a number it has not settled, and is a suspicion with windows.
        """
        phase = phase_of(incident, self.derivation.pending, self.now) if number else Phase.SUSPECTED
        closed = [window.closed_at for window in incident.windows if window.closed_at]
        after = StoredIncident(
            id=before.id if before else self.new_id(),
            number=number,
            phase=phase,
            severity=severity(incident, before, phase),
            blame=incident.blame,
            title=incident.title,
            start=incident.start,
            end=incident.end,
            opened_at=min(window.decided_at for window in incident.windows),
            recovering_at=max(closed) if phase in (Phase.RECOVERING, Phase.RESOLVED) else None,
            resolved_at=settled_at(incident) if phase is Phase.RESOLVED else None,
            updated_at=self.now,
            rule=self.rule,
            configurations=incident.configurations,
            diagnosis=diagnosis_of(incident, self._gaps(incident), self._pauses(incident)),
        )
        if before and replace(before, updated_at=self.now) == after:
            return None
        if number is None:
            return Change(incident=after, entries=() if before else (suspicion_entry(after),))
        return Change(incident=after, entries=tuple(timeline_entries(before, after, self.now)))

    def _gaps(self, incident: Incident) -> Iterator[Gap]:
        for gap in self.derivation.gaps:
            if any(gap.cell == window.cell and _within(gap, window) for window in incident.windows):
                yield gap

    def _pauses(self, incident: Incident) -> Iterator[Gap]:
        """The maintenance inside the windows, what goes on now up to its planned end."""
        for window in incident.windows:
            until = window.end or self.now + _AHEAD
            for span in covered(self.plans, window.cell.target, window.start, until):
                if span.start <= self.now:
                    yield Gap(cell=window.cell, start=span.start, end=span.end)

    def suspected(
        self, known: Iterable[StoredIncident], suspicions: Iterable[Suspicion], numbers: Mapping[int, int]
    ) -> Iterator[Change | None]:
        """New suspicions, those that go on, and those that came to nothing or joined an incident."""
        left = {one.id: one for one in known}
        before = {cell: one for one in known for cell in cells_of(one)}
        for suspicion in suspicions:
            yield self._suspected(
                left.pop(before[suspicion.cell].id, None) if suspicion.cell in before else None, suspicion
            )
        for one in left.values():
            yield self._dismissed(replace(one, end=self.now), numbers)

    def _suspected(self, before: StoredIncident | None, suspicion: Suspicion) -> Change | None:
        target = suspicion.cell.target
        after = StoredIncident(
            id=before.id if before else self.new_id(),
            number=None,
            phase=Phase.SUSPECTED,
            severity=Severity.MINOR,
            blame=Blame.UNKNOWN,
            title=suspected_title(suspicion),
            start=suspicion.first_at,
            end=None,
            opened_at=None,
            recovering_at=None,
            resolved_at=None,
            updated_at=self.now,
            rule=self.rule,
            configurations=(),
            diagnosis=Diagnosis(
                subject=subject_of_target(target),
                affected=(target,),
                suspected=(SuspectedCell(suspicion.cell, suspicion.first_at),),
            ),
        )
        if before and replace(before, updated_at=self.now) == after:
            return None
        return Change(incident=after, entries=() if before else (suspicion_entry(after),))

    def vanished(self, one: StoredIncident, numbers: Mapping[int, int]) -> Change | None:
        """An incident that the outcomes no longer bear out; None where it lies before what was derived.

        None as well where it lies ahead of a clock that was set back: its runs are on record, and are looked
        at when the clock reaches them.
        """
        since = self.derivation.since
        if _lies_ahead(one, self.now):
            return None
        if since is not None and one.end is not None and one.end <= since:
            return None
        return self._dismissed(one, numbers)

    def _dismissed(self, one: StoredIncident, numbers: Mapping[int, int]) -> Change:
        """The end of an incident that is none, naming the one that tells its windows where one does."""
        telling = (
            numbers.get(incident.number, 0)
            for incident in self.derivation.incidents
            if _shared(one, incident, self.now, any_track=True) is not None
        )
        joined = next(telling, None)
        entry = dismissal(one, self.now, joined)
        found = replace(one.diagnosis, dismissed=entry.text, joined=joined or None)
        after = replace(one, phase=Phase.DISMISSED, updated_at=self.now, diagnosis=found)
        return Change(incident=after, entries=(entry,))


def _within(gap: Gap, window: Window) -> bool:
    return gap.start >= window.start and (window.end is None or gap.end <= window.end)
