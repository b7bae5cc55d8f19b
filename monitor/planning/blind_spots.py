"""The questions that a configuration cannot answer, each with its reason and what would answer it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from monitor.catalogue.models import KNOWN_MODELS, KnownModel
from monitor.config.field_types import is_loopback
from monitor.config.problems import listed
from monitor.config.settings import Settings
from monitor.core.model import Target
from monitor.core.pathways import CONTROL_PATHWAY, PATHWAYS
from monitor.core.scheduling.attention import quota_key
from monitor.providers import PROVIDERS
from monitor.providers.provider import DEFAULT_HOST_MODEL

CONTROL = PATHWAYS[CONTROL_PATHWAY]


def unanswered(settings: Settings) -> Iterator[str]:
    """One sentence per question that nobody will be able to answer when it is asked."""
    if settings.targets:
        yield from _ours_or_theirs(settings)
        yield from _regions(settings.targets)
        yield from _controls(settings.targets)
        yield from _support(settings)
    yield from _alerts(settings)


def _ours_or_theirs(settings: Settings) -> Iterator[str]:
    hosts = {urlsplit(target.endpoint.url).netloc for target in settings.targets}
    if not settings.monitor.control_hosts and len(hosts) < 2:
        yield (
            "Is it our own network? There is no second host to compare with: "
            'name one, control_hosts = ["example.com:443"] in [monitor].'
        )
    yield (
        f"Do others see it too? Checks run from one location only ({settings.monitor.location}): "
        "run a second Earwitness elsewhere and compare its export."
    )


def _regions(targets: tuple[Target, ...]) -> Iterator[str]:
    places: dict[str, set[str]] = {}
    for target in targets:
        places.setdefault(target.model, set()).add(target.endpoint.region or target.endpoint.name)
    single = [model for model, seen in places.items() if len(seen) < 2]
    if single:
        yield (
            f"Is it the region or the model? In one place only: {listed(single)}. "
            "Add an endpoint in a second region and watch the same models there."
        )


def _controls(targets: tuple[Target, ...]) -> Iterator[str]:
    keys = {target.key for target in targets}
    for target in targets:
        beside = f"{target.endpoint.name}/{target.model}/{CONTROL_PATHWAY}"
        if target.ways.has_session and beside not in keys:
            yield (
                f"Is it the pathway or the model? {target.key} has no {CONTROL.words} neighbour: "
                f"add '{CONTROL.name}' to the pathways of '{target.model}'."
            )
    pathways: dict[tuple[str, str], set[str]] = {}
    for target in targets:
        pathways.setdefault((target.endpoint.name, target.pathway), set()).add(target.model)
    for (endpoint, pathway), models in pathways.items():
        if len(models) < 2:
            yield (
                f"Is it the model or the endpoint? {endpoint} has one model only on '{pathway}' "
                f"({', '.join(models)}): watch a second model there as a control."
            )


def _support(settings: Settings) -> Iterator[str]:
    watched = {target.endpoint.name for target in settings.targets}
    for endpoint in settings.endpoints.values():
        if endpoint.name not in watched:
            continue
        for key, question in PROVIDERS[endpoint.provider].support_asks.items():
            if not getattr(endpoint, key):
                yield f"{question}: set {key} in [endpoint.{endpoint.name}]."


def _alerts(settings: Settings) -> Iterator[str]:
    if not settings.channels:
        yield "Who is told? There is no [channel.…]: an outage stands on the page and nowhere else."
        return
    told = frozenset[str]().union(*(channel.when for channel in settings.channels.values()))
    nobody = [occasion for occasion in ("down", "degraded", "account", "monitor") if occasion not in told]
    if nobody:
        yield f"Who is told of {' or '.join(nobody)}? No channel has it in its `when`."
    link = urlsplit(settings.web.base_url).hostname or ""
    if is_loopback(link):
        yield "Where do links in alerts lead? To this machine only: set public_url in [web]."


def hints(settings: Settings) -> Iterator[str]:
    """What is allowed, and often surprises."""
    yield from settings.notes
    for target in settings.targets:
        yield from _target_hints(target)
    for group in _uneven(settings.targets):
        yield f"{group}: max_per_minute differs between its watches; the lowest counts for all of them."
    asked: dict[str, int] = {}
    for target in settings.targets:
        name = target.endpoint.name
        asked[name] = max(asked.get(name, 0), target.max_per_minute)
    for endpoint in settings.endpoints.values():
        usual = PROVIDERS[endpoint.provider].usual_quota
        if usual is not None and asked.get(endpoint.name, 0) > usual:
            yield (
                f"{endpoint.name}: max_per_minute is above {usual}, the usual quota of a "
                "transcription deployment: compare it with yours, or runs will fail with 429."
            )


def _uneven(targets: tuple[Target, ...]) -> Iterator[str]:
    quotas: dict[tuple[str, str], set[int]] = {}
    for target in targets:
        quotas.setdefault(quota_key(target), set()).add(target.max_per_minute)
    return ("/".join(key) for key, quota in quotas.items() if len(quota) > 1)


def _target_hints(target: Target) -> Iterator[str]:
    known = KNOWN_MODELS.get(target.model) or KnownModel(name=target.model)
    if known.streaming and not target.ways.speaks_in_session:
        yield f"{target.key}: '{target.model}' is offered in realtime sessions only."
    if target.ways.streams_text and not known.streams_text:
        yield f"{target.key}: '{target.model}' ignores the wish for a stream; watch it on '{CONTROL.name}'."
    if target.ways.answers_text:
        host = target.session_model or DEFAULT_HOST_MODEL
        yield f"{target.key}: {host} bills its answer, some 100 tokens a run, which the cost leaves out."
    endpoint = target.endpoint
    provider = PROVIDERS[endpoint.provider]
    if provider.has_deployments and known.is_shared and target.model not in endpoint.deployments:
        if target.ways.has_session:
            yield (
                f"{target.key}: '{target.model}' often works here without a deployment; "
                "that it passes does not show that other models are deployed."
            )
        else:
            table = f"endpoint.{endpoint.name}.deployment.{target.model}"
            yield (
                f"{target.key}: on {provider.label} this asks for a deployment '{target.model}', "
                f"answered 404 without one; name yours in [{table}]."
            )
