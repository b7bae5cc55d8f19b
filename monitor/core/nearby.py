"""What else happened near the start of an incident: marks of people, and changes of configuration.

Both are read from the whole history, so that a late mark is named as well; they decide nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from monitor.core.marks import BEFORE, Mark
from monitor.core.model import Cell
from monitor.core.scene import Scene
from monitor.core.times import rfc3339
from monitor.core.windows import Window

_MILLISECOND = timedelta(milliseconds=1)
_USUAL_INTERVAL = timedelta(minutes=5)


class Shift(NamedTuple):
    """A run with another configuration than the run before it; the names are hashes, None where unnamed."""

    at: datetime
    cell: Cell
    before: str | None
    after: str | None


class Nearby(NamedTuple):
    """What lies within 30 minutes before a start, or up to one interval after it."""

    marks: tuple[Mark, ...] = ()
    shifts: tuple[Shift, ...] = ()


def find_nearby(scene: Scene, windows: Sequence[Window]) -> Nearby:
    """What happened near the start of these windows' incident."""
    first = min(windows, key=lambda window: (window.start, window.cell, window.state))
    until = first.start + _interval(scene, first)
    marks = scene.history.marks(first.start - BEFORE, until)
    cells = sorted({window.cell for window in windows})
    shifts = (shift for cell in cells for shift in _shifts(scene, cell, first.start - BEFORE, until))
    return Nearby(tuple(marks), tuple(sorted(shifts, key=lambda shift: (shift.at, shift.cell))))


def _interval(scene: Scene, window: Window) -> timedelta:
    """The interval that the window's first bad run was made at."""
    runs = scene.notable(window.cell, window.start, window.start + _MILLISECOND)
    every = next((run.every_s for run in runs if run.every_s is not None), None)
    if every is not None:
        return timedelta(seconds=every)
    return scene.history.typical_spacing(window.cell) or _USUAL_INTERVAL


def _shifts(scene: Scene, cell: Cell, since: datetime, until: datetime) -> Iterator[Shift]:
    for run in scene.whole.notable(cell, since, until):
        before = scene.whole.last_run(cell, run.started_at - _MILLISECOND) if run.fresh else None
        if before is not None and before.configuration != run.configuration:
            yield Shift(run.started_at, cell, before.configuration, run.configuration)


def mark_to_json(mark: Mark) -> dict[str, Any]:
    """A mark as the document of an incident holds it."""
    return {"at": rfc3339(mark.at), "text": mark.text, "author": mark.author}


def shift_to_json(shift: Shift) -> dict[str, Any]:
    """A change of configuration as the document of an incident holds it."""
    return {
        "at": rfc3339(shift.at),
        "target": shift.cell.target,
        "location": shift.cell.location,
        "from": shift.before,
        "to": shift.after,
    }


def shift_words(changes: Iterable[Mapping[str, Any]]) -> str:
    """``configuration of a/b/rest changed at … from 9f2c to 77aa``, for the changes of a document."""
    return "; ".join(
        f"configuration of {one['target']} changed at {one['at']} "
        f"from {one['from'] or 'unnamed'} to {one['to'] or 'unnamed'}"
        for one in changes
    )
