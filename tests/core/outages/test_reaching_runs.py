"""Whether anything was reached: as counting says, and with few questions to the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.model import Cell, Outcome, Verdict
from monitor.core.outages.blind_spans import EVER, NEVER, ReachingRuns, find_blocks, is_unreachable
from monitor.core.outages.history import StoredRun
from monitor.core.outages.reading_start import dark_since
from tests.support.examples import examples
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import matrices, minutes, row, together


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


def dark_runs(history: MemoryHistory) -> dict[Cell, list[StoredRun]]:
    """The dark runs of every cell."""
    return {
        cell: [run for run in history.not_passed(cell, None, None) if is_unreachable(run)]
        for cell in history.cells()
    }


@settings(max_examples=examples(150), deadline=None)
@given(matrices(most=30), st.data())
def test_the_answer_is_what_looking_at_every_run_says(outcomes: list[Outcome], data: st.DataObject) -> None:
    """Asked with growing starts when something was reached next, and in any order when last."""
    history = MemoryHistory(outcomes)
    dark = dark_runs(history)
    reach = ReachingRuns(history, dark)
    unreached = {run.id for runs in dark.values() for run in runs}
    reached = sorted(
        one.started_at
        for one in outcomes
        if one.id not in unreached and one.verdict is not Verdict.INCONCLUSIVE
    )
    instants = sorted({one.started_at for one in outcomes})
    for start in sorted(data.draw(st.lists(st.sampled_from(instants), max_size=12)) if instants else []):
        first = next((at for at in reached if at >= start), NEVER)
        end = data.draw(st.sampled_from(instants))
        answer = reach.following(start, end)
        assert answer == first or first <= answer <= end
        assert reach.last(start) == max((at for at in reached if at <= start), default=EVER)


def test_a_long_dark_stretch_costs_no_questions() -> None:
    """Following it from run to run asks the history at its ends only."""
    history = counted(together(row("." + "C" * 500 + "."), row("." + "C" * 500 + ".", endpoint="two")))
    reach = ReachingRuns(history, dark_runs(history))
    assert all(reach.following(minutes(at), minutes(at + 1)) == minutes(501) for at in range(1, 500))
    assert history.asked < 20
    assert reach.last(minutes(400)) == minutes(0)


def test_a_thousand_cells_are_asked_once_each() -> None:
    """However many cells are dark side by side, each is asked about once, not once for each other."""
    cells = [row(".CC", start=minutes(number / 2000), endpoint=f"e{number}") for number in range(1000)]
    history = counted(together(*cells))
    runs = {cell: history.not_passed(cell, None, None) for cell in history.cells()}
    (block,) = find_blocks(history, runs, now=minutes(9))
    assert len(block.masked) == 1000
    assert history.asked < 3000
    assert dark_since(history, runs, minutes(3)) == minutes(1)
    assert history.asked < 5000


def test_where_no_cell_is_known_nothing_was_reached() -> None:
    """Without cells there is nothing that could have been."""
    empty = ReachingRuns(MemoryHistory([]), {})
    assert (empty.following(minutes(0), minutes(1)), empty.last(minutes(1))) == (NEVER, EVER)
