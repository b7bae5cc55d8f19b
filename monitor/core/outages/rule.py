"""The rule by which outages open and close: its numbers, their defaults, and their JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One track's rule: opens at `bad` of the last `of`, closes after `good` in a row."""

    bad: int
    of: int
    span: timedelta
    good: int
    merge: timedelta
    merge_intervals: int  # the window continues within max(merge, merge_intervals × every)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The rule in force; the defaults are the ones whose false-alarm rates were simulated."""

    down: Threshold = Threshold(
        bad=3, of=5, span=timedelta(seconds=60), good=5, merge=timedelta(minutes=15), merge_intervals=8
    )
    degraded: Threshold = Threshold(
        bad=4, of=20, span=timedelta(0), good=10, merge=timedelta(minutes=20), merge_intervals=13
    )


GAP_INTERVALS = 3


def rule_to_json(rule: Rule) -> dict[str, dict[str, float]]:
    """The rule as ``replay --json`` prints it and incidents keep it; durations in seconds."""
    return {"down": _threshold_to_json(rule.down), "degraded": _threshold_to_json(rule.degraded)}


def _threshold_to_json(threshold: Threshold) -> dict[str, float]:
    return {
        "bad": threshold.bad,
        "of": threshold.of,
        "span_s": _seconds(threshold.span),
        "good": threshold.good,
        "merge_s": _seconds(threshold.merge),
        "merge_intervals": threshold.merge_intervals,
    }


def _seconds(duration: timedelta) -> float:
    seconds = duration.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds
