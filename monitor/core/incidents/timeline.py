"""The lines of an incident's timeline: what changed between two values of it, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from monitor.core.diagnosis.diagnose import Conjunction, Severity
from monitor.core.incidents.incident import Entry, EntryKind, Phase, StoredIncident, Suspicion
from monitor.core.sanitize import one_line
from monitor.core.timefmt import rfc3339

_WORSE_FIRST = tuple(Severity)


def suspected_title(suspicion: Suspicion) -> str:
    """What a suspicion is called: one run failed at …, or two runs failed since …."""
    runs = "one run was bad at" if suspicion.bad == 1 else f"{suspicion.bad} runs were bad since"
    cell = suspicion.cell
    return f"{cell.target} from {cell.location}: {runs} {rfc3339(suspicion.first_at)}"


def suspicion_entry(one: StoredIncident) -> Entry:
    """The first line of a suspicion."""
    return Entry(incident_id=one.id, at=one.start, kind=EntryKind.SUSPECTED, text=one.title)


def dismissal(one: StoredIncident, now: datetime, joined: int | None) -> Entry:
    """The last line of an incident that is none, or that another explains: *joined*, 0 before it settled."""
    if joined:
        text = f"joined incident {joined}"
    elif joined is not None:
        text = "joined a suspicion of several targets"
    elif one.number is None:
        text = "came to nothing: what followed was good"
    else:
        text = "no longer borne out by the outcomes on record"
    return Entry(incident_id=one.id, at=now, kind=EntryKind.DISMISSED, text=text)


def timeline_entries(before: StoredIncident | None, after: StoredIncident, now: datetime) -> Iterator[Entry]:
    """The entries that lead from *before* to *after*, in order; none where only counts moved.

    Turns of its life stand at the time at which the rule decided them, other changes at *now*.
    """
    if before is None or before.number is None:
        yield _entry(after, after.opened_at or now, EntryKind.OPENED, after.title)
        yield from _ending(after, Phase.OPEN, now)
        return
    changes = "; ".join(_differences(before, after))
    if changes:
        yield _entry(after, now, EntryKind.UPDATED, changes)
    if _relapsed(before, after):
        yield _entry(after, now, EntryKind.RELAPSED, f"failing again, last at {rfc3339(_last_bad(after))}")
        yield from _ending(after, Phase.OPEN, now)
    else:
        yield from _ending(after, before.phase, now)


def _relapsed(before: StoredIncident, after: StoredIncident) -> bool:
    """Back to open; or opened and closed again since the last look."""
    if before.phase is Phase.OPEN:
        return False
    if after.phase is Phase.OPEN:
        return True
    return _last_bad(after) > _last_bad(before)


def _ending(after: StoredIncident, phase: Phase, now: datetime) -> Iterator[Entry]:
    """The turns from *phase* to the one that *after* is in."""
    if phase is not Phase.RESOLVED and after.phase is Phase.RESOLVED and after.diagnosis.unwatched:
        text = "watched no more: it failed until then, and nobody looks at it now"
        yield _entry(after, after.resolved_at or now, EntryKind.RESOLVED, text)
        return
    if phase is Phase.OPEN and after.phase in (Phase.RECOVERING, Phase.RESOLVED):
        since = rfc3339(after.end) if after.end else "now"
        yield _entry(after, after.recovering_at or now, EntryKind.RECOVERING, f"passing since {since}")
    if phase is not Phase.RESOLVED and after.phase is Phase.RESOLVED:
        at = after.resolved_at or now
        yield _entry(after, at, EntryKind.RESOLVED, f"no relapse until {rfc3339(at)}: safe to go back")


def _differences(before: StoredIncident, after: StoredIncident) -> Iterator[str]:
    was, found = before.diagnosis, after.diagnosis
    old, new = set(was.affected), set(found.affected)
    if new - old:
        yield f"also affected: {', '.join(sorted(new - old))}"
    if old - new:
        yield f"no longer affected: {', '.join(sorted(old - new))}"
    if was.scope.conjunctions != found.scope.conjunctions:
        yield f"scope is now {_scope_words(found.scope.conjunctions)}"
    if before.blame is not after.blame:
        yield f"blame is now {after.blame}, was {before.blame}: {found.blame_reason}"
    if before.start != after.start:
        yield f"began {rfc3339(after.start)}, not {rfc3339(before.start)}"
    marks = [mark for mark in found.nearby.marks if mark not in was.nearby.marks]
    if marks:
        said = (f"'{one_line(mark.text, 80)}' at {rfc3339(mark.at)}" for mark in marks)
        yield f"near its start: {', '.join(said)}"
    if _WORSE_FIRST.index(after.severity) < _WORSE_FIRST.index(before.severity):
        yield f"severity rose to {after.severity}"
    if before.phase is Phase.RESOLVED and after.phase is Phase.RESOLVED and before.end != after.end:
        yield f"ended {_end_words(after.end)}, not {_end_words(before.end)}"


def _scope_words(scope: Sequence[Conjunction]) -> str:
    return " and ".join(" · ".join(part.values()) for part in scope)


def _end_words(end: datetime | None) -> str:
    return rfc3339(end) if end else "never"


def _last_bad(one: StoredIncident) -> datetime:
    return max(window.end_after for window in one.diagnosis.windows)


def _entry(after: StoredIncident, at: datetime, kind: EntryKind, text: str) -> Entry:
    return Entry(incident_id=after.id, at=at, kind=kind, text=text)
