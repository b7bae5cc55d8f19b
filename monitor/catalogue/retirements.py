"""Which of the watched models end, by the endpoints' own lists and else by the shipped, dated table.

Nothing is asked of a provider here: what was listed is handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from monitor.catalogue.models import KNOWN_HOSTS, KNOWN_MODELS, VENDOR
from monitor.core.alerting.model_retirement import Retirement
from monitor.core.model import Target
from monitor.providers import PROVIDERS
from monitor.providers.provider import DEFAULT_HOST_MODEL

_KNOWN = {**KNOWN_MODELS, **KNOWN_HOSTS}

Lists = Mapping[str, Mapping[str, date]]  # endpoint, model, last day


def retirements_of(targets: Iterable[Target], lists: Lists | None = None) -> Sequence[Retirement]:
    """The ends of models that the targets, or the hosts of their sessions, depend on; the nearest first.

    What an endpoint lists counts for its targets. The table holds one vendor's days: for who sells the same
    models they are a hint, for servers of one's own they mean nothing.
    """
    groups: dict[tuple[str, date, bool], list[Retirement]] = {}
    for target in targets:
        for one in _endings(target, (lists or {}).get(target.endpoint.name, {})):
            groups.setdefault((one.model, one.day, one.certain), []).append(one)
    found = [_merged(group) for group in groups.values()]
    return sorted(found, key=lambda one: (one.day, one.model, not one.certain))


def _endings(target: Target, listed: Mapping[str, date]) -> Iterator[Retirement]:
    endpoint = target.endpoint
    provider = PROVIDERS[endpoint.provider]
    for model in _models(target):
        known = _KNOWN.get(model) if provider.has_own_days or provider.days_elsewhere else None
        day = listed.get(model, known.retires if known else None)
        if day is not None:
            yield Retirement(
                model=model,
                day=day,
                successor=known.successor if known else None,
                targets=(target.key,),
                certain=model in listed or provider.has_own_days,
                vendor=VENDOR,
                elsewhere=provider.days_elsewhere,
                listed_by=(endpoint.name,) if model in listed else (),
            )


def _merged(group: Sequence[Retirement]) -> Retirement:
    """One retirement of all that end together: a notice is about a model and a day."""
    return replace(
        group[0],
        successor=next((one.successor for one in group if one.successor), None),
        targets=tuple(dict.fromkeys(key for one in group for key in one.targets)),
        listed_by=tuple(dict.fromkeys(name for one in group for name in one.listed_by)),
    )


def _models(target: Target) -> Sequence[str]:
    host = target.session_model or (DEFAULT_HOST_MODEL if target.ways.is_hosted else None)
    return [target.model] if host is None else [target.model, host]
