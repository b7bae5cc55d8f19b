"""Whether anything was reached: as counting says, and with few questions to the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.blind import is_unreachable
from monitor.core.history import MemoryHistory
from monitor.core.model import Cell, Outcome
from monitor.core.reach import Reach
from monitor.core.windows import Run
from tests.core.scenes import matrices, minutes, row, together


@dataclass(slots=True)
class Counted(MemoryHistory):
    """A history that knows how often it was asked for a count."""

    asked: int = 0

    def count(self, cell: Cell, since: datetime | None, until: datetime | None) -> int:
        """The count, and one question more."""
        self.asked += 1
        return MemoryHistory.count(self, cell, since, until)


def counted(outcomes: Sequence[Outcome]) -> Counted:
    """A history of these runs that was asked nothing yet."""
    history = Counted()
    MemoryHistory.__init__(history, outcomes)
    return history


def dark_runs(history: MemoryHistory) -> dict[Cell, list[Run]]:
    """The dark runs of every cell."""
    return {
        cell: [run for run in history.notable(cell, None, None) if is_unreachable(run)]
        for cell in history.cells()
    }


@settings(max_examples=150, deadline=None)
@given(matrices(most=30), st.data())
def test_the_answer_is_what_counting_says(outcomes: list[Outcome], data: st.DataObject) -> None:
    """Asked in any order about any stretch between runs: some conclusive run in it was not dark."""
    history = MemoryHistory(outcomes)
    dark = dark_runs(history)
    reach = Reach(history, dark)
    instants = sorted({one.started_at for one in outcomes})
    for _ in range(12 if instants else 0):
        start, end = sorted(data.draw(st.tuples(st.sampled_from(instants), st.sampled_from(instants))))
        inside = [
            one for one in outcomes if start <= one.started_at <= end and one.verdict.value != "inconclusive"
        ]
        unreached = {run.id for runs in dark.values() for run in runs}
        assert reach.reached(start, end) == any(one.id not in unreached for one in inside)


def test_a_long_dark_stretch_costs_no_questions() -> None:
    """Following it from run to run asks the history at its ends only."""
    history = counted(together(row("." + "C" * 500 + "."), row("." + "C" * 500 + ".", endpoint="two")))
    reach = Reach(history, dark_runs(history))
    assert not any(reach.reached(minutes(at), minutes(at + 1)) for at in range(1, 500))
    assert history.asked < 20
    assert reach.reached(minutes(0), minutes(1))
    assert reach.reached(minutes(500), minutes(501))


def test_where_no_cell_is_known_nothing_was_reached() -> None:
    """Without cells there is nothing that could have been."""
    assert not Reach(MemoryHistory([]), {}).reached(minutes(0), minutes(1))
