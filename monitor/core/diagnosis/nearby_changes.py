"""What else happened near the start of an incident: marks of people, and changes of configuration.

Both are read from the whole history, so that a late mark is named as well; they decide nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.core.diagnosis.observed_runs import ObservedRuns
from monitor.core.model import Cell
from monitor.core.outages.marks import BEFORE, Mark
from monitor.core.outages.windows import Window
from monitor.core.timefmt import rfc3339

_MILLISECOND = timedelta(milliseconds=1)
_USUAL_INTERVAL = timedelta(minutes=5)


class ConfigurationChange(NamedTuple):
    """A run with another configuration than the run before it; the names are hashes, None where unnamed."""

    at: datetime
    cell: Cell
    before: str | None
    after: str | None


class NearbyChanges(NamedTuple):
    """What lies within 30 minutes before a start, or up to one interval after it."""

    marks: tuple[Mark, ...] = ()
    shifts: tuple[ConfigurationChange, ...] = ()


def find_nearby_changes(scene: ObservedRuns, windows: Sequence[Window]) -> NearbyChanges:
    """What happened near the start of these windows' incident."""
    first = min(windows, key=lambda window: (window.start, window.cell, window.state))
    until = first.start + _interval(scene, first)
    marks = scene.history.marks(first.start - BEFORE, until)
    cells = sorted({window.cell for window in windows})
    shifts = (shift for cell in cells for shift in _changes(scene, cell, first.start - BEFORE, until))
    return NearbyChanges(tuple(marks), tuple(sorted(shifts, key=lambda shift: (shift.at, shift.cell))))


def _interval(scene: ObservedRuns, window: Window) -> timedelta:
    """The interval that the window's first bad run was made at."""
    runs = scene.not_passed(window.cell, window.start, window.start + _MILLISECOND)
    every = next((run.every_s for run in runs if run.every_s is not None), None)
    if every is not None:
        return timedelta(seconds=every)
    return scene.history.typical_spacing(window.cell) or _USUAL_INTERVAL


def _changes(
    scene: ObservedRuns, cell: Cell, since: datetime, until: datetime
) -> Iterator[ConfigurationChange]:
    for run in scene.whole.not_passed(cell, since, until):
        before = scene.whole.last_run(cell, run.started_at - _MILLISECOND) if run.may_reset_lookback else None
        if before is not None and before.configuration != run.configuration:
            yield ConfigurationChange(run.started_at, cell, before.configuration, run.configuration)


def change_words(changes: Iterable[ConfigurationChange]) -> str:
    """``configuration of a/b/rest changed at … from 9f2c to 77aa``."""
    return "; ".join(
        f"configuration of {one.cell.target} changed at {rfc3339(one.at)} "
        f"from {one.before or 'unnamed'} to {one.after or 'unnamed'}"
        for one in changes
    )
