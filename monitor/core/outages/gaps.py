"""Stretches without outcomes: neither up nor down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.model import Cell
from monitor.core.outages.history import INSTANT, History, StoredRun
from monitor.core.outages.rule import GAP_INTERVALS


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch without outcomes: neither up nor down."""

    cell: Cell
    start: datetime
    end: datetime


def interval(history: History, cell: Cell, every_s: float | None) -> timedelta | None:
    """How far apart the cell's runs are meant to be, by a run's own `every_s` where it has one."""
    return history.typical_spacing(cell) if every_s is None else timedelta(seconds=every_s)


def derive_gaps(history: History, cell: Cell, runs: Sequence[StoredRun], *, now: datetime) -> tuple[Gap, ...]:
    """The gaps that these notable runs end, in order, and the one after the cell's last run up to *now*."""
    gaps = [
        Gap(cell=cell, start=run.gap_since, end=run.started_at) for run in runs if run.gap_since is not None
    ]
    last = gap_at(history, cell, now, now=now)
    return (*gaps, last) if last else tuple(gaps)


def gap_at(history: History, cell: Cell, at: datetime, *, now: datetime) -> Gap | None:
    """The gap in which a cell was *at* an instant, up to that instant; whether it is one shows by *now*."""
    last = history.last_run(cell, at)
    limit = last and gap_limit(history, cell, last.every_s)
    if last is None or limit is None:
        return None
    known = max(at, min(now, last.started_at + limit + INSTANT))
    is_gap = known - last.started_at > limit and (known == at or history.last_run(cell, known) == last)
    return Gap(cell=cell, start=last.started_at, end=at) if is_gap else None


def gap_limit(history: History, cell: Cell, every_s: float | None) -> timedelta | None:
    """The longest silence after a run with that `every_s` that is no gap; None where nobody can say."""
    every = interval(history, cell, every_s)
    return None if every is None else GAP_INTERVALS * every
