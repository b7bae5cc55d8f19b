"""Counts in a span: half-open, and up to now where it has no end."""

from __future__ import annotations

from monitor.core.diagnosis.observed_runs import ObservedRuns
from monitor.core.model import Cell, Outcome
from monitor.core.outages.rule import Rule
from monitor.core.outages.windows import derive_windows
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import minutes, row

CELL = Cell("azure-sweden", "gpt-4o-transcribe", "realtime", "berlin")


def scene(runs: list[Outcome], now: float) -> ObservedRuns:
    """These runs, looked at by then."""
    history = MemoryHistory(runs)
    notable = {CELL: history.not_passed(CELL, None, minutes(now))}
    return ObservedRuns(history=history, whole=history, runs=notable, now=minutes(now))


def test_a_span_takes_in_its_start_and_not_its_end() -> None:
    """Without an end it takes in the runs begun now."""
    seen = scene(row(".FDF."), 4)
    assert [run.started_at for run in seen.failed(CELL, minutes(1), minutes(3))] == [minutes(1)]
    assert len(seen.failed(CELL, minutes(1), None)) == 2
    assert seen.total(CELL, minutes(1), minutes(3)) == 2
    assert seen.total(CELL, minutes(1), None) == 4


def test_the_telling_runs_of_a_window_are_its_failed_ones() -> None:
    """Degraded runs speak only where none failed."""
    for marks, count in (("DDDDF", 1), ("DDDD.", 4)):
        seen = scene(row(marks), 4)
        (window,), _ = derive_windows(seen.history, CELL, seen.runs[CELL], Rule(), now=seen.now)
        assert len(seen.telling(window)) == count
