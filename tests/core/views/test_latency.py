"""Latency histograms: they merge, and percentiles read from them are close and honest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.views.latency import (
    EDGES_MS,
    SIZE,
    bucket_of,
    drift_words,
    histogram,
    latency_text,
    merge,
    percentile,
)

values = st.lists(st.floats(1, 60_000), min_size=1, max_size=300)


@given(values, values)
def test_merging_is_counting_together(one: list[float], two: list[float]) -> None:
    """The sum of two histograms is the histogram of both."""
    assert merge([histogram(one), histogram(two)]) == histogram(one + two)


@given(st.lists(st.floats(20, 60_000), min_size=100, max_size=300), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_lies_in_the_bucket_of_the_true_one(some: list[float], share: float) -> None:
    """What is read is at most one bucket, 19 %, away from the value that was measured."""
    counts = histogram(some)
    read = percentile(counts, share)
    assert read is not None
    ranked = sorted(some)
    true = ranked[min(len(ranked) - 1, max(0, -int(-share * len(ranked) // 1) - 1))]
    assert true / 1.2 <= read <= true * 1.2


@pytest.mark.parametrize(
    ("count", "share", "known"), [(19, 0.95, False), (20, 0.95, True), (99, 0.99, False)]
)
def test_few_runs_say_nothing_about_the_tail(*, count: int, share: float, known: bool) -> None:
    """No p95 from fewer than 20 runs, no p99 from fewer than 100."""
    assert (percentile(histogram([100.0] * count), share) is not None) is known


def test_nothing_counted_has_no_percentile() -> None:
    """An empty histogram gives none, also for the median."""
    assert percentile([0] * SIZE, 0.5) is None


def test_what_is_slower_than_every_edge_is_the_last_edge() -> None:
    """The open bucket is not extrapolated."""
    assert bucket_of(10**9) == SIZE - 1
    assert percentile(histogram([10**9]), 0.5) == EDGES_MS[-1]


def test_the_first_bucket_reaches_down_to_nothing() -> None:
    """Half of the runs below the first edge read as half of it."""
    assert percentile(histogram([1.0, 2.0]), 0.5) == EDGES_MS[0] / 2


def test_edges_rise() -> None:
    """Every edge is above the one before."""
    assert list(EDGES_MS) == sorted(set(EDGES_MS))


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (41.6, "42 ms"), (1340, "1.34 s"), (999.4, "999 ms")]
)
def test_latency_is_printed_in_its_own_unit(value: float | None, text: str) -> None:
    """Milliseconds below a second, seconds above, a dash where unknown."""
    assert latency_text(value) == text


@pytest.mark.parametrize(
    ("day", "month", "words"),
    [
        ([1200.0] * 30, [600.0] * 900, "2.0 × the"),
        ([1800.0] * 30, [600.0] * 900, "2.8 × the"),  # buckets of a fifth
        ([600.0] * 15 + [1300.0] * 20, [600.0] * 100, "× the"),
        ([700.0] * 30, [600.0] * 900, None),
        ([300.0] * 30, [600.0] * 900, None),
        ([1200.0] * 19, [600.0] * 900, None),
        ([1200.0] * 30, [600.0] * 19, None),
        ([1200.0] * 30, [], None),
    ],
)
def test_a_slow_drift_is_said_where_it_is_worth_a_word(
    day: list[float], month: list[float], words: str | None
) -> None:
    """From half as slow again on, of enough runs; a day that is faster is none."""
    said = drift_words(histogram(day), histogram(month))
    assert (said is None) == (words is None)
    assert words is None or words in (said or "")
