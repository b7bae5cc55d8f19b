"""What may be spent in a day, and whether one more run may; money in US dollars, days in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.model import Endpoint, Target

# A provider that names a longer pause is asked again after this one.
LONGEST_PAUSE = timedelta(hours=1)
_DAY = timedelta(days=1)
_CENT_OF_A_CENT = 1e-9  # sums of many small prices are not exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The budget of one endpoint: `reserve` is the share kept for the time in which something is wrong."""

    usd: float
    reserve: float

    def limit(self, *, urgent: bool) -> float:
        """What may be spent by the end of this run."""
        return self.usd if urgent else self.usd * (1 - self.reserve)


def allowance_of(endpoint: Endpoint) -> Allowance | None:
    """The endpoint's budget; None where it has none."""
    if endpoint.daily_budget is None:
        return None
    return Allowance(usd=endpoint.daily_budget, reserve=endpoint.reserve)


def refusal(allowance: Allowance, spent: float, cost: float, *, urgent: bool) -> str | None:
    """Why a run of that cost may not be made after *spent*; None where it may."""
    limit = allowance.limit(urgent=urgent)
    if spent + cost <= limit + _CENT_OF_A_CENT:
        return None
    kept = "" if urgent else f", {money(allowance.usd - limit)} is kept for an open incident"
    return f"budget: {money(spent)} of {money(allowance.usd)} is spent today (UTC){kept}"


def money(usd: float) -> str:
    """Dollars with two decimals, with four below a dollar."""
    return f"${usd:.2f}" if usd >= 1 or usd == 0 else f"${usd:.4f}"


def midnight(now: datetime) -> datetime:
    """When the UTC day of an instant began."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


class DailyBudget:
    """What runs cost today by endpoint, in US dollars and UTC days; *costs* is one run's by target key."""

    def __init__(self, costs: Mapping[str, float]) -> None:
        self._costs = costs
        self._spent: dict[tuple[str, datetime], float] = {}

    def refusal(self, target: Target, now: datetime, *, urgent: bool) -> str | None:
        """Why one more run may not be made, or None; *urgent* where something is wrong at the endpoint."""
        allowance = allowance_of(target.endpoint)
        if allowance is None:
            return None
        spent = self._spent.get((target.endpoint.name, midnight(now)), 0.0)
        return refusal(allowance, spent, self._costs.get(target.key, 0.0), urgent=urgent)

    def note(self, target: Target, now: datetime) -> None:
        """Count a run that starts."""
        self.add(target.endpoint.name, self._costs.get(target.key, 0.0), now)

    def add(self, endpoint: str, usd: float, now: datetime) -> None:
        """Count what was spent on that day (before this process too)."""
        key = endpoint, midnight(now)
        self._spent = {known: sum_ for known, sum_ in self._spent.items() if known[1] >= key[1] - _DAY}
        self._spent[key] = self._spent.get(key, 0.0) + usd
