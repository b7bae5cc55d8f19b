"""Which pathways to use now: ranked, each with its reason and the age of what it rests on.

Stale is unknown, never healthy. An incident that is only recovering is not healthy yet, so that advice
does not go back and forth with every passed run: hysteresis comes from the incident's own life.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.core.model import State, Verdict
from monitor.core.pathways import PATHWAYS, serving
from monitor.core.timefmt import duration_words, rfc3339

# What serves a need: the pathway itself first, then what can stand in for it; the widest needs first.
NEEDS: Mapping[str, Sequence[str]] = {
    name: serving(name)
    for name in sorted(PATHWAYS, key=lambda name: PATHWAYS[name].stands_in_for is not None)
}


class Health(StrEnum):
    """What advice says of a pathway, from the best to the worst."""

    HEALTHY = "healthy"
    SUSPECTED = "suspected"  # a bad run whose look-back is not settled
    RECOVERING = "recovering"  # passing again, a relapse would continue the incident
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    DOWN = "down"


_ORDER = {health: place for place, health in enumerate(Health)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetState:
    """What is known of one watched target now, over all its locations.

    `concern` is the phase of the unresolved incident that holds the target, `incident` its number.
    `patience` is how old the newest run may be before it says nothing any more.
    """

    endpoint: str
    model: str
    pathway: str
    state: State
    last_at: datetime | None
    last_verdict: Verdict | None
    patience: timedelta
    passed: int
    total: int
    median_ms: float | None = None
    concern: str | None = None
    incident: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One pathway's place; `max_age` is how long the answer may be relied on from now."""

    rank: int
    standing: TargetState
    health: Health
    reason: str
    age: timedelta | None
    max_age: timedelta


def advise(standings: Iterable[TargetState], need: str | None, now: datetime) -> Sequence[Advice]:
    """The pathways that serve *need* (all of them for None), best first; the same facts, the same order.

    Raises ValueError for a need that nothing serves.
    """
    if need is not None and need not in NEEDS:
        raise ValueError(f"'{need}' is no need: one of {', '.join(NEEDS)} is expected")
    wanted = NEEDS[need] if need else tuple(PATHWAYS)
    judged = [(one, _health(one, now)) for one in standings if need is None or one.pathway in wanted]
    judged.sort(key=lambda pair: _place(pair[0], pair[1], wanted))
    return [_advice(rank, one, health, now) for rank, (one, health) in enumerate(judged, 1)]


def to_json(advice: Advice) -> dict[str, object]:
    """One pathway as ``/api/v1/advice`` prints it; durations in seconds."""
    one = advice.standing
    return {
        "rank": advice.rank,
        "target": f"{one.endpoint}/{one.model}/{one.pathway}",
        "endpoint": one.endpoint,
        "model": one.model,
        "pathway": one.pathway,
        "state": "unknown" if advice.health is Health.UNKNOWN else one.state.value,
        "health": advice.health.value,
        "healthy": advice.health is Health.HEALTHY,
        "reason": advice.reason,
        "age_s": None if advice.age is None else round(advice.age.total_seconds(), 3),
        "max_age_s": round(advice.max_age.total_seconds(), 3),
        "last_run_at": None if one.last_at is None else rfc3339(one.last_at),
        "incident": one.incident,
    }


def _health(one: TargetState, now: datetime) -> Health:
    if one.last_at is None or now - one.last_at > one.patience or one.state is State.UNKNOWN:
        return Health.UNKNOWN
    if one.state is State.DOWN:
        return Health.DOWN
    if one.state is State.DEGRADED:
        return Health.DEGRADED
    if one.concern is not None:
        return Health.SUSPECTED if one.concern == Health.SUSPECTED else Health.RECOVERING
    return Health.HEALTHY if one.state is State.UP else Health.UNKNOWN


def _place(one: TargetState, health: Health, wanted: Sequence[str]) -> tuple[int, int, float, str]:
    """Health first, then the nearest to the need, then the faster, then by name."""
    near = wanted.index(one.pathway) if one.pathway in wanted else len(wanted)
    key = f"{one.endpoint}/{one.model}/{one.pathway}"
    return _ORDER[health], near, one.median_ms if one.median_ms is not None else float("inf"), key


def _advice(rank: int, one: TargetState, health: Health, now: datetime) -> Advice:
    age = None if one.last_at is None else max(now - one.last_at, timedelta(0))
    left = timedelta(0) if age is None else max(one.patience - age, timedelta(0))
    return Advice(
        rank=rank, standing=one, health=health, reason=_reason(one, health, age), age=age, max_age=left
    )


def _reason(one: TargetState, health: Health, age: timedelta | None) -> str:
    if age is None:
        return "no run yet"
    newest = f"newest run {one.last_verdict} {duration_words(age)} ago"
    counted = f"{one.passed}/{one.total} passed in the last hour"
    number = f"incident {one.incident}" if one.incident else "an incident"
    match health:
        case Health.HEALTHY:
            return f"{newest}, {counted}"
        case Health.SUSPECTED:
            return f"a bad run is not settled yet; {newest}, {counted}"
        case Health.RECOVERING:
            return f"passing again, but a relapse would continue {number}; {newest}"
        case Health.DEGRADED | Health.DOWN:
            return f"{health} by {number}; {newest}, {counted}"
        case Health.UNKNOWN:
            return f"{newest}: too old to say anything, or measured nothing"
