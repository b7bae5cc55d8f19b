"""Outcomes and a rule give windows, gaps and blind spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from monitor.core.model import Blame, Cell, Failure, Stage, State, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One track's rule: opens at `bad` of the last `of`, closes after `good` in a row."""

    bad: int
    of: int
    span: timedelta
    good: int
    merge: timedelta
    merge_intervals: int  # the window continues within max(merge, merge_intervals × every)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The rule in force; the defaults are the ones whose false-alarm rates were simulated."""

    down: Threshold = Threshold(
        bad=3, of=5, span=timedelta(seconds=60), good=5, merge=timedelta(minutes=15), merge_intervals=8
    )
    degraded: Threshold = Threshold(
        bad=4, of=20, span=timedelta(0), good=10, merge=timedelta(minutes=20), merge_intervals=13
    )


class Run(NamedTuple):
    """One notable run: it did not pass, or the look-back starts afresh at it.

    `number` counts the conclusive runs of the cell up to and including this one (an inconclusive
    run carries the number of the conclusive run before it). `fresh`: the cell's first run, the
    first after a gap, or the first with another configuration. `silence_since`: the start of the
    run before the gap which this run ends, where it ends one.
    """

    started_at: datetime
    id: str
    number: int
    verdict: Verdict
    failure: Failure | None = None
    stage: Stage | None = None
    blame: Blame | None = None
    type: str | None = None
    code: str | None = None
    message: str | None = None
    http_status: int | None = None
    close_code: int | None = None
    every_s: float | None = None
    configuration: str | None = None
    fresh: bool = False
    silence_since: datetime | None = None


class History(Protocol):
    """What the verdict may ask of stored outcomes; every answer is cheap in the store.

    Runs of a cell are ordered by ``started_at``, then ``id``; instants are aware UTC.
    """

    def cells(self) -> Sequence[Cell]:
        """Every cell with at least one run, sorted."""
        ...

    def facets(self, cell: Cell) -> Mapping[str, str | None]:
        """`endpoint, region, provider, model, pathway, location` of the cell's newest run."""
        ...

    def notable(self, cell: Cell, since: datetime | None, until: datetime | None) -> Sequence[Run]:
        """The notable runs with ``since <= started_at <= until``, in order."""
        ...

    def count(self, cell: Cell, since: datetime | None, until: datetime | None) -> int:
        """How many conclusive runs have ``since <= started_at < until`` (a difference of numbers)."""
        ...

    def start_of(self, cell: Cell, number: int) -> datetime | None:
        """When the conclusive run of that number began."""
        ...

    def last_run(self, cell: Cell, until: datetime | None) -> Run | None:
        """The latest run of any verdict with ``started_at <= until``."""
        ...

    def last_pass(self, cell: Cell, configuration: str | None, before: datetime) -> datetime | None:
        """When the latest passed run with this configuration (None: without one) before an instant began."""
        ...

    def typical_spacing(self, cell: Cell) -> timedelta | None:
        """The watch's `every` for this cell, else the median spacing of its runs (of any verdict).

        The median of an even number of spacings is the mean of the middle two; None below two runs.
        """
        ...

    def newest(self) -> datetime | None:
        """The start of the newest run of all."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch in which a cell was down or degraded; instants are starts of runs.

    `end_after` is the last bad run so far; `end` is None while open or while a closing streak is
    unfinished. `decided_at` is when the rule opened it, `closed_at` when it closed it.
    `continues_until`: a bad stretch starting by then continues this window.
    """

    cell: Cell
    state: State
    start: datetime
    start_after: datetime | None
    end: datetime | None
    end_after: datetime
    failed: int
    total: int
    open: bool
    decided_at: datetime
    closed_at: datetime | None
    continues_until: datetime
    first_id: str
    last_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch without outcomes: neither up nor down."""

    cell: Cell
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindSpan:
    """A stretch in which a location could not measure; it masks the runs in it."""

    location: str
    start: datetime
    end: datetime
    reason: str
