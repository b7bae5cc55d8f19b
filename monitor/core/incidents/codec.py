"""Write an incident as JSON and read it back: what the store keeps and `replay --json` prints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from monitor.core.diagnosis.diagnose import Control, Incident, Severity
from monitor.core.diagnosis.nearby_changes import change_to_json, mark_to_json
from monitor.core.diagnosis.signatures import Signature
from monitor.core.incidents.incident import IncidentKind, Phase, StoredIncident
from monitor.core.intervals import Span
from monitor.core.model import Blame, Cell, State, split_target
from monitor.core.outages.gaps import Gap
from monitor.core.outages.self_observations import BlindSpan
from monitor.core.outages.uptime import Bounds, bounds
from monitor.core.outages.windows import Window
from monitor.core.timefmt import parse_instant, rfc3339


def window_to_json(window: Window) -> dict[str, Any]:
    """One window as ``replay --json`` shows it."""
    return {
        "target": window.cell.target,
        "location": window.cell.location,
        "state": window.state.value,
        "start": rfc3339(window.start),
        "start_after": _instant_or_none(window.start_after),
        "end": _instant_or_none(window.end),
        "end_after": rfc3339(window.end_after),
        "failed": window.failed,
        "total": window.total,
        "open": window.open,
    }


def gap_to_json(gap: Gap) -> dict[str, Any]:
    """One gap as ``replay --json`` shows it."""
    return {
        "target": gap.cell.target,
        "location": gap.cell.location,
        "from": rfc3339(gap.start),
        "to": rfc3339(gap.end),
    }


def blind_to_json(span: BlindSpan) -> dict[str, Any]:
    """One blind span as ``replay --json`` shows it."""
    return {
        "location": span.location,
        "from": rfc3339(span.start),
        "to": rfc3339(span.end),
        "reason": span.reason,
    }


def incident_to_json(incident: Incident) -> dict[str, Any]:
    """One incident as ``replay --json`` shows it."""
    return {
        "number": incident.number,
        "start": rfc3339(incident.start),
        "end": _instant_or_none(incident.end),
        "open": incident.open,
        "blame": incident.blame.value,
        "scope": [dict(part) for part in incident.scope.conjunctions],
        "aliases": [dict(part) for part in incident.scope.aliases],
        "ambiguous": incident.scope.ambiguous,
        "alternatives": [dict(part) for part in incident.scope.alternatives],
        "affected": list(incident.affected),
        "unaffected": [_control_to_json(control) for control in incident.unaffected],
        "title": incident.title,
    }


def incident_document(
    incident: Incident, gaps: Sequence[Gap] = (), pauses: Sequence[Gap] = ()
) -> dict[str, Any]:
    """The incident as the store keeps it: its JSON with the reason, windows, gaps and signatures.

    *pauses* are the planned maintenance inside its windows.
    """
    return {
        **incident_to_json(incident),
        "beside": incident.beside and asdict(incident.beside),
        "blame_reason": incident.blame_reason,
        "also_blamed": incident.also_blamed,
        "windows": [_stored_window(window) for window in incident.windows],
        "gaps": [gap_to_json(gap) for gap in gaps],
        "pauses": [gap_to_json(pause) for pause in pauses],
        "signatures": [_signature_to_json(signature) for signature in incident.signatures],
        "marks": [mark_to_json(mark) for mark in incident.nearby.marks],
        "changes": [change_to_json(shift) for shift in incident.nearby.shifts],
    }


def _stored_window(window: Window) -> dict[str, Any]:
    return {
        **window_to_json(window),
        "decided_at": rfc3339(window.decided_at),
        "closed_at": _instant_or_none(window.closed_at),
        "continues_until": rfc3339(window.continues_until),
        "first_id": window.first_id,
        "last_id": window.last_id,
        **({"unwatched": True} if window.unwatched else {}),
    }


def _control_to_json(control: Control) -> dict[str, Any]:
    return {
        "target": control.cell.target,
        "location": control.cell.location,
        "passed": control.passed,
        "total": control.total,
    }


def _signature_to_json(signature: Signature) -> dict[str, Any]:
    return {
        "failure": signature.failure,
        "stage": signature.stage,
        "type": signature.type,
        "code": signature.code,
        "message": signature.message,
        "count": signature.count,
        "first_at": rfc3339(signature.first_at),
        "first_id": signature.first_id,
        "last_at": rfc3339(signature.last_at),
        "last_id": signature.last_id,
        "said": signature.said,
    }


def _instant_or_none(instant: datetime | None) -> str | None:
    return None if instant is None else rfc3339(instant)


_SUBJECT = re.compile(r"^(.+?) (?:was |is |were )?(?:down|degraded)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One window of the document; instants are starts of runs, as in `core.windows.Window`."""

    cell: Cell
    state: State
    start: datetime
    start_after: datetime | None
    end: datetime | None
    end_after: datetime
    failed: int
    total: int
    continues_until: datetime | None
    first_id: str | None = None  # its first and its last bad run
    last_id: str | None = None
    unwatched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A healthy cell of the span with its counts; degraded runs count as passed."""

    cell: Cell
    passed: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One signature of the document: failed runs that say the same; *said* is the newest one's message."""

    failure: str | None
    stage: str | None
    type: str | None
    code: str | None
    message: str | None
    count: int
    first_id: str | None
    last_id: str | None
    last_at: datetime | None = None
    said: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How an incident went: its windows, and in `gaps` the time in them that was not measured."""

    kind: IncidentKind
    state: State
    windows: Sequence[Stretch]
    gaps: Sequence[Span]

    @property
    def condition(self) -> str:
        """`down` or `degraded`; of what only the owner is told `blind` or `unstable`."""
        return str(self.state if self.kind is IncidentKind.OUTAGE else self.kind)

    @property
    def leading(self) -> tuple[Stretch, ...]:
        """The windows of the worst state: a target's degraded window beside its down window is no news."""
        return tuple(window for window in self.windows if window.state is self.state)

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
        """How long it lasted: at least, less the gaps that the document names, and at most."""
        return bounds(self.leading, self.gaps)

    @property
    def unwatched(self) -> bool:
        """Whether it ended because its last failing target left the configuration."""
        ended = [window for window in self.windows if window.end is not None]
        return len(ended) == len(self.windows) > 0 and max(ended, key=_end_of).unwatched

    @property
    def settles_at(self) -> datetime | None:
        """Until when a relapse continues this incident; None where the document does not say."""
        known = [window.continues_until for window in self.windows if window.continues_until]
        return max(known, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story(Course):
    """What an incident says, in the order of its document: affected, controls nearest first."""

    id: str
    number: int | None
    phase: Phase
    severity: Severity
    blame: Blame
    blame_reason: str
    title: str
    subject: str
    start: datetime
    end: datetime | None
    decided: datetime | None
    scope: Sequence[Mapping[str, str]]
    affected: Sequence[str]
    unaffected: Sequence[Neighbour]
    symptoms: Sequence[Symptom]
    changes: Sequence[Mapping[str, Any]] = ()  # of configurations, near the start
    acknowledged: str = ""  # by whom
    dismissed: str = ""  # why it is none any more
    pauses: Sequence[tuple[Cell, Span]] = ()  # planned maintenance in its windows
    silent_since: datetime | None = None  # its open windows have had no run since
    beside: Mapping[str, int] | None = None  # other cells where no control is: failing, unknown
    joined: int | None = None  # the incident that goes on with its windows
    also_blamed: Blame | None = None  # where account and provider are mixed: the other of them


def read_course(incident: StoredIncident) -> Course:
    """How it went, for lists: without the controls, of which there may be hundreds."""
    windows = tuple(_stretch(window) for window in incident.document.get("windows") or ())
    return Course(
        kind=incident.kind,
        state=_state(windows) if incident.kind is IncidentKind.OUTAGE else State.UNKNOWN,
        windows=windows,
        gaps=unmeasured(incident.document),
    )


def read_story(incident: StoredIncident) -> Story:
    """The incident as values; parts that its document lacks are empty (a suspicion has few)."""
    document, course = incident.document, read_course(incident)
    return Story(
        id=incident.id,
        number=incident.number,
        kind=incident.kind,
        phase=incident.phase,
        severity=incident.severity,
        blame=incident.blame,
        blame_reason=str(document.get("blame_reason") or ""),
        title=incident.title,
        subject=_subject(incident),
        state=course.state,
        start=incident.start,
        end=incident.end,
        decided=incident.opened_at,
        scope=tuple(document.get("scope") or ()),
        affected=tuple(document.get("affected") or ()),
        unaffected=tuple(_neighbour(control) for control in document.get("unaffected") or ()),
        windows=course.windows,
        gaps=course.gaps,
        symptoms=tuple(_symptom(signature) for signature in document.get("signatures") or ()),
        changes=tuple(document.get("changes") or ()),
        dismissed=str(document.get("dismissed") or "") if incident.phase is Phase.DISMISSED else "",
        pauses=tuple((_cell(part), _gap(part)) for part in document.get("pauses") or ()),
        silent_since=_silent_since(document, course.windows) if incident.phase is Phase.OPEN else None,
        beside=document.get("beside"),
        joined=document.get("joined") if incident.phase is Phase.DISMISSED else None,
        also_blamed=Blame(document["also_blamed"]) if document.get("also_blamed") else None,
    )


def unmeasured(document: Mapping[str, Any], cell: Cell | None = None) -> tuple[Span, ...]:
    """The gaps and the planned maintenance in the windows of all cells, or of one.

    Every figure of how long an incident lasted leaves out these.
    """
    parts = (*(document.get("gaps") or ()), *(document.get("pauses") or ()))
    return tuple(_gap(part) for part in parts if cell is None or _cell(part) == cell)


def _silent_since(document: Mapping[str, Any], windows: Sequence[Stretch]) -> datetime | None:
    """Since when no open window had a run; None while one has, or none is open."""
    open_ = [window for window in windows if window.end is None]
    ends = [max((gap.start for gap in _gaps_after(document, window)), default=None) for window in open_]
    known = [end for end in ends if end is not None]
    return max(known) if open_ and len(known) == len(ends) else None


def _gaps_after(document: Mapping[str, Any], window: Stretch) -> Iterator[Span]:
    """The gap that began with the window's last run: no good one came since either."""
    for part in document.get("gaps") or ():
        span = _gap(part)
        if _cell(part) == window.cell and span.start >= window.end_after:
            yield span


def _subject(incident: StoredIncident) -> str:
    """What the title is about: all of it before its first word of state."""
    if "subject" in incident.document:
        return str(incident.document["subject"])
    match = _SUBJECT.match(incident.title)
    if match:
        return match[1]
    affected = incident.document.get("affected") or ()
    return str(affected[0]).replace("/", " · ") if affected else incident.title


def _end_of(window: Stretch) -> tuple[datetime, bool]:
    return window.end or window.end_after, window.unwatched


def _state(windows: Iterable[Stretch]) -> State:
    return State.DEGRADED if {window.state for window in windows} == {State.DEGRADED} else State.DOWN


def _stretch(window: Mapping[str, Any]) -> Stretch:
    start = parse_instant(window["start"])
    return Stretch(
        cell=_cell(window),
        state=State(window.get("state") or State.DOWN),
        start=start,
        start_after=_instant(window.get("start_after")),
        end=_instant(window.get("end")),
        end_after=_instant(window.get("end_after")) or start,
        failed=int(window.get("failed") or 0),
        total=int(window.get("total") or 0),
        continues_until=_instant(window.get("continues_until")),
        first_id=window.get("first_id"),
        last_id=window.get("last_id"),
        unwatched=bool(window.get("unwatched")),
    )


def _gap(gap: Mapping[str, Any]) -> Span:
    return Span(parse_instant(gap["from"]), parse_instant(gap["to"]))


def _neighbour(control: Mapping[str, Any]) -> Neighbour:
    return Neighbour(cell=_cell(control), passed=int(control["passed"]), total=int(control["total"]))


def _symptom(signature: Mapping[str, Any]) -> Symptom:
    texts = {key: signature.get(key) for key in ("failure", "stage", "type", "code", "message")}
    ids = {key: signature.get(key) for key in ("first_id", "last_id")}
    last_at, said = _instant(signature.get("last_at")), signature.get("said")
    return Symptom(count=int(signature.get("count") or 0), last_at=last_at, said=said, **texts, **ids)


def _cell(part: Mapping[str, Any]) -> Cell:
    return Cell(*split_target(part["target"]), part.get("location") or "default")


def _instant(text: str | None) -> datetime | None:
    return parse_instant(text) if text else None


def cell_name(cell: Cell, among: Iterable[Cell]) -> str:
    """``gpt-4o-transcribe rest``; with endpoint and location unless all of *among* share them."""
    others = tuple(among)
    name = f"{cell.model} {cell.pathway}"
    if {other.endpoint for other in others} - {cell.endpoint}:
        name += f" on {cell.endpoint}"
    if {other.location for other in others} - {cell.location}:
        name += f" from {cell.location}"
    return name
