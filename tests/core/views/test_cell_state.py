"""The state of a cell: what its windows say, as long as its newest run measured anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.intervals import Span
from monitor.core.model import Cell, State, Verdict
from monitor.core.outages.history import StoredRun
from monitor.core.outages.maintenance import Maintenance
from monitor.core.outages.self_observations import BlindSpan
from monitor.core.outages.windows import Window
from monitor.core.views.cell_state import LastRun, measured_counts, planned_since, state_of
from monitor.core.views.lanes import Counts
from tests.support.memory_history import MemoryHistory
from tests.support.stored_outcomes import DAY, MINUTE, make

CELL = make(0).cell


def at(minute: float) -> datetime:
    return DAY + minute * MINUTE


def window(start: float, state: State = State.DOWN) -> Window:
    """A window that has not ended."""
    return Window(
        cell=CELL, state=state, start=at(start), start_after=None, end=None, end_after=at(start),
        failed=3, total=3, open=True, decided_at=at(start), closed_at=None, continues_until=at(start),
        first_id="a", last_id="b",
    )  # fmt: skip


def look(
    *windows: Window,
    last: float | None = 100,
    now: float = 101,
    ended: float | None = None,
    blind: BlindSpan | None = None,
    planned: datetime | None = None,
) -> tuple[State, datetime | None]:
    return state_of(
        windows=windows,
        last_end=None if ended is None else at(ended),
        last=None if last is None else LastRun("run", at(last), Verdict.PASSED),
        blind=[blind] if blind else [],
        planned=planned,
        steady_since=at(0),
        patience=timedelta(minutes=3),
        now=at(now),
    )


def test_a_target_without_windows_is_up_since_its_first_run() -> None:
    """Since the first run after the last gap."""
    assert look() == (State.UP, at(0))


def test_a_target_is_up_since_its_last_window_ended() -> None:
    """Since the first good run after it, however long ago that was."""
    assert look(ended=50) == (State.UP, at(50))


def test_the_worse_of_two_open_tracks_is_the_state() -> None:
    """Down before degraded, each since its window's start."""
    slow, dead = window(10, State.DEGRADED), window(30)
    assert look(slow, dead) == (State.DOWN, at(30))
    assert look(slow) == (State.DEGRADED, at(10))


def test_silence_beyond_three_intervals_is_unknown_even_with_an_open_window() -> None:
    """A stale target is never up, and not known to be down either."""
    assert look(window(10), last=100, now=104) == (State.UNKNOWN, at(100))
    assert look(last=None) == (State.UNKNOWN, None)


def test_the_run_that_ends_a_blind_stretch_lets_the_windows_speak_again() -> None:
    """While it lasts nothing is known; with the first run that measured, the open outage is down."""
    over = BlindSpan(location="berlin", start=at(90), end=at(100), reason="unfit")
    lasting = replace(over, lasting=True)
    assert look(window(10), blind=lasting) == (State.UNKNOWN, at(100))
    assert look(window(10), blind=over) == (State.DOWN, at(10))
    assert look(window(10), last=99, blind=over) == (State.UNKNOWN, at(99))


def test_during_maintenance_nothing_else_is_said() -> None:
    """It is told since when; outside of it, and for other targets, there is none."""
    plan = Maintenance(name="move", targets=(CELL.target,), start=at(60), end=at(120))
    assert planned_since([plan], CELL, at(101)) == at(60)
    assert planned_since([plan], CELL, at(120)) is None
    assert planned_since([plan], Cell("another", "m", "rest", "berlin"), at(101)) is None
    assert look(window(10), planned=at(60)) == (State.MAINTENANCE, at(60))


def test_masked_and_paused_runs_are_inconclusive() -> None:
    """Where they fell, in buckets or in the whole period; no other run is moved."""
    period = Span(at(0), at(60))
    history = MemoryHistory([make(7, Verdict.FAILED), make(70, Verdict.FAILED)])
    runs: list[StoredRun] = list(history.not_passed(CELL, None, None))
    counts = {at(0): Counts(10, 1, 2, 0), at(30): Counts(5, 0, 0, 0)}
    paused = {at(30): Counts(3, 0, 0, 0)}
    found = measured_counts(counts, masked=runs, paused=paused, period=period, bucket=30 * MINUTE)
    assert found == {at(0): Counts(10, 1, 1, 1), at(30): Counts(2, 0, 0, 3)}
    whole = {at(0): Counts(15, 1, 2, 0)}
    paused = {at(0): Counts(3, 0, 0, 0)}
    found = measured_counts(whole, masked=runs, paused=paused, period=period, bucket=None)
    assert found == {at(0): Counts(12, 1, 1, 4)}
