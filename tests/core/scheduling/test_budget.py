"""What may be spent: the reserve, the limit, the words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model import Endpoint
from monitor.core.scheduling.budget import Allowance, allowance_of, midnight, money, refusal

ENDPOINT = Endpoint(name="azure", provider="azure_openai", url="https://azure.test")


def test_an_endpoint_without_a_budget_has_no_allowance() -> None:
    """And one with a budget keeps the usual reserve."""
    assert allowance_of(ENDPOINT) is None
    assert allowance_of(replace(ENDPOINT, daily_budget=2.0)) == Allowance(usd=2.0, reserve=0.3)


def test_the_reserve_is_kept_for_the_time_something_is_wrong() -> None:
    """The same run is refused while all is well and made while an incident is open."""
    allowance = Allowance(usd=1.0, reserve=0.3)
    assert refusal(allowance, 0.65, 0.05, urgent=False) is None
    assert refusal(allowance, 0.7, 0.05, urgent=True) is None
    assert refusal(allowance, 0.7, 0.05, urgent=False) == (
        "budget: $0.7000 of $1.00 is spent today (UTC), $0.3000 is kept for an open incident"
    )
    assert refusal(allowance, 0.96, 0.05, urgent=True) == "budget: $0.9600 of $1.00 is spent today (UTC)"


@given(st.floats(0, 100), st.floats(0.0001, 1), st.floats(0, 0.9), st.booleans())
def test_what_is_admitted_never_exceeds_the_budget(
    usd: float,
    cost: float,
    reserve: float,
    urgent: bool,  # noqa: FBT001
) -> None:
    """However many runs of that cost are asked for."""
    allowance, spent = Allowance(usd=usd, reserve=reserve), 0.0
    for _ in range(200):
        if refusal(allowance, spent, cost, urgent=urgent) is None:
            spent += cost
    assert spent <= usd + 1e-6


def test_money_and_days() -> None:
    """Small sums have four decimals; a day begins at midnight in UTC."""
    assert [money(usd) for usd in (0, 0.0123, 1.5)] == ["$0.00", "$0.0123", "$1.50"]
    assert midnight(datetime(2025, 11, 17, 8, 30, 1, 5, tzinfo=UTC)) == datetime(2025, 11, 17, tzinfo=UTC)
