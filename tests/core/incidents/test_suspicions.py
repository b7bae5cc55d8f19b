"""When bad runs are a suspicion."""

from __future__ import annotations

from datetime import timedelta

from monitor.core.incidents.derive import derive
from monitor.core.incidents.suspicions import suspicions
from monitor.core.model import Cell, Outcome
from monitor.core.outages.rule import Rule
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import T0, row, together

CELL = Cell("azure-sweden", "gpt-4o-transcribe", "realtime", "berlin")


def suspected(*rows: list[Outcome], age: float = 0) -> list[tuple[str, float, int]]:
    """Target, first bad run in minutes and count of each suspicion."""
    history = MemoryHistory(together(*rows))
    newest = history.newest()
    assert newest is not None
    now = newest + timedelta(minutes=age)
    found = suspicions(history, derive(history, Rule(), now=now), Rule(), now)
    return [(one.cell.model, (one.first_at - T0) / timedelta(minutes=1), one.bad) for one in found]


def test_a_bad_run_is_a_suspicion_until_five_good_ones() -> None:
    """Failed or degraded; a window, or enough good runs, end it."""
    name = "gpt-4o-transcribe"
    assert suspected(row(".F")) == [(name, 1, 1)]
    assert suspected(row(".F.F")) == [(name, 1, 2)]
    assert suspected(row(".D")) == [(name, 1, 1)]
    assert suspected(row(".F....")) == [(name, 1, 1)]
    assert suspected(row(".F.....")) == []
    assert suspected(row(".FFF")) == []


def test_a_gap_ends_a_suspicion_where_it_empties_the_look_back() -> None:
    """Behind a good run at once, behind a bad one after a day."""
    assert suspected(row(".F."), age=3) != []
    assert suspected(row(".F."), age=3.1) == []
    assert suspected(row(".F.", every_s=None), age=3.1) == []
    assert suspected(row(".F"), age=24 * 60 - 1) != []
    assert suspected(row(".F"), age=24 * 60) == []


def test_a_suspicion_lasts_as_long_as_a_look_back_by_span() -> None:
    """Every 10 s a minute of runs is looked back on."""
    assert suspected(row(".F" + "." * 6, step=10, every_s=10)) != []
    assert suspected(row(".F" + "." * 8, step=10, every_s=10)) == []


def test_a_bad_run_that_would_continue_a_window_belongs_to_it() -> None:
    """Within the time of a relapse it is no suspicion of its own; later it is."""
    assert suspected(row("FFF.....F")) == []
    assert suspected(row("FFF" + "." * 30 + "F")) == [("gpt-4o-transcribe", 33, 1)]
