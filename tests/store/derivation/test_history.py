from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model import Outcome
from monitor.core.outages.history import History
from monitor.store.database.engine import Database
from monitor.store.derivation.history import StoreHistory
from monitor.store.outcomes.add import add_outcomes
from tests.support.memory_history import MemoryHistory
from tests.support.stored_outcomes import DAY, any_example, outcomes, rolled_back

EVERY = {"a/m/rest": timedelta(seconds=30)}


def agree(store: History, memory: MemoryHistory, instants: list[datetime | None]) -> None:
    """Every question of the protocol, asked of both, for every cell and every pair of instants."""
    assert store.cells() == memory.cells()
    assert store.newest() == memory.newest()
    for cell in memory.cells():
        assert store.facets(cell) == memory.facets(cell)
        assert store.typical_spacing(cell) == memory.typical_spacing(cell)
        for number in range(-1, 14):
            assert store.start_of(cell, number) == memory.start_of(cell, number)
        for until in instants:
            assert store.last_run(cell, until) == memory.last_run(cell, until)
            for configuration in (None, "c1", "c2", "c3"):
                before = until or DAY
                assert store.last_pass(cell, configuration, before) == memory.last_pass(
                    cell, configuration, before
                )
            for since in instants:
                assert store.not_passed(cell, since, until) == memory.not_passed(cell, since, until)
                assert store.count(cell, since, until) == memory.count(cell, since, until)


@given(runs=outcomes(), size=st.integers(1, 24), instant=st.integers(0, 1700), sought=st.booleans())
@any_example
def test_the_store_answers_as_memory_does(
    database: Database, runs: list[Outcome], size: int, instant: int, *, sought: bool
) -> None:
    """Outcomes in any order of arrival and in any batches give the answers of a history held in memory."""
    memory = MemoryHistory(runs, EVERY)
    instants = [None, DAY + timedelta(seconds=instant), DAY + timedelta(seconds=instant, microseconds=1)]
    with rolled_back(database) as tx:
        for start in range(0, len(runs), size):
            results = add_outcomes(tx, [(run, None) for run in runs[start : start + size]])
            assert {result.added for result in results} == {"added"}
        store = StoreHistory(tx, EVERY)
        agree(store.prefetch() if sought else store, memory, instants)
        agree(StoreHistory(tx, EVERY).prefetch(instants[1], None), memory, instants)
