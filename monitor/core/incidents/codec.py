"""Write an incident as JSON and read it back: what the store keeps and `replay --json` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from monitor.core.diagnosis.diagnose import Beside, Control, Incident
from monitor.core.diagnosis.nearby_changes import ConfigurationChange, NearbyChanges
from monitor.core.diagnosis.scope import Scope
from monitor.core.diagnosis.signatures import Signature
from monitor.core.diagnosis.title import subject_of_target
from monitor.core.incidents.incident import Diagnosis, IncidentKind, StoredIncident, SuspectedCell
from monitor.core.model import Blame, Cell, State, split_target
from monitor.core.outages.gaps import Gap
from monitor.core.outages.marks import Mark
from monitor.core.outages.self_observations import BlindSpan
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


def incident_to_json(incident: Incident | StoredIncident) -> dict[str, Any]:
    """One incident as ``replay --json`` shows it: the same keys of a derived and of a stored one."""
    found = incident.diagnosis if isinstance(incident, StoredIncident) else incident
    return {
        "number": incident.number,
        "start": rfc3339(incident.start),
        "end": _instant_or_none(incident.end),
        "open": incident.open,
        "blame": incident.blame.value,
        "scope": [dict(part) for part in found.scope.conjunctions],
        "aliases": [dict(part) for part in found.scope.aliases],
        "ambiguous": found.scope.ambiguous,
        "alternatives": [dict(part) for part in found.scope.alternatives],
        "affected": list(found.affected),
        "unaffected": [_control_to_json(control) for control in found.unaffected],
        "title": incident.title,
    }


def stored_incident_to_json(incident: StoredIncident) -> dict[str, Any]:
    """The same with reason, windows, gaps and signatures: what the API and the bundle show."""
    shown, found = incident_to_json(incident), incident.diagnosis
    if incident.kind is IncidentKind.OUTAGE:
        shown |= {
            "beside": found.beside and asdict(found.beside),
            "blame_reason": found.blame_reason,
            "also_blamed": found.also_blamed,
            "windows": [_window_with_ids(window) for window in found.windows],
            "gaps": [gap_to_json(gap) for gap in found.gaps],
            "pauses": [gap_to_json(pause) for pause in found.pauses],
            "signatures": [_signature_to_json(signature) for signature in found.signatures],
            "marks": [_mark_to_json(mark) for mark in found.nearby.marks],
            "changes": [_change_to_json(shift) for shift in found.nearby.shifts],
        }
    else:  # what the monitor could not measure, or what is unstable
        shown |= {
            "blame_reason": found.blame_reason,
            "subject": found.subject,
            "windows": [],
            "signatures": [],
            "spans": [{"from": rfc3339(start), "to": _instant_or_none(end)} for start, end in found.spans],
        }
    shown |= {"dismissed": found.dismissed} if found.dismissed else {}
    return shown | ({"joined": found.joined} if found.joined else {})


def incident_to_column(incident: StoredIncident) -> dict[str, Any]:
    """The document that the store keeps: what is shown, and what only a program asks for."""
    cells = [
        {"target": cell.target, "location": cell.location, "start": rfc3339(start)}
        for cell, start in incident.diagnosis.suspected
    ]
    own = {"subject": incident.diagnosis.subject} | ({"cells": cells} if cells else {})
    return stored_incident_to_json(incident) | own


def _window_with_ids(window: Window) -> dict[str, Any]:
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


def _mark_to_json(mark: Mark) -> dict[str, Any]:
    return {"at": rfc3339(mark.at), "text": mark.text, "author": mark.author}


def _change_to_json(shift: ConfigurationChange) -> dict[str, Any]:
    return {
        "at": rfc3339(shift.at),
        "target": shift.cell.target,
        "location": shift.cell.location,
        "from": shift.before,
        "to": shift.after,
    }


def _instant_or_none(instant: datetime | None) -> str | None:
    return None if instant is None else rfc3339(instant)


def read_diagnosis(document: Mapping[str, Any]) -> Diagnosis:
    """The diagnosis in a document of the store; earlier versions wrote fewer keys."""

    def parts(key: str) -> Sequence[Mapping[str, Any]]:
        return document.get(key) or ()

    affected = tuple(document.get("affected") or ())
    beside = document.get("beside")
    return Diagnosis(
        subject=document.get("subject") or subject_of_target(*affected[:1]),
        blame_reason=document.get("blame_reason") or "",
        also_blamed=_blame_or_none(document.get("also_blamed")),
        scope=Scope(
            conjunctions=tuple(parts("scope")),
            aliases=tuple(parts("aliases")),
            ambiguous=bool(document.get("ambiguous")),
            alternatives=tuple(parts("alternatives")),
        ),
        affected=affected,
        unaffected=tuple(
            Control(cell=_cell(part), passed=part["passed"], total=part["total"])
            for part in parts("unaffected")
        ),
        beside=Beside(**beside) if beside else None,
        windows=tuple(_window(part) for part in parts("windows")),
        gaps=tuple(_gap(part) for part in parts("gaps")),
        pauses=tuple(_gap(part) for part in parts("pauses")),
        signatures=tuple(_signature(part) for part in parts("signatures")),
        nearby=NearbyChanges(
            tuple(Mark(parse_instant(part["at"]), part["text"], part["author"]) for part in parts("marks")),
            tuple(
                ConfigurationChange(parse_instant(part["at"]), _cell(part), part["from"], part["to"])
                for part in parts("changes")
            ),
        ),
        suspected=tuple(SuspectedCell(_cell(part), parse_instant(part["start"])) for part in parts("cells")),
        spans=tuple((parse_instant(part["from"]), _instant(part["to"])) for part in parts("spans")),
        dismissed=document.get("dismissed") or "",
        joined=document.get("joined"),
    )


def _blame_or_none(word: str | None) -> Blame | None:
    return Blame(word) if word else None


def _window(part: Mapping[str, Any]) -> Window:
    return Window(
        cell=_cell(part),
        state=State(part["state"]),
        start=parse_instant(part["start"]),
        start_after=_instant(part["start_after"]),
        end=_instant(part["end"]),
        end_after=parse_instant(part["end_after"]),
        failed=part["failed"],
        total=part["total"],
        open=part["open"],
        decided_at=parse_instant(part["decided_at"]),
        closed_at=_instant(part["closed_at"]),
        continues_until=parse_instant(part["continues_until"]),
        first_id=part["first_id"],
        last_id=part["last_id"],
        unwatched=part.get("unwatched", False),
    )


def _gap(part: Mapping[str, Any]) -> Gap:
    return Gap(cell=_cell(part), start=parse_instant(part["from"]), end=parse_instant(part["to"]))


def _signature(part: Mapping[str, Any]) -> Signature:
    texts = {key: part[key] for key in ("failure", "stage", "type", "code", "message", "first_id", "last_id")}
    first_at, last_at = parse_instant(part["first_at"]), parse_instant(part["last_at"])
    return Signature(**texts, count=part["count"], first_at=first_at, last_at=last_at, said=part.get("said"))


def _cell(part: Mapping[str, Any]) -> Cell:
    return _named_cell(part["target"], part["location"])


@lru_cache(maxsize=16_384)  # an incident may name hundreds of controls, and the next one names them again
def _named_cell(target: str, location: str) -> Cell:
    return Cell(*split_target(target), location)


def _instant(text: str | None) -> datetime | None:
    return parse_instant(text) if text else None
