"""How far back a run added now can change what was measured: to where a location last reached anything."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import datetime

from monitor.core.blind import is_unreachable
from monitor.core.model import Cell
from monitor.core.windows import History, Run


def dark_since(history: History, runs: Mapping[Cell, Sequence[Run]], before: datetime) -> datetime:
    """The start of the stretch before an instant in which the location reached nothing at all.

    *runs* are the notable runs of its cells. A run begun at *before* may make the stretch a blind span
    by touching another endpoint, or end it where it went on, and so change what every run in the
    stretch counts for. *before* itself where the last conclusive run reached something.
    """
    dark = {
        cell: [run.started_at for run in notable if is_unreachable(run) and run.started_at < before]
        for cell, notable in runs.items()
    }
    start = before
    for at in sorted({at for instants in dark.values() for at in instants}, reverse=True):
        reached = (
            history.count(cell, at, before) > len(instants) - bisect_left(instants, at)
            for cell, instants in dark.items()
        )
        if any(reached):
            break
        start = at
    return start
