"""Outcomes read aloud: one line each, and the hints that only several of them together give."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from monitor.core.model import Failure, Outcome, Target, Verdict
from monitor.core.sanitize import one_line
from monitor.core.timefmt import duration_words
from monitor.providers import PROVIDERS

_LONGEST = 300
_GENERIC = "input transcription failed for item"
_NOT_DEPLOYED = ("DeploymentNotFound", "model_not_found")
_PRIVATE = ("public access is disabled", "virtual network", "firewall")


def one_outcome(outcome: Outcome) -> str:
    """``passed  azure/gpt-4o-transcribe/rest  0.52 s, word error rate 0 %``; failures with their error."""
    return f"{outcome.verdict.value:<12}  {outcome.target}  {_said(outcome)}"


def hints(outcomes: Sequence[Outcome], targets: Mapping[str, Target]) -> Sequence[str]:
    """What the runs of one check suggest, one sentence each; *targets* by their keys."""
    return list(dict.fromkeys(_hints(outcomes, targets)))


def _said(outcome: Outcome) -> str:
    took = duration_words(outcome.finished_at - outcome.started_at)
    if outcome.failure is None:
        final = outcome.timings_ms.get("final")
        heard = [] if outcome.wer is None else [f"word error rate {outcome.wer:.0%}"]
        slow = [outcome.message] if outcome.message else []
        return ", ".join([took if final is None else f"{final / 1000:.2f} s to the text", *heard, *slow])
    at = f" at {outcome.stage}" if outcome.stage else ""
    named = [f"{key} {value}" for key, value in (("type", outcome.type), ("code", outcome.code)) if value]
    status = [] if outcome.http_status is None else [f"HTTP {outcome.http_status}"]
    closed = [] if outcome.close_code is None else [f"close {outcome.close_code}"]
    error = [one_line(outcome.message, _LONGEST)] if outcome.message else []
    said = ", ".join([*status, *closed, *named, *error])
    return f"{outcome.failure}{at} after {took}, blame {outcome.blame}" + (f": {said}" if said else "")


def _hints(outcomes: Sequence[Outcome], targets: Mapping[str, Target]) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.verdict is not Verdict.FAILED:
            continue
        yield from _about_the_address(outcome, targets.get(outcome.target))
        message = (outcome.message or "").lower()
        if _GENERIC in message and outcome.failure is Failure.SERVER:
            yield from _beside_generic(outcome, outcomes, targets)
        if any(word in message for word in _PRIVATE):
            yield f"{outcome.target}: the resource only answers inside its network: run Earwitness there."
        provider = PROVIDERS.get(outcome.provider or "")
        role = provider.role if provider else None
        if role and outcome.failure is Failure.AUTH and outcome.code == "PermissionDenied":
            yield (
                f"{outcome.target}: the role '{role}' is missing; "
                "a role assignment takes some minutes to work."
            )


def _about_the_address(outcome: Outcome, target: Target | None) -> Iterator[str]:
    """Where to look when nobody answers at the address, or nobody there knows the name."""
    table = f"endpoint.{outcome.endpoint}"
    if target and outcome.failure in (Failure.DNS, Failure.CONNECT):
        yield f"{outcome.target}: nothing answers at {target.endpoint.url}: check url in [{table}]."
    if target and outcome.failure is Failure.CONFIG and outcome.code in _NOT_DEPLOYED:
        name = target.endpoint.deployment(target.model, target.pathway)
        yield (
            f"{outcome.target}: there is no '{name}' at this address: check the name in "
            f"[{table}.deployment.{_key(target.model)}]."
        )


def _key(name: str) -> str:
    """A name as a key of TOML: one with a dot or a slash stands in quotes."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'


def _beside_generic(
    outcome: Outcome, outcomes: Iterable[Outcome], targets: Mapping[str, Target]
) -> Iterator[str]:
    """A generic `failed` says nothing; a neighbour of the same deployment may."""
    name = _deployment(outcome, targets)
    beside = [other for other in outcomes if other is not outcome and _same_model(outcome, other)]
    explained = [other for other in beside if other.failure in (Failure.CONFIG, Failure.AUTH, Failure.QUOTA)]
    for other in explained:
        said = other.code or one_line(other.message or "", _LONGEST) or str(other.failure)
        yield f"{outcome.target}: the error says nothing, but {name} fails on {other.pathway} too: {said}."
    if explained:
        return
    if any(other.verdict in (Verdict.PASSED, Verdict.DEGRADED) for other in beside):
        yield f"{outcome.target}: {name} works on {', '.join(_passing(beside))}: its deployment exists."
    else:
        yield (
            f"{outcome.target}: this error also comes where the model is not deployed: check that {name} is "
            "the name of a deployment in this resource, and watch the rest pathway beside it, whose errors "
            "say more."
        )


def _same_model(one: Outcome, other: Outcome) -> bool:
    return (one.endpoint, one.model) == (other.endpoint, other.model)


def _passing(outcomes: Iterable[Outcome]) -> Sequence[str]:
    good = (Verdict.PASSED, Verdict.DEGRADED)
    return [outcome.pathway for outcome in outcomes if outcome.verdict in good]


def _deployment(outcome: Outcome, targets: Mapping[str, Target]) -> str:
    target = targets.get(outcome.target)
    name = target and target.endpoint.deployment(target.model, target.pathway)
    return name or outcome.model
