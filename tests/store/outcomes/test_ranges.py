"""Counts and latencies of any range are those of its runs, whatever they are read from."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.model import Cell, Outcome, Verdict
from monitor.core.views.lanes import Counts
from monitor.core.views.latency import histogram
from monitor.store.database.engine import Database
from monitor.store.outcomes.add import add_outcomes
from monitor.store.outcomes.ranges import read_counts, read_latency_counts, split
from tests.support.stored_outcomes import DAY, MINUTE, any_example, make, rolled_back

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
VERDICTS = (Verdict.PASSED, Verdict.PASSED, *Verdict)


@given(st.integers(0, 4 * DAY_MS), st.integers(0, 4 * DAY_MS))
def test_the_parts_of_a_range_are_the_range(low: int, high: int) -> None:
    """They follow each other, and a rollup is asked for whole hours or days only."""
    parts = list(split(low, max(low, high)))
    assert [part.since for part in parts[1:]] == [part.until for part in parts[:-1]]
    assert (not parts) == (low >= high)
    for part in parts:
        width = {"days": DAY_MS, "hours": HOUR_MS, "runs": 1}[part.source]
        assert part.since < part.until
        assert part.since % width == part.until % width == 0
    if parts:
        assert (parts[0].since, parts[-1].until) == (low, high)
        assert sum(part.until - part.since for part in parts if part.source == "runs") < 2 * HOUR_MS


def counted(runs: list[Outcome], since: datetime, until: datetime) -> dict[Cell, Counts]:
    """The same counts, one run after the other."""
    tallies: dict[Cell, Counter[Verdict]] = {}
    for run in runs:
        if since <= run.started_at < until:
            tallies.setdefault(run.cell, Counter())[run.verdict] += 1
    return {cell: Counts(*(tally[verdict] for verdict in Verdict)) for cell, tally in tallies.items()}


def heard(runs: list[Outcome], since: datetime, until: datetime) -> dict[Cell, tuple[int, ...]]:
    """The same latencies."""
    found: dict[Cell, list[float]] = {}
    for run in runs:
        final = run.timings_ms.get("final")
        if (
            since <= run.started_at < until
            and final is not None
            and run.verdict
            in (
                Verdict.PASSED,
                Verdict.DEGRADED,
            )
        ):
            found.setdefault(run.cell, []).append(final)
    return {cell: histogram(values) for cell, values in found.items()}


@settings(any_example)
@given(
    st.lists(
        st.tuples(st.integers(0, 4000), st.sampled_from(VERDICTS), st.booleans()),
        max_size=30,
        unique_by=lambda one: one[0],
    ),
    st.integers(-100, 5000),
    st.integers(-100, 5000),
    st.sampled_from([timedelta(0), timedelta(milliseconds=412), timedelta(milliseconds=413)]),
)
def test_any_range_counts_its_runs(
    database: Database, made: list[tuple[int, Verdict, bool]], one: int, two: int, bit: timedelta
) -> None:
    """Over three days, with bounds inside of hours and at the millisecond of a run."""
    runs = [
        make(minute, verdict, pathway="rest" if other else "realtime", timings_ms={"final": 90 + minute})
        for minute, verdict, other in made
    ]
    since, until = DAY + min(one, two) * MINUTE + bit, DAY + max(one, two) * MINUTE + bit
    with rolled_back(database) as tx:
        add_outcomes(tx, [(run, None) for run in runs])
        assert read_counts(tx, since, until) == counted(runs, since, until)
        assert read_latency_counts(tx, since, until) == heard(runs, since, until)
        key = make(0).cell.target
        mine = [run for run in runs if run.target == key]
        assert read_counts(tx, since, until, [key]) == counted(mine, since, until)
        assert read_latency_counts(tx, since, until, [key]) == heard(mine, since, until)
