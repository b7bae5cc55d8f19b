"""Which resource, deployments and path were asked, as support needs them to route a ticket."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from monitor.core.diagnosis.diagnose import Control
from monitor.core.diagnosis.title import cell_name
from monitor.core.evidence.bundle_facts import BundleFacts, QuotedRun, Role
from monitor.core.model import Deployment, Endpoint, Target
from monitor.core.sanitize import defuse
from monitor.providers import PROVIDERS
from monitor.reports.ticket.quoting import address, response_header

_AUTH = {"entra": "Entra ID"}


def resource_line(dossier: BundleFacts) -> str:
    """Resource id, region, serving region, organisation; then every deployment that was asked."""
    first = dossier.exhibit(Role.FIRST_FAILED)
    targets = affected_targets(dossier)
    if not targets:
        return ""
    endpoint = targets[0].endpoint
    parts = [defuse(part, 200) for part in _identity(endpoint)]
    serving = response_header(first, "x-ms-region")
    if serving:
        parts.append(f"x-ms-region {defuse(serving, 40)}")
    others = len({target.endpoint.name for target in targets}) - 1
    more = f" (and {others} more in incident.json)" if others else ""
    return f"Resource: {', '.join(parts)}{more}. {_deployments(targets, endpoint)}"


def affected_targets(dossier: BundleFacts) -> list[Target]:
    """The affected targets that are configured, the one whose run is quoted first."""
    first = dossier.exhibit(Role.FIRST_FAILED)
    keys = [first.outcome.target] if first else []
    keys += [key for key in dossier.incident.diagnosis.affected if key not in keys]
    return [dossier.targets[key] for key in keys if key in dossier.targets]


def _identity(endpoint: Endpoint) -> Iterator[str]:
    yield endpoint.resource_id or urlsplit(endpoint.url).hostname or endpoint.name
    if endpoint.region:
        yield endpoint.region
    if endpoint.organization:
        yield f"organization {endpoint.organization}"
    if endpoint.project:
        yield f"project {endpoint.project}"
    yield from (f"{key} {value}" for key, value in endpoint.details.items())


def _deployments(targets: list[Target], endpoint: Endpoint) -> str:
    named: dict[str, None] = {}
    for target in targets:
        if target.endpoint.name == endpoint.name:
            named[_deployment(endpoint, target.model, target.pathway)] = None
            if target.session_model:
                named[f"host {_deployment(endpoint, target.session_model, target.pathway)}"] = None
    shown = list(named)
    more = f", and {len(shown) - 4} more" if len(shown) > 4 else ""
    word = "Deployments" if PROVIDERS[endpoint.provider].has_deployments else "Models"
    return f"{word}: {', '.join(shown[:4])}{more}"


def _deployment(endpoint: Endpoint, model: str, pathway: str) -> str:
    known = endpoint.deployments.get(model)
    name = endpoint.deployment(model, pathway) or model
    shown = defuse(model, 60) if name == model else f"{defuse(name, 60)} = {defuse(model, 60)}"
    details = _details(known) if known else ""
    return f"{shown} ({details})" if details else shown


def _details(known: Deployment) -> str:
    facts = (("version", known.version), ("type", known.type))
    return ", ".join(f"{word} {defuse(value, 40)}" for word, value in facts if value)


def path_line(dossier: BundleFacts) -> str:
    """The URL that was asked, its dialect and version, the kind of authentication, and the audio."""
    first = dossier.exhibit(Role.FIRST_FAILED)
    url = address(first)
    target = dossier.targets.get(first.outcome.target) if first else None
    parts = [_shown(url)] if url else []
    if target is not None:
        parts += _form(target)
    audio = _audio(dossier, first, target)
    if not parts:
        return ""
    return f"Path: {', '.join(parts)}" + (f"; {audio}" if audio else "")


def _shown(url: str) -> str:
    """The address that we asked for: without markup, and still an address."""
    return defuse(url, 240).replace(":\u200b//", "://")


def _form(target: Target) -> Iterator[str]:
    endpoint = target.endpoint
    if target.ways.speaks_in_session:
        yield "GA" if endpoint.dialect == "ga" else endpoint.dialect
    if PROVIDERS[endpoint.provider].has_versions:
        yield f"api-version {defuse(endpoint.api_version, 40)}" if endpoint.api_version else "no api-version"
    yield auth_kind(endpoint)


def auth_kind(endpoint: Endpoint) -> str:
    """How we authenticate, by kind: never the key or where it is kept."""
    credential = PROVIDERS[endpoint.provider].credential(endpoint)
    if credential is None:
        return "no key"
    by_key = "bearer key" if credential.prefix else credential.header.lower()
    return _AUTH.get(endpoint.auth, by_key)


def _audio(dossier: BundleFacts, first: QuotedRun | None, target: Target | None) -> str:
    if first is None or target is None:
        return ""
    recording = dossier.recordings.get(first.outcome.clip or "")
    length = f" {recording.seconds:.2f} s" if recording else ""
    if not target.ways.speaks_in_session:
        return f"WAV PCM16 mono{length}, no retries"
    commit = "manual commit" if target.turn == "manual" else "server VAD"
    return f"PCM16 {target.endpoint.sample_rate // 1000} kHz mono{length}, {commit}, no retries"


def control_name(dossier: BundleFacts, near: Control) -> str:
    """``stt-prod rest``, ``whisper-1 realtime on rt-host``: by deployment, where it is configured.

    One of another endpoint than those that fail says which.
    """
    cells = [window.cell for window in dossier.incident.diagnosis.windows]
    target = dossier.targets.get(near.cell.target)
    if target is None:
        return defuse(cell_name(near.cell, cells), 100)
    name = target.endpoint.deployment(target.model, target.pathway) or target.model
    host = target.session_model and target.endpoint.deployment(target.session_model, target.pathway)
    away = near.cell.endpoint not in {cell.endpoint for cell in cells}
    place = (f" on {host}" if host else "") + (f" at {near.cell.endpoint}" if away else "")
    return defuse(f"{name} {target.pathway}{place}", 120)
