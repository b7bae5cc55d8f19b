"""How a cell stands: its state now, and when bad runs are a suspicion."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.core.incidents.derive import derive
from monitor.core.incidents.suspicions import state_now, suspicions
from monitor.core.model import Cell, Outcome, State
from monitor.core.outages.history import MemoryHistory
from monitor.core.outages.rule import Rule
from tests.support.outcomes import T0, minutes, row, together

CELL = Cell("azure-sweden", "gpt-4o-transcribe", "realtime", "berlin")


def state(*rows: list[Outcome], age: float = 0, every: timedelta | None = None) -> State:
    """The state of the cell *age* minutes after the newest run."""
    history = MemoryHistory(together(*rows))
    newest = history.newest()
    assert newest is not None
    now = newest + timedelta(minutes=age)
    return state_now(CELL, derive(history, Rule(), now=now), history.last_run(CELL, now), now, every)


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ("...", State.UP),
        (".FF", State.UP),
        (".FFF", State.DOWN),
        (".FFF....", State.DOWN),
        (".FFF.....", State.UP),
        (".DDDD", State.DEGRADED),
        (".DDDDFFF", State.DOWN),
        (".?", State.UP),
        (".??", State.UNKNOWN),
    ],
)
def test_the_state_is_that_of_the_open_windows(marks: str, expected: State) -> None:
    """The worse of the two tracks; unknown where nothing could be measured."""
    assert state(row(marks)) is expected


def test_an_old_run_says_nothing_about_now() -> None:
    """Beyond three intervals the state is unknown; without an interval no age is too old."""
    assert state(row(".FFF"), age=3) is State.DOWN
    assert state(row(".FFF"), age=3.1) is State.UNKNOWN
    assert state(row("..", every_s=None), age=600) is State.UP
    assert state(row("..", every_s=None), age=16, every=timedelta(minutes=5)) is State.UNKNOWN
    assert state_now(CELL, derive(MemoryHistory([]), Rule(), now=T0), None, T0, None) is State.UNKNOWN


def test_a_masked_run_says_nothing_about_the_target() -> None:
    """Two endpoints out of reach at once: unknown."""
    assert state(row(".CC"), row(".CC", endpoint="openai-us", start=minutes(0.5))) is State.UNKNOWN


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
