"""What may be spent in a day, and whether one more run may; money in US dollars, days in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.model import Endpoint

# A provider that names a longer pause is asked again after this one.
LONGEST_PAUSE = timedelta(hours=1)
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
