"""The JSON body of a notice: its texts and facts, always under the size that receivers accept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from monitor.core.alerting.alert_text import (
    corrected_text,
    merged_text,
    opened_text,
    owner_text,
    recovering_text,
    resolved_text,
    unwatched_text,
    updated_text,
    withdrawn_text,
)
from monitor.core.alerting.notice import NoticeKind
from monitor.core.alerting.retry import serialise
from monitor.core.alerting.wording import MessageFacts, link, short_title, subject
from monitor.core.diagnosis.diagnose import Severity
from monitor.core.incidents.incident import IncidentKind, Phase, StoredIncident
from monitor.core.model import State
from monitor.core.sanitize import cut, defuse
from monitor.core.timefmt import rfc3339

# Standard Webhooks 1.0 asks for bodies under 20 KB; the rest is left for what a channel adds.
LARGEST_BODY = 18_000
_LISTED = (50, 20, 8, 3, 0)
_TEXTS = {
    NoticeKind.OPENED: opened_text,
    NoticeKind.UPDATED: updated_text,
    NoticeKind.RECOVERING: recovering_text,
    NoticeKind.RESOLVED: resolved_text,
}
_ENDED = ("recovering", "resolved")


def compose_body(
    kind: NoticeKind, telling: MessageFacts, sequence: int, *, drill: bool = False
) -> dict[str, Any]:
    """`type`, `timestamp` (RFC 3339, of the decision) and `data`, at most 18,000 bytes as JSON.

    Lists are shortened where they are long; `affected_total` and `unaffected_total` keep their lengths.
    """
    body: dict[str, Any] = {}
    for keep in _LISTED:
        body = _body(kind, telling, sequence, keep, drill=drill)
        if len(serialise(body)) <= LARGEST_BODY:
            break
    return body


def told_state(incident: StoredIncident) -> str:
    """What a notice says of the incident now: its condition, `recovering` or `resolved` (also withdrawn)."""
    if incident.phase is Phase.DISMISSED:
        return str(Phase.RESOLVED)
    return str(incident.phase) if incident.phase in (Phase.RECOVERING, Phase.RESOLVED) else incident.condition


def differences(incident: StoredIncident, told: Mapping[str, Any]) -> tuple[str, ...]:
    """In words, what changed since the data *told*: state, start, blame, targets or scope."""
    changed = []
    if told["state"] != incident.condition:
        changed.append(f"now {incident.condition} (was {told['state']})")
    if _worse(incident, told):
        changed.append(f"severity {incident.severity} (was {told['severity']})")
    changed += _moved("began", incident.start, told["start"])
    if told["blame"] != incident.blame:
        changed.append(f"blame {incident.blame} (was {told['blame']})")
    if told["affected_total"] != len(incident.diagnosis.affected):
        changed.append(
            f"{_targets(len(incident.diagnosis.affected))} affected (was {told['affected_total']})"
        )
    elif told["subject"] != subject(incident):
        changed.append(f"now about {subject(incident)} (was {told['subject']})")
    return tuple(changed)


def rises(incident: StoredIncident, told: Mapping[str, Any]) -> tuple[str, ...]:
    """In words, what is worse than in the data *told*: its state, its severity, or a wider scope."""
    found = []
    if (told["state"], incident.condition) == (State.DEGRADED, State.DOWN):
        found.append(f"now {incident.condition} (was {told['state']})")
    if _worse(incident, told):
        found.append(f"severity {incident.severity} (was {told['severity']})")
    # More targets inside the scope that was told are no wider scope: they would be told one by one.
    if told["affected_total"] < len(incident.diagnosis.affected) and told["subject"] != subject(incident):
        found.append(f"now about {subject(incident)} (was {told['subject']})")
    return tuple(found)


def _worse(incident: StoredIncident, told: Mapping[str, Any]) -> bool:
    grades = [str(severity) for severity in Severity]
    return grades.index(incident.severity) < grades.index(told["severity"])


def corrections(incident: StoredIncident, told: Mapping[str, Any]) -> tuple[str, ...]:
    """In words, which edge is another than in the data *told* of an incident that is over."""
    return (*_moved("began", incident.start, told["start"]), *_moved("ended", incident.end, told["end"]))


def _moved(verb: str, instant: datetime | None, told: str | None) -> Sequence[str]:
    now = _instant(instant)
    return () if now == told else (f"{verb} {now or 'not yet'} (was {told or 'not yet'})",)


def _targets(count: int) -> str:
    return f"{count:,} target{'s' * (count != 1)}"


def _body(
    kind: NoticeKind, telling: MessageFacts, sequence: int, keep: int, *, drill: bool
) -> dict[str, Any]:
    return {
        "type": str(kind),
        "timestamp": rfc3339(telling.now),
        "data": {**_saying(kind, telling, drill=drill), **_facts(telling, sequence, keep), "drill": drill},
    }


def _saying(kind: NoticeKind, telling: MessageFacts, *, drill: bool) -> dict[str, Any]:
    state = told_state(telling.incident)
    word, text = _wording(kind, state, telling)
    mark = "DRILL, nothing is broken: " if drill else ""
    title = short_title(telling.incident, f"DRILL: {word}" if drill else word)
    return {"incident": telling.incident.number, "title": title, "text": f"{mark}{text}", "state": state}


def _wording(kind: NoticeKind, state: str, telling: MessageFacts) -> tuple[str, str]:
    """The word that leads the title, and the text."""
    incident, updated = telling.incident, kind is NoticeKind.UPDATED
    if incident.phase is Phase.DISMISSED and incident.diagnosis.joined:
        return f"Now part of incident {incident.diagnosis.joined}", merged_text(telling)
    if incident.phase is Phase.DISMISSED:
        return "Withdrawn", withdrawn_text(telling)
    if not updated and incident.phase is Phase.RESOLVED and incident.diagnosis.unwatched:
        return "Watched no more", unwatched_text(telling)
    if updated and incident.phase is Phase.RESOLVED:
        return "Corrected", corrected_text(telling)
    word = _state_word(state, telling.told_state) if updated else state.capitalize()
    text = _TEXTS[kind] if incident.kind is IncidentKind.OUTAGE else owner_text
    return word, text(telling)


def _state_word(state: str, told: str | None) -> str:
    """``Still down``, ``Now down`` after degraded, ``Down again`` after a recovery."""
    if told in _ENDED:
        return f"{state.capitalize()} again"
    return f"Still {state}" if told in (None, state) else f"Now {state}"


def _facts(telling: MessageFacts, sequence: int, keep: int) -> dict[str, Any]:
    incident, found = telling.incident, telling.incident.diagnosis
    bounds = found.bounds
    return {
        "incident_id": incident.id,
        "severity": str(incident.severity),
        "blame": str(incident.blame),
        "subject": subject(incident),
        "scope": _scope(found.scope.conjunctions, keep),
        "affected": [defuse(target, 200) for target in found.affected[:keep]],
        "affected_total": len(found.affected),
        "unaffected": _controls(incident, keep),
        "unaffected_total": len(found.unaffected),
        "failed": found.failed,
        "total": found.total,
        "start": rfc3339(incident.start),
        "end": _instant(incident.end),
        "at_least_s": bounds.least.total_seconds(),
        "at_most_s": bounds.most.total_seconds() if bounds.most is not None else None,
        "decided": _instant(incident.opened_at),
        "changed": [cut(change, 200) for change in telling.changed],
        "link": link(telling.voice, incident.number),
        "sequence": sequence,
    }


def _scope(scope: Sequence[Mapping[str, str]], keep: int) -> list[dict[str, str]]:
    return [{defuse(key, 40): defuse(value, 200) for key, value in part.items()} for part in scope[:keep]]


def _controls(incident: StoredIncident, keep: int) -> list[dict[str, Any]]:
    return [
        {
            "target": defuse(near.cell.target, 200),
            "location": defuse(near.cell.location, 100),
            "passed": near.passed,
            "total": near.total,
        }
        for near in incident.diagnosis.unaffected[:keep]
    ]


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else rfc3339(instant)
