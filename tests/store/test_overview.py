"""Whole answers for pages equal what counting every outcome one by one would give."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from monitor.core.intervals import Span
from monitor.core.model import Outcome, Verdict
from monitor.core.outages.blind_spans import BELOW_PROTOCOL
from monitor.core.views.lanes import Counts
from monitor.store.database.engine import Database
from monitor.store.database.tables import UNMEASURED
from monitor.store.outcomes.add import add_outcomes
from monitor.store.overview import (
    read_bucket_counts,
    read_cell_totals,
    read_counts_of_days,
    read_newest_run,
    read_revision,
    read_seen_cells,
    read_silences,
)
from tests.support.stored_outcomes import DAY, MINUTE, make, outcomes, rolled_back

WIDTHS = [
    timedelta(minutes=1),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(days=1),
]


def counted(some: list[Outcome], width: timedelta) -> dict[object, dict[object, Counts]]:
    """The same counts, one outcome after the other."""
    tallies: dict[tuple[object, object], Counter[Verdict]] = {}
    for one in some:
        start = DAY + (one.started_at - DAY) // width * width
        tallies.setdefault((one.cell, start), Counter())[one.verdict] += 1
    answer: dict[object, dict[object, Counts]] = {}
    for (cell, begin), tally in tallies.items():
        answer.setdefault(cell, {})[begin] = Counts(*(tally[verdict] for verdict in Verdict))
    return answer


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(some=outcomes(), width=st.sampled_from(WIDTHS))
def test_counts_per_bucket_are_the_counts_of_the_outcomes(
    database: Database, some: list[Outcome], width: timedelta
) -> None:
    """From indexes or from rollups, for every width."""
    with rolled_back(database) as tx:
        add_outcomes(tx, [(one, None) for one in some])
        found = read_bucket_counts(tx, DAY, DAY + timedelta(days=1), width)
    assert found == counted(some, width)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(some=outcomes())
def test_a_cell_is_seen_with_the_ends_of_its_history(database: Database, some: list[Outcome]) -> None:
    """First, newest and verdict of the newest run, in the order of start and id."""
    with rolled_back(database) as tx:
        add_outcomes(tx, [(one, None) for one in some])
        seen = {one.cell: one for one in read_seen_cells(tx)}
        newest = read_newest_run(tx)
        by_the_first = read_newest_run(tx, min((one.started_at for one in some), default=DAY))
        totals = {one.cell: one.counts for one in read_cell_totals(tx, read_counts_of_days(tx))}
    assert seen.keys() == {one.cell for one in some} == totals.keys()
    starts = sorted(one.started_at for one in some)
    assert newest == (starts[-1] if starts else None)
    assert by_the_first == (starts[0] if starts else None)
    for cell, ends in seen.items():
        own = sorted((one for one in some if one.cell == cell), key=lambda one: (one.started_at, one.id))
        assert (ends.first_at, ends.last_at) == (own[0].started_at, own[-1].started_at)
        assert (ends.last_id, ends.last_verdict) == (own[-1].id, own[-1].verdict)
        assert totals[cell] == counted(own, timedelta(days=1))[cell][DAY]


def test_one_target_can_be_asked_alone(database: Database) -> None:
    """By its key, for ends and for counts, from indexes and from rollups."""
    with database.write() as tx:
        add_outcomes(tx, [(make(0), None), (make(1, model="whisper-1", id="other"), None)])
    with database.read() as tx:
        key = make(0).target
        assert [one.cell.target for one in read_seen_cells(tx, key)] == [key]
        for width in WIDTHS:
            assert [cell.target for cell in read_bucket_counts(tx, DAY, DAY + width, width, [key])] == [key]
        assert read_seen_cells(tx, "a/b/c") == ()


def test_the_first_run_after_a_gap_is_known(database: Database) -> None:
    """The latest of them; none where there never was one."""
    with database.write() as tx:
        add_outcomes(tx, [(make(number), None) for number in (0, 1, 20, 21, 40, 41)])
    with database.read() as tx:
        assert read_seen_cells(tx)[0].since_gap == make(40).started_at


@pytest.mark.parametrize("added", [1, 3])
def test_a_revision_changes_with_what_is_stored(database: Database, added: int) -> None:
    """And is the same while nothing is."""
    with database.read() as tx:
        before = read_revision(tx)
        assert read_revision(tx) == before
    with database.write() as tx:
        add_outcomes(tx, [(make(number), None) for number in range(added)])
    with database.read() as tx:
        assert read_revision(tx) != before


def test_gaps_are_told_without_reading_what_lies_between(database: Database) -> None:
    """Each with both its ends; nothing is told where a run could not be measured."""
    with rolled_back(database) as tx:
        add_outcomes(tx, [(make(number), None) for number in (0, 1, 20, 21)])
        told = read_silences(tx, DAY, DAY + 60 * MINUTE)
        assert told == {make(0).cell: [Span(make(1).started_at, make(20).started_at)]}
        assert read_silences(tx, DAY, DAY + 10 * MINUTE) == {}
        add_outcomes(tx, [(make(22, Verdict.INCONCLUSIVE), None)])
        assert read_silences(tx, DAY, DAY + 60 * MINUTE) is None
    with rolled_back(database) as tx:
        add_outcomes(tx, [(make(number, every_s=None), None) for number in range(3)])
        assert read_silences(tx, DAY, DAY + 60 * MINUTE) is None


def test_silences_are_sought_in_an_index_of_their_own(sqlite_database: Database) -> None:
    """The index holds exactly what silences are told by, and answers without a look at other runs."""
    assert all(f"'{failure.value}'" in UNMEASURED for failure in BELOW_PROTOCOL)
    within = f"cell_id IN (1, 2) AND ({UNMEASURED}) AND started_at BETWEEN 1 AND 2"
    question = f"EXPLAIN QUERY PLAN SELECT silence_since FROM outcomes WHERE {within}"  # noqa: S608 - ours
    with sqlite_database.read() as tx:
        plan = str(tx.execute(text(question)).all())
    assert "USING INDEX ix_outcomes_unmeasured (cell_id=? AND started_at>? AND started_at<?)" in plan
