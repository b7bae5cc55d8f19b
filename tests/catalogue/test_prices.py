"""What a run costs: own prices before the shipped ones, started seconds, the longest clip."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from monitor.catalogue.prices import price_of, run_cost
from monitor.clips import load_clip
from monitor.core.model import Endpoint, Target

TARGET = Target(
    endpoint=Endpoint(name="us", provider="openai", url="https://api.openai.com/v1"),
    model="whisper-1",
    pathway="rest",
)


def test_the_nearest_price_counts() -> None:
    """For endpoint and model, then for the model, then the shipped list; none for a server of one's own."""
    assert price_of(TARGET, {"us/whisper-1": 1.0, "whisper-1": 2.0}) == 1.0
    assert price_of(TARGET, {"whisper-1": 2.0}) == 2.0
    assert price_of(TARGET, {}) == 0.006
    own = replace(TARGET, endpoint=replace(TARGET.endpoint, provider="openai_compatible"))
    assert price_of(own, {}) is None
    assert run_cost(own, {}) is None


def test_a_run_costs_the_started_seconds_of_its_longest_clip() -> None:
    """Of several that take turns the dearest is counted, so that a budget holds whichever comes."""
    lengths = [math.ceil(load_clip(name).seconds) for name in ("amiable", "respectable")]
    both = replace(TARGET, clips=("amiable", "respectable"))
    assert run_cost(both, {"whisper-1": 0.6}) == pytest.approx(max(lengths) * 0.01)
    assert run_cost(TARGET, {"whisper-1": 0.6}) == pytest.approx(lengths[0] * 0.01)
