"""Derived values as JSON-ready objects: what ``replay --json`` prints and what the store keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from monitor.core.diagnose import Control, Incident
from monitor.core.nearby import mark_to_json, shift_to_json
from monitor.core.sights import BlindSpan
from monitor.core.signatures import Signature
from monitor.core.times import rfc3339
from monitor.core.windows import Gap, Window


def window_to_json(window: Window) -> dict[str, Any]:
    """One window as ``replay --json`` shows it."""
    return {
        "target": window.cell.target,
        "location": window.cell.location,
        "state": window.state.value,
        "start": rfc3339(window.start),
        "start_after": _instant(window.start_after),
        "end": _instant(window.end),
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
        "end": _instant(incident.end),
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
        "windows": [_stored_window(window) for window in incident.windows],
        "gaps": [gap_to_json(gap) for gap in gaps],
        "pauses": [gap_to_json(pause) for pause in pauses],
        "signatures": [_signature_to_json(signature) for signature in incident.signatures],
        "marks": [mark_to_json(mark) for mark in incident.nearby.marks],
        "changes": [shift_to_json(shift) for shift in incident.nearby.shifts],
    }


def _stored_window(window: Window) -> dict[str, Any]:
    return {
        **window_to_json(window),
        "decided_at": rfc3339(window.decided_at),
        "closed_at": _instant(window.closed_at),
        "continues_until": rfc3339(window.continues_until),
        "first_id": window.first_id,
        "last_id": window.last_id,
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


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else rfc3339(instant)
