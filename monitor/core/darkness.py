"""How far back a run added now can change what was measured: to where a location last reached anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from monitor.core.blind import is_unreachable
from monitor.core.model import Cell
from monitor.core.reach import Reach
from monitor.core.windows import INSTANT, History, Run


def dark_since(history: History, runs: Mapping[Cell, Sequence[Run]], before: datetime) -> datetime:
    """The start of the stretch before an instant in which the location reached nothing at all.

    *runs* are the notable runs of its cells. A run begun at *before* may make the stretch a blind span
    by touching another endpoint, or end it where it went on, and so change what every run in the
    stretch counts for. *before* itself where the last conclusive run reached something.
    """
    dark = {
        cell: [run for run in notable if is_unreachable(run) and run.started_at < before]
        for cell, notable in runs.items()
    }
    last = Reach(history, dark).last(before - INSTANT)
    return min(
        (run.started_at for found in dark.values() for run in found if run.started_at > last), default=before
    )
