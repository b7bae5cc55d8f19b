"""Which of the watched models end, by the shipped, dated table; nothing is asked of a provider."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.config.known import KNOWN_HOSTS, KNOWN_MODELS
from monitor.core.model import Pathway, Target
from monitor.core.retirement import Retirement
from monitor.providers.provider import DEFAULT_HOST_MODEL

_HOSTED = (Pathway.REALTIME, Pathway.DUAL)


def retirements_of(targets: Iterable[Target]) -> Sequence[Retirement]:
    """The ends of models that the targets, or the hosts of their sessions, depend on; the nearest first.

    The table holds OpenAI's dates. For other providers of the same models they are a hint.
    """
    known = {**KNOWN_MODELS, **KNOWN_HOSTS}
    keys: dict[tuple[str, bool], list[str]] = {}
    for target in targets:
        if target.endpoint.provider == "openai_compatible":
            continue
        for model in _models(target):
            if model in known and known[model].retires:
                keys.setdefault((model, target.endpoint.provider == "openai"), []).append(target.key)
    found = [
        Retirement(
            model=model, day=day, successor=known[model].successor, targets=tuple(names), certain=certain
        )
        for (model, certain), names in keys.items()
        if (day := known[model].retires) is not None
    ]
    return sorted(found, key=lambda one: (one.day, one.model, not one.certain))


def _models(target: Target) -> Sequence[str]:
    host = target.session_model or (DEFAULT_HOST_MODEL if target.pathway in _HOSTED else None)
    return [target.model] if host is None else [target.model, host]
