"""What the facts of an incident speak against, and what they do not exclude; a ticket prints both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.core.diagnosis.diagnose import Control
from monitor.core.evidence.bundle_facts import BundleFacts, QuotedRun, Role
from monitor.core.incidents.incident import StoredIncident
from monitor.core.model import Target, Verdict
from monitor.core.pathways import pathway_named
from monitor.core.sanitize import defuse
from monitor.providers import PROVIDERS
from monitor.reports.ticket.quoting import session_opened

_BEFORE_AN_ANSWER = ("dns", "connect", "tls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """A cause that support would ask about; `against` is the fact that speaks against it, if one does."""

    cause: str
    against: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    incident: StoredIncident
    target: Target | None  # the first affected one, where it is configured
    first: QuotedRun
    failed: Sequence[QuotedRun]
    opened: bool
    controls: Sequence[tuple[Control, Target]]  # on the endpoint of the target
    passed_before: bool


def weigh(dossier: BundleFacts) -> tuple[Hypothesis, ...]:
    """The hypotheses that apply to this incident, each with the fact against it or None.

    Empty where no failed run is at hand: without facts nothing is said.
    """
    first = dossier.exhibit(Role.FIRST_FAILED)
    return tuple(_hypotheses(_case(dossier, first))) if first else ()


def _case(dossier: BundleFacts, first: QuotedRun) -> _Case:
    incident = dossier.incident
    before = dossier.exhibit(Role.LAST_PASSED)
    same = before is not None and before.outcome.configuration == first.outcome.configuration
    near = [(control, dossier.targets.get(control.cell.target)) for control in incident.diagnosis.unaffected]
    return _Case(
        incident=incident,
        target=dossier.targets.get(first.outcome.target),
        first=first,
        failed=[shown for shown in dossier.exhibits if shown.outcome.verdict is Verdict.FAILED],
        opened=session_opened(first),
        controls=[
            (control, target)
            for control, target in near
            if target is not None and control.passed and control.cell.endpoint == first.outcome.endpoint
        ],
        passed_before=same and before is not None and before.outcome.verdict is Verdict.PASSED,
    )


def _hypotheses(case: _Case) -> Iterator[Hypothesis]:
    yield Hypothesis(cause="network", against=_against_network(case))
    if case.target is None or case.target.endpoint.auth != "none":
        yield Hypothesis(cause="key", against=_against_key(case))
    if case.target is not None and case.target.session_model:
        yield Hypothesis(cause="host", against=_against_host(case, case.target))
    if case.target is not None and PROVIDERS[case.target.endpoint.provider].has_deployments:
        yield Hypothesis(cause="missing deployment", against=_against_missing(case, case.target))
    yield Hypothesis(cause="quota", against=None if _saw_quota(case) else "no 429 seen")
    if pathway_named(case.first.outcome.pathway).has_session and _is_generic(case):
        yield Hypothesis(cause="a limit on your internal call", against=None)


def _against_network(case: _Case) -> str | None:
    if case.opened:
        return "session opened"
    if case.first.outcome.http_status is not None:
        return f"HTTP {case.first.outcome.http_status} came back"
    if case.first.outcome.failure in _BEFORE_AN_ANSWER:
        return _passing_control(case, "{} passed over it")
    return None


def _against_key(case: _Case) -> str | None:
    if case.opened:
        return "session opened"
    return _passing_control(case, "{} passed with it")


def _passing_control(case: _Case, form: str) -> str | None:
    for control, _ in case.controls:
        return form.format(defuse(f"{control.cell.model} {control.cell.pathway}", 60))
    return None


def _against_host(case: _Case, target: Target) -> str | None:
    for control, other in case.controls:
        if other.session_model == target.session_model and other.pathway == target.pathway:
            return f"{defuse(control.cell.model, 60)} passed on it"
    return None


def _against_missing(case: _Case, target: Target) -> str | None:
    name = target.endpoint.deployment(target.model, target.pathway)
    for control, other in case.controls:
        if name is not None and other.endpoint.deployment(other.model, other.pathway) == name:
            return f"{defuse(control.cell.pathway, 40)} passed on {defuse(name, 60)}"
    return "passed before with the same configuration" if case.passed_before else None


def _saw_quota(case: _Case) -> bool:
    if any(symptom.failure in ("quota", "capacity") for symptom in case.incident.diagnosis.signatures):
        return True
    quoted = [exhibit.outcome for exhibit in case.failed]
    return any("429" in f"{run.http_status} {run.code} {run.message}" for run in quoted)


def _is_generic(case: _Case) -> bool:
    """The realtime service calls the transcription endpoint internally and hides its reason."""
    return case.first.outcome.failure in ("server", "silent") and case.first.outcome.code is None


def weighed_words(hypotheses: Sequence[Hypothesis]) -> str:
    """``Ruled out: network and key (session opened). …``; empty where nothing is known."""
    by_fact: dict[str, list[str]] = {}
    for hypothesis in hypotheses:
        if hypothesis.against is not None:
            by_fact.setdefault(hypothesis.against, []).append(hypothesis.cause)
    against = ", ".join(f"{' and '.join(causes)} ({fact})" for fact, causes in by_fact.items())
    remaining = ", ".join(hypothesis.cause for hypothesis in hypotheses if hypothesis.against is None)
    parts = (
        f"Ruled out: {against}" if against else "",
        f"Cannot be ruled out from here: {remaining}" if remaining else "",
    )
    return ". ".join(part for part in parts if part)
