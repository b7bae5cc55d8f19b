from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, event

from monitor.core.errors import NotFound
from monitor.core.model import Outcome, Verdict
from monitor.store.database.engine import Database
from monitor.store.outcomes.add import add_outcomes
from monitor.store.outcomes.read import (
    read_first_pass_after,
    read_last_pass_before,
    read_latest_outcomes,
    read_outcome,
    read_outcomes_page,
    read_some_outcomes,
    stream_outcomes,
)
from tests.support.stored_outcomes import DAY, MINUTE, any_example, make, rolled_back
from tests.support.stored_outcomes import outcomes as any_outcomes


def store(database: Database, *runs: Outcome) -> None:
    """Add runs in one transaction."""
    with database.write() as tx:
        add_outcomes(tx, [(run, None) for run in runs])


def test_an_unknown_run_is_told(database: Database) -> None:
    """Asking for an id that nobody has says so; among many ids it is left out."""
    store(database, make(1))
    with database.read() as tx:
        for unknown in ("nobody", "", "run-000001\x00", "\ud800"):
            with pytest.raises(NotFound, match=f"no run has the id '{unknown}'"):
                read_outcome(tx, unknown)
        assert read_some_outcomes(tx, ["run-000001", "nobody"]) == {"run-000001": make(1)}


@given(runs=any_outcomes(), limit=st.integers(1, 9), newest_first=st.booleans())
@any_example
def test_pages_hold_every_outcome_once(
    database: Database, runs: list[Outcome], limit: int, *, newest_first: bool
) -> None:
    """Following the cursors gives every outcome once and in order, whatever the page's size."""
    expected = sorted(runs, key=lambda run: (run.started_at, run.id), reverse=newest_first)
    with rolled_back(database) as tx:
        add_outcomes(tx, [(run, None) for run in runs])
        found: list[Outcome] = []
        cursor = None
        while True:
            page = read_outcomes_page(tx, after=cursor, limit=limit, newest_first=newest_first)
            found += page.outcomes
            cursor = page.cursor
            if cursor is None:
                break
    assert found == expected


def test_a_page_is_narrowed(database: Database) -> None:
    """Targets, verdicts and the range (its end not included) narrow what is read."""
    runs = [make(n, Verdict.FAILED if n % 2 else Verdict.PASSED) for n in range(10)]
    store(database, *runs, make(3, id="other", endpoint="openai-us"))
    key = runs[0].target
    with database.read() as tx:
        narrowed = read_outcomes_page(
            tx,
            targets=[key],
            since=runs[3].started_at,
            until=runs[7].started_at,
            verdicts=[Verdict.FAILED],
        )
        assert list(narrowed.outcomes) == [runs[5], runs[3]]
        assert read_outcomes_page(tx, targets=["no/such/target"]).outcomes == ()
        assert list(stream_outcomes(tx, targets=[key], verdicts=[Verdict.PASSED])) == runs[::2]
        assert len(read_outcomes_page(tx, limit=10**9).outcomes) == 11


@pytest.mark.parametrize("cursor", ["", "%%%", "bm90IG91cnM", "é", "MTIz" * 500])
def test_a_foreign_cursor_is_refused(sqlite_database: Database, cursor: str) -> None:
    """A cursor that is not ours is refused with what to do instead, and reaches no query."""
    with sqlite_database.read() as tx, pytest.raises(ValueError, match="is not one of ours"):
        read_outcomes_page(tx, after=cursor)


def test_a_stream_is_longer_than_its_pages(database: Database) -> None:
    """More outcomes than one read takes are streamed whole."""
    runs = [make(n) for n in range(2001)]
    store(database, *runs)
    with database.read() as tx:
        assert [run.id for run in stream_outcomes(tx)] == [run.id for run in runs]


def test_the_newest_run_of_each_cell(database: Database) -> None:
    """The newest outcome of a cell is the one that began last, whenever it arrived."""
    oslo = make(1, id="oslo", location="oslo")
    store(database, make(5), make(9), make(7), oslo)
    with database.read() as tx:
        assert read_latest_outcomes(tx) == {make(9).cell: make(9), oslo.cell: oslo}


def test_the_nearest_passes(database: Database) -> None:
    """Controls are the last pass before and the first pass at or after an instant."""
    runs = [make(n, Verdict.FAILED if 3 <= n < 6 else Verdict.PASSED) for n in range(9)]
    store(database, *runs)
    cell, instant = runs[0].cell, runs[4].started_at
    with database.read() as tx:
        assert read_last_pass_before(tx, cell, instant) == runs[2].id
        assert read_first_pass_after(tx, cell, instant) == runs[6].id
        assert read_first_pass_after(tx, cell, runs[6].started_at) == runs[6].id
        assert read_last_pass_before(tx, cell, DAY) is None
        assert read_first_pass_after(tx, make(0, location="oslo").cell, DAY - timedelta(1) + MINUTE) is None


def plan_of(tx: Connection, statement: str, parameters: Any) -> str:
    """How SQLite answers a statement."""
    return " ".join(row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))


def test_the_newest_failures_are_sought_and_not_searched_for(sqlite_database: Database) -> None:
    """However many runs passed since the last failure, none of them is read."""
    asked: list[tuple[str, Any]] = []

    def note(_tx: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        asked.append((statement, parameters))

    with sqlite_database.read() as tx:
        event.listen(tx, "before_cursor_execute", note)
        read_outcomes_page(tx, verdicts=[Verdict.FAILED])
        event.remove(tx, "before_cursor_execute", note)
        plan = plan_of(tx, *asked[-1])
        assert "outcomes USING INDEX ix_outcomes_notable_started_at" in plan
        assert "TEMP B-TREE" not in plan
