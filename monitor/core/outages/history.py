"""What may be asked of stored outcomes, and what a notable run says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from monitor.core.model import Blame, Cell, Failure, Stage, Verdict
from monitor.core.outages.marks import Marked
from monitor.core.outages.self_observations import SelfObservations


class StoredRun(NamedTuple):
    """One notable run: it did not pass, or the look-back starts afresh at it.

    `number` counts the conclusive runs of the cell up to and including this one (an inconclusive
    run carries the number of the conclusive run before it). `may_reset_lookback`: the cell's first run, the
    first after a gap, or the first with another configuration. `gap_since`: the start of the
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
    may_reset_lookback: bool = False
    gap_since: datetime | None = None
    paused: bool = False  # inside planned maintenance
    host: str | None = None  # a hash of the address and port that were asked


class History(SelfObservations, Marked, Protocol):
    """What the verdict may ask of stored outcomes; every answer is cheap in the store.

    Runs of a cell are ordered by ``started_at``, then ``id``; instants are aware UTC.
    """

    def cells(self) -> Sequence[Cell]:
        """Every cell with at least one run, sorted."""

    def facets(self, cell: Cell) -> Mapping[str, str | None]:
        """`endpoint, region, provider, model, pathway, location` of the cell's newest run."""

    def unwatched_since(self, cell: Cell) -> datetime | None:
        """When the cell's target left the configuration; None while it is watched, and where nobody knows."""

    def not_passed(self, cell: Cell, since: datetime | None, until: datetime | None) -> Sequence[StoredRun]:
        """The notable runs with ``since <= started_at <= until``, in order."""

    def count(self, cell: Cell, since: datetime | None, until: datetime | None) -> int:
        """How many conclusive runs have ``since <= started_at < until`` (a difference of numbers)."""

    def start_of(self, cell: Cell, number: int) -> datetime | None:
        """When the conclusive run of that number began."""

    def last_run(self, cell: Cell, until: datetime | None) -> StoredRun | None:
        """The latest run of any verdict with ``started_at <= until``."""

    def last_pass(self, cell: Cell, configuration: str | None, before: datetime) -> datetime | None:
        """When the latest passed run with this configuration (None: without one) before an instant began."""

    def typical_spacing(self, cell: Cell) -> timedelta | None:
        """The watch's `every` for this cell, else the median spacing of its runs (of any verdict).

        Where some runs say no interval, only the spacings behind those count: live runs every minute say
        nothing of lines that were imported from every hour. The median of an even number of spacings is the
        mean of the middle two; None below two runs.
        """

    def newest(self) -> datetime | None:
        """The start of the newest run of all."""


INSTANT = timedelta(milliseconds=1)  # the grain of every stored time


def until_after(now: datetime) -> datetime:
    """The exclusive bound that takes in the runs begun at *now*."""
    return now + INSTANT
