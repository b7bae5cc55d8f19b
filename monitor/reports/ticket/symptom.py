"""What a failed run looked like from outside: the steps that went well, then the provider's own words."""

from __future__ import annotations

from monitor.core.evidence.bundle_facts import BundleFacts, QuotedRun, Role
from monitor.core.incidents.incident import StoredIncident
from monitor.core.model import Outcome
from monitor.core.sanitize import defuse
from monitor.reports.ticket.quoting import closed_by_peer, event_types, without_ids

_STEPS = {"session.updated": "session.updated", "committed": "committed"}


def symptom_line(dossier: BundleFacts) -> str:
    """The first failed run in words and how many runs say the same; empty where none is at hand."""
    first = dossier.exhibit(Role.FIRST_FAILED)
    if first is None:
        return ""
    parts = [
        f"{_well(first)}{_failing(first)}: {_said(first.outcome)}",
        *_around(first),
        _signatures(dossier.incident),
    ]
    return f"Symptom: {'; '.join(part for part in parts if part)}"


def _well(first: QuotedRun) -> str:
    """The steps before the failure that were answered as they should be."""
    types = event_types(first)
    seen = [word for ending, word in _STEPS.items() if any(kind.endswith(ending) for kind in types)]
    return f"{' and '.join(seen)} normal, then " if seen else ""


def _failing(first: QuotedRun) -> str:
    failed = next((kind for kind in event_types(first) if kind.endswith("failed") or kind == "error"), None)
    if failed:
        return defuse(failed, 100)
    outcome = first.outcome
    if outcome.http_status is not None and outcome.http_status >= 300:
        what = "upgrade refused with HTTP" if outcome.stage == "handshake" else "HTTP"
        return f"{what} {outcome.http_status}"
    if outcome.close_code is not None and closed_by_peer(first):
        return f"connection closed with {outcome.close_code}"
    return " at ".join(part for part in (outcome.failure or "unknown", outcome.stage) if part)


def _said(outcome: Outcome) -> str:
    message = defuse(without_ids(outcome.message or ""), 220)
    quoted = f'"{message}"' if message else ""
    if outcome.type:
        code = defuse(outcome.code, 60) if outcome.code else "null"
        return ", ".join(part for part in (defuse(outcome.type, 60), f"code {code}", quoted) if part)
    code = f"code {defuse(outcome.code, 60)}" if outcome.code else ""
    return ", ".join(part for part in (code, quoted) if part) or "no words"


def _around(first: QuotedRun) -> list[str]:
    """What did not happen beside it, in sessions only: there both are what support asks first."""
    types = event_types(first)
    if not any("session" in kind for kind in types):
        return []
    error = "" if "error" in types else "no error event"
    socket = "" if closed_by_peer(first) else "socket stays open"
    return [", ".join(part for part in (error, socket) if part)]


def _signatures(incident: StoredIncident) -> str:
    counts = [symptom.count for symptom in incident.diagnosis.signatures]
    if not counts:
        return ""
    if len(counts) == 1:
        return f"the same error {counts[0]:,} times"
    shown = ", ".join(f"× {count:,}" for count in counts[:4])
    return f"{len(counts)} different errors: {shown}{' …' if len(counts) > 4 else ''}"
