"""The ticket summary: what a provider's support asks for, in under 3,000 characters, ready to paste.

A line whose facts are absent is left out, never filled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.core.alerting.wording import subject
from monitor.core.clock_offset import Offset
from monitor.core.diagnosis.title import cell_name
from monitor.core.evidence.bundle_facts import BundleFacts, QuotedRun, Role
from monitor.core.incidents.incident import Phase, StoredIncident
from monitor.core.model import Blame, State
from monitor.core.pathways import pathway_named
from monitor.core.sanitize import cut, defuse
from monitor.core.timefmt import clock, day, span_words
from monitor.providers import PROVIDERS
from monitor.reports.leak_scan import needles, scan_for_leaks
from monitor.reports.ticket.measures import baseline_line, nearby_line, size_line
from monitor.reports.ticket.quoting import identified
from monitor.reports.ticket.reasoning import weigh, weighed_words
from monitor.reports.ticket.reproducer import reproducer
from monitor.reports.ticket.resource import affected_targets, control_name, path_line, resource_line
from monitor.reports.ticket.symptom import symptom_line

LONGEST_TICKET = 3000
_PASSED_ROLES = {
    Role.LAST_PASSED: "Last passed",
    Role.FIRST_PASSED: "First passed",
    Role.CONTROL: "Control",
}


def render_ticket(dossier: BundleFacts, *, bundle_sha256: str | None = None) -> str:
    """The summary as plain text, one fact a line; *bundle_sha256* only where the bundle lies beside it."""
    lines = [line for line in _lines(dossier, bundle_sha256) if line]
    return "\n".join(_fitted(lines, LONGEST_TICKET - len(lines) - 1)) + "\n"


def checked(dossier: BundleFacts, secrets: Sequence[str] = ()) -> bytes:
    """The summary as bytes; raises MonitorError if it holds one of *secrets*."""
    content = render_ticket(dossier).encode()
    scan_for_leaks("summary.md", content, needles(secrets))
    return content


def _lines(dossier: BundleFacts, bundle_sha256: str | None) -> Iterator[str]:
    incident = dossier.incident
    yield _subject_line(incident)
    yield size_line(dossier)
    yield resource_line(dossier)
    yield path_line(dossier)
    yield symptom_line(dossier)
    yield _unaffected_line(dossier)
    yield baseline_line(dossier)
    yield nearby_line(dossier)
    yield weighed_words(weigh(dossier))
    yield from _exhibit_lines(dossier)
    yield _observer_line(dossier)
    yield _request_line(dossier)
    yield _attached_line(dossier, bundle_sha256)


def _fitted(lines: Sequence[str], budget: int) -> list[str]:
    """The lines within *budget* characters: only the longest are cut, and all of them to one length."""
    longest = max(map(len, lines), default=0)
    while longest > 1 and sum(min(len(line), longest) for line in lines) > budget:
        longest -= 1
    return [cut(line, longest) for line in lines]


def _subject_line(incident: StoredIncident) -> str:
    word = "failed" if incident.state is State.DOWN else "was degraded"
    began, ended = incident.diagnosis.began or incident.start, incident.diagnosis.ended
    if ended is not None:
        when = f"{word} {span_words(began, ended)}"
    else:
        ongoing = "failing" if incident.state is State.DOWN else "degraded"
        when = f"{ongoing} since {clock(began)} UTC, {day(began)}, and still is"
    unaffected = _unaffected_words(incident)
    return f"Subject: {_what(incident)} {when}" + (f"; {unaffected} unaffected" if unaffected else "")


def _what(incident: StoredIncident) -> str:
    cells = {window.cell for window in incident.diagnosis.leading}
    pathways, models = {cell.pathway for cell in cells}, sorted({cell.model for cell in cells})
    words = {pathway_named(pathway).ticket_words for pathway in pathways}
    if len(pathways) != 1 or None in words or len(models) > 2:
        return f"Speech-to-text ({subject(incident)})"
    return f"{words.pop()} {' and '.join(defuse(model, 80) for model in models)}"


def _unaffected_words(incident: StoredIncident) -> str:
    """The nearest two controls, each by what tells it from the failing cells: pathway, model or endpoint."""
    cells = {window.cell for window in incident.diagnosis.leading}
    words: list[str] = []
    for near in incident.diagnosis.unaffected[:2]:
        cell = near.cell
        if (cell.endpoint, cell.model) in {(other.endpoint, other.model) for other in cells}:
            words.append(defuse(pathway_named(cell.pathway).words, 40))
        elif (cell.endpoint, cell.pathway) in {(other.endpoint, other.pathway) for other in cells}:
            words.append(defuse(cell.model, 60))
        else:
            words.append(defuse(cell_name(cell, cells), 100))
    return " and ".join(dict.fromkeys(words))


def _unaffected_line(dossier: BundleFacts) -> str:
    incident = dossier.incident
    endpoints = {window.cell.endpoint for window in incident.diagnosis.leading}
    same = [near for near in incident.diagnosis.unaffected if near.cell.endpoint in endpoints]
    other = [near for near in incident.diagnosis.unaffected if near.cell.endpoint not in endpoints]
    parts = []
    for label, controls in (
        ("same resource, key and minutes", same),
        ("elsewhere in the same minutes", other),
    ):
        named = "; ".join(
            f"{control_name(dossier, near)} {near.passed:,}/{near.total:,}" for near in controls[:3]
        )
        if named:
            more = f"; and {len(controls) - 3} more" if len(controls) > 3 else ""
            parts.append(f"Unaffected, {label}: {named}{more}")
    return ". ".join(parts)


def _exhibit_lines(dossier: BundleFacts) -> Iterator[str]:
    start = dossier.incident.start
    for role, word in ((Role.FIRST_FAILED, "First failed"), (Role.LAST_FAILED, "Last failed")):
        exhibit = dossier.exhibit(role)
        if exhibit is not None:
            yield f"{word} {identified(exhibit, on=start)}"
    passed = [
        f"{word}{_whose(role, exhibit)} {identified(exhibit, on=start)}"
        for role, word in _PASSED_ROLES.items()
        if (exhibit := dossier.exhibit(role)) is not None
    ]
    yield ". ".join(passed)


def _whose(role: Role, exhibit: QuotedRun) -> str:
    outcome = exhibit.outcome
    return f" {defuse(outcome.model, 60)} {defuse(outcome.pathway, 40)}" if role is Role.CONTROL else ""


def _observer_line(dossier: BundleFacts) -> str:
    observer = dossier.observer
    places = ", ".join(defuse(place, 60) for place in observer.locations)
    parts = [
        f"location {places}" if places else "",
        f"egress {defuse(observer.egress, 60)}" if observer.egress else "",
        _offset_words(observer.clock_offset),
        f"client {defuse(observer.client, 40)}",
    ]
    return f"Observer: {', '.join(part for part in parts if part)}; times are starts of runs, in UTC"


def _offset_words(offset: Offset | None) -> str:
    """How far our clock was ahead of yours, as far as `Date` headers of whole seconds can tell."""
    if offset is None:
        return ""
    least, most = offset.least.total_seconds(), offset.most.total_seconds()
    return f"clock offset {least:+.1f} to {most:+.1f} s by your Date headers"


def _request_line(dossier: BundleFacts) -> str:
    incident = dossier.incident
    if incident.blame is Blame.MONITOR:
        return "Request: none; the fault lies with our own monitor"
    if incident.blame is Blame.ACCOUNT:
        reason = defuse(incident.diagnosis.blame_reason, 160).rstrip(". ")
        why = f" ({reason})" if reason else ""
        return f"Request: our own account is suspected{why}; say from these ids what was refused and why"
    if incident.blame is not Blame.PROVIDER:
        return "Request: say from these ids what your side saw, and on which side the fault lies"
    if incident.phase is Phase.OPEN:
        return "Request: it fails now; find the cause from these ids and say when it will work again"
    asked = {target.endpoint.provider for target in affected_targets(dossier)}
    has_types = any(PROVIDERS[provider].has_deployments for provider in asked)
    recur = "recur on this deployment type" if has_types else "recur"
    question = f"confirm the cause from these ids, say whether it can {recur}, and whether the SLA covers it"
    return f"Request: {question}"


def _attached_line(dossier: BundleFacts, bundle_sha256: str | None) -> str:
    names = {Role.FIRST_FAILED: "first", Role.LAST_FAILED: "last", Role.CONTROL: "control"}
    kept = [word for role, word in names.items() if (shown := dossier.exhibit(role)) and shown.evidence]
    proof = f"SHA-256 {bundle_sha256}" if bundle_sha256 else "checksums in its SHA256SUMS"
    parts = [f"frames of {_listed(kept)}"] if kept else []
    parts += ["reproducer without key"] if reproducer(dossier) else []
    parts += ["every run as outcomes.jsonl"]
    return f"Attached: incident-{dossier.incident.number}.zip, {proof}; {', '.join(parts)}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]
