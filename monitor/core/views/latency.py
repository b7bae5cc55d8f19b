"""Latency as a mergeable histogram: counts per bucket of time, and percentiles read from them.

Percentiles of several hours come from the sum of their histograms, never from an average of percentiles.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

# Upper edges in milliseconds, each a quarter of an octave above the one before: a percentile read from
# them is at most 9 % off. What is slower than the last edge falls into one more bucket.
EDGES_MS: tuple[int, ...] = tuple(round(10 * 2 ** (step / 4)) for step in range(53))
SIZE = len(EDGES_MS) + 1

# Fewer runs than this say nothing about the tail.
LEAST_RUNS = {0.5: 1, 0.95: 20, 0.99: 100}
# By how much a day is slower than the month before it where that is worth a word, and of how many runs.
DRIFT, DRIFT_RUNS = 1.5, 20


def bucket_of(milliseconds: float) -> int:
    """The index of the bucket that *milliseconds* falls into."""
    return bisect_left(EDGES_MS, milliseconds)


def histogram(values: Iterable[float]) -> tuple[int, ...]:
    """Counts per bucket of some latencies in milliseconds."""
    counts = [0] * SIZE
    for value in values:
        counts[bucket_of(value)] += 1
    return tuple(counts)


def merge(histograms: Iterable[Sequence[int]]) -> tuple[int, ...]:
    """The sum of histograms, bucket by bucket."""
    counts = [0] * SIZE
    for one in histograms:
        for index, count in enumerate(one):
            counts[index] += count
    return tuple(counts)


def percentile(counts: Sequence[int], share: float) -> float | None:
    """The latency in ms that *share* of the runs did not exceed; None where too few were counted."""
    total = sum(counts)
    if total < LEAST_RUNS.get(share, 1):
        return None
    wanted, seen = share * total, 0
    for index, count in enumerate(counts):
        if count and seen + count >= wanted:
            return _within(index, (wanted - seen) / count)
        seen += count
    return float(EDGES_MS[-1])


def drift_words(day: Sequence[int], month: Sequence[int]) -> str | None:
    """In words, by how much a day's p50 lies above that of the month before; None where it hardly does.

    It is shown, and no verdict: a slowdown by less than three times passes, and only this says so.
    """
    if min(sum(day), sum(month)) < DRIFT_RUNS:
        return None
    now, before = percentile(day, 0.5), percentile(month, 0.5)
    if not now or not before or now < DRIFT * before:
        return None
    compared = f"{latency_text(now)}, {now / before:.1f} × the {latency_text(before)} of the 30 days before"
    return f"Slower than usual: the p50 of the last 24 hours is {compared}"


def _within(index: int, share: float) -> float:
    if index >= len(EDGES_MS):
        return float(EDGES_MS[-1])
    low = EDGES_MS[index - 1] if index else 0
    return low + (EDGES_MS[index] - low) * share


def latency_text(milliseconds: float | None) -> str:
    """``412 ms``, ``1.34 s``, or ``–`` where it is unknown."""
    if milliseconds is None:
        return "–"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.2f} s"
