"""What a configuration would do: runs, cost, time to notice, quota, open questions; no network, no clock."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from monitor.catalogue.models import AS_OF
from monitor.catalogue.prices import price_of
from monitor.catalogue.retirements import retirements_of
from monitor.clips import load_clip
from monitor.config.settings import Settings
from monitor.core.alerting.model_retirement import Retirement
from monitor.core.model import Target
from monitor.core.outages.rule import Rule
from monitor.core.scheduling.attention import OPEN_EVERY, quota_key
from monitor.core.scheduling.budget import allowance_of
from monitor.planning.blind_spots import hints, unanswered
from monitor.planning.detection_time import DetectionTime, QuotaForecast, estimate_detection_time, quota_of
from monitor.providers import PROVIDERS

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One target as it would run. Money in US dollars, None where no price is known.

    `session_url`: where a session is opened after `url` was asked.

    `usd_a_day_down`: a day on which a window is open throughout and runs come each minute.
    """

    key: str
    endpoint: str
    model: str
    pathway: str
    url: str
    session_url: str | None
    deployment: str
    session_model: str | None
    every: timedelta
    timeout: timedelta
    limit: timedelta | None
    clip: str
    clip_seconds: float
    runs_a_day: int
    usd_a_day: float | None
    usd_a_day_down: float | None
    noticing: DetectionTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one endpoint may cost a day in US dollars, and what it would; `quiet` is without the reserve."""

    endpoint: str
    usd_a_day: float
    quiet: float
    wanted: float
    wanted_down: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `validate` says; sequences in the order of the file, `prices_as_of` of the shipped list."""

    location: str
    rule: Rule
    targets: tuple[Watched, ...]
    quotas: tuple[QuotaForecast, ...]
    usd_a_day: float
    usd_a_day_down: float
    unpriced: tuple[str, ...]
    budgets: tuple[Budget, ...]
    prices_as_of: date
    retirements: tuple[str, ...]
    unanswered: tuple[str, ...]
    hints: tuple[str, ...]


def make_plan(settings: Settings) -> Plan:
    """The plan of the settings; raises ClipError where a clip vanished since they were read."""
    groups: dict[tuple[str, str], list[Target]] = {}
    for target in settings.targets:
        groups.setdefault(quota_key(target), []).append(target)
    watched = tuple(_watched(target, groups[quota_key(target)], settings) for target in settings.targets)
    return Plan(
        location=settings.monitor.location,
        rule=settings.rule,
        targets=watched,
        quotas=tuple(quota_of(group) for group in groups.values()),
        usd_a_day=sum(target.usd_a_day or 0 for target in watched),
        usd_a_day_down=sum(target.usd_a_day_down or 0 for target in watched),
        unpriced=tuple(dict.fromkeys(f"{t.endpoint}/{t.model}" for t in watched if t.usd_a_day is None)),
        budgets=tuple(_budgets(settings, watched)),
        prices_as_of=AS_OF,
        retirements=tuple(_retirements(settings.targets)),
        unanswered=tuple(unanswered(settings)),
        hints=tuple(dict.fromkeys(hints(settings))),
    )


def _budgets(settings: Settings, watched: Sequence[Watched]) -> Iterator[Budget]:
    for endpoint in settings.endpoints.values():
        allowance = allowance_of(endpoint)
        if allowance is None:
            continue
        mine = [target for target in watched if target.endpoint == endpoint.name]
        yield Budget(
            endpoint=endpoint.name,
            usd_a_day=allowance.usd,
            quiet=allowance.limit(urgent=False),
            wanted=sum(target.usd_a_day or 0 for target in mine),
            wanted_down=sum(target.usd_a_day_down or 0 for target in mine),
        )


def _watched(target: Target, group: Sequence[Target], settings: Settings) -> Watched:
    url = _first(target)
    lengths = [load_clip(name).seconds for name in target.rotation]
    price = price_of(target, settings.prices)
    return Watched(
        key=target.key,
        endpoint=target.endpoint.name,
        model=target.model,
        pathway=target.pathway,
        url=url,
        session_url=_second(target),
        deployment=quota_key(target)[1],
        session_model=target.session_model,
        every=target.every,
        timeout=target.timeout,
        limit=target.limit,
        clip=", ".join(target.rotation),
        clip_seconds=sum(lengths) / len(lengths),
        runs_a_day=_runs_a_day(target.every),
        usd_a_day=_cost(target.every, lengths, price),
        usd_a_day_down=_cost(min(target.every, OPEN_EVERY), lengths, price),
        noticing=estimate_detection_time(target, group, settings.rule),
    )


def _first(target: Target) -> str:
    """Where the run asks first."""
    provider = PROVIDERS[target.endpoint.provider]
    if target.client_secret:
        return provider.secrets_url(target)
    return provider.realtime_url(target) if target.ways.opens_socket else provider.rest_url(target)


def _second(target: Target) -> str | None:
    """Where it opens a session after that, if it has asked elsewhere first."""
    if target.client_secret or target.ways.answers_text:
        return PROVIDERS[target.endpoint.provider].realtime_url(target)
    return None


def _runs_a_day(every: timedelta) -> int:
    return math.ceil(DAY / every)


def _cost(every: timedelta, lengths: Sequence[float], usd_per_minute: float | None) -> float | None:
    """By started seconds, clips that take turns each having its share of the runs."""
    if usd_per_minute is None:
        return None
    seconds = sum(math.ceil(length) for length in lengths) / len(lengths)
    return _runs_a_day(every) * seconds / 60 * usd_per_minute


def _retirements(targets: Sequence[Target]) -> Iterator[str]:
    """One sentence for each model that ends, and where else a day may stand for one of its targets."""
    by_model: dict[str, list[Retirement]] = {}
    for ending in retirements_of(targets):
        by_model.setdefault(ending.model, []).append(ending)
    for model, endings in by_model.items():
        first = endings[0]
        then = f"; its successor is {first.successor}" if first.successor else ""
        doubts = dict.fromkeys(one.elsewhere for one in endings if one.elsewhere)
        yield " ".join([f"{first.vendor} ends {model} on {first.day}{then}.", *(f"{one}." for one in doubts)])
