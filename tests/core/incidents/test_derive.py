"""Replay: the sparse derivation against the dense one, and the reference day to the letter."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.incidents.derive import derive, to_json
from monitor.core.model import Outcome
from monitor.core.outages.rule import Rule
from monitor.core.timefmt import parse_instant
from tests.support import reference_derivation
from tests.support.examples import examples
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import RULES, matrices


@settings(max_examples=examples(400), deadline=None)
@given(matrices(), st.sampled_from(RULES))
def test_sparse_derivation_equals_the_dense_one(outcomes: list[Outcome], rule: Rule) -> None:
    """Windows, gaps and blind spans derived from notable runs equal those from a pass over every run."""
    if not outcomes:
        return
    history = MemoryHistory(outcomes)
    now = history.newest()
    assert now is not None
    shown = to_json(derive(history, rule, now=now))
    assert shown["windows"] == reference_derivation.windows(outcomes, rule)
    assert shown["gaps"] == reference_derivation.gaps(outcomes, now)
    spans = [
        (one["location"], parse_instant(one["from"]), parse_instant(one["to"])) for one in shown["blind"]
    ]
    assert sorted(spans, key=lambda span: (span[1], span[0], span[2])) == reference_derivation.blind(outcomes)


@settings(max_examples=examples(50), deadline=None)
@given(matrices(), st.randoms(use_true_random=False))
def test_order_of_outcomes_does_not_matter(outcomes: list[Outcome], random: object) -> None:
    """The same outcomes in another order give the same bytes."""
    if not outcomes:
        return
    once = MemoryHistory(outcomes)
    again = list(outcomes)
    random.shuffle(again)  # type: ignore[attr-defined]
    now = once.newest()
    assert now is not None
    first, second = (to_json(derive(history, Rule(), now=now)) for history in (once, MemoryHistory(again)))
    assert json.dumps(first) == json.dumps(second)
