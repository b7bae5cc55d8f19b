"""What outcomes and a rule give: runs, windows and gaps; and what may be asked of stored outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from monitor.core.marks import Marked
from monitor.core.model import Blame, Cell, Failure, Stage, State, Verdict
from monitor.core.sights import Sights


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
    paused: bool = False  # inside planned maintenance
    host: str | None = None  # a hash of the address and port that were asked


class History(Sights, Marked, Protocol):
    """What the verdict may ask of stored outcomes; every answer is cheap in the store.

    Runs of a cell are ordered by ``started_at``, then ``id``; instants are aware UTC.
    """

    def cells(self) -> Sequence[Cell]:
        """Every cell with at least one run, sorted."""

    def facets(self, cell: Cell) -> Mapping[str, str | None]:
        """`endpoint, region, provider, model, pathway, location` of the cell's newest run."""

    def notable(self, cell: Cell, since: datetime | None, until: datetime | None) -> Sequence[Run]:
        """The notable runs with ``since <= started_at <= until``, in order."""

    def count(self, cell: Cell, since: datetime | None, until: datetime | None) -> int:
        """How many conclusive runs have ``since <= started_at < until`` (a difference of numbers)."""

    def start_of(self, cell: Cell, number: int) -> datetime | None:
        """When the conclusive run of that number began."""

    def last_run(self, cell: Cell, until: datetime | None) -> Run | None:
        """The latest run of any verdict with ``started_at <= until``."""

    def last_pass(self, cell: Cell, configuration: str | None, before: datetime) -> datetime | None:
        """When the latest passed run with this configuration (None: without one) before an instant began."""

    def typical_spacing(self, cell: Cell) -> timedelta | None:
        """The watch's `every` for this cell, else the median spacing of its runs (of any verdict).

        The median of an even number of spacings is the mean of the middle two; None below two runs.
        """

    def newest(self) -> datetime | None:
        """The start of the newest run of all."""


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
class Pending:
    """Bad runs in a look-back that has not opened a window: at the next run they still count."""

    cell: Cell
    state: State
    first_at: datetime
    last_at: datetime
    bad: int


GAP_INTERVALS = 3
INSTANT = timedelta(milliseconds=1)  # the grain of every stored time
BAD = {
    State.DOWN: frozenset({Verdict.FAILED}),
    State.DEGRADED: frozenset({Verdict.FAILED, Verdict.DEGRADED}),
}


def rule_to_json(rule: Rule) -> dict[str, dict[str, float]]:
    """The rule as ``replay --json`` prints it and incidents keep it; durations in seconds."""
    return {"down": _threshold_to_json(rule.down), "degraded": _threshold_to_json(rule.degraded)}


def _threshold_to_json(threshold: Threshold) -> dict[str, float]:
    return {
        "bad": threshold.bad,
        "of": threshold.of,
        "span_s": _seconds(threshold.span),
        "good": threshold.good,
        "merge_s": _seconds(threshold.merge),
        "merge_intervals": threshold.merge_intervals,
    }


def _seconds(duration: timedelta) -> float:
    seconds = duration.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


def until_after(now: datetime) -> datetime:
    """The exclusive bound that takes in the runs begun at *now*."""
    return now + INSTANT


def in_window(window: Window, instant: datetime) -> bool:
    """Whether a run begun then lies in the window: ``start <= instant < end``."""
    return window.start <= instant and (window.end is None or instant < window.end)


def overlaps(window: Window, start: datetime, end: datetime | None) -> bool:
    """Whether the window shares time with ``[start, end)``; None stands for now."""
    return (end is None or window.start < end) and (window.end is None or window.end > start)


def interval(history: History, cell: Cell, every_s: float | None) -> timedelta | None:
    """How far apart the cell's runs are meant to be, by a run's own `every_s` where it has one."""
    return history.typical_spacing(cell) if every_s is None else timedelta(seconds=every_s)


def derive_gaps(history: History, cell: Cell, runs: Sequence[Run], *, now: datetime) -> tuple[Gap, ...]:
    """The gaps that these notable runs end, in order, and the one after the cell's last run up to *now*."""
    gaps = [
        Gap(cell=cell, start=run.silence_since, end=run.started_at)
        for run in runs
        if run.silence_since is not None
    ]
    last = history.last_run(cell, now)
    limit = last and gap_limit(history, cell, last.every_s)
    if last and limit is not None and now - last.started_at > limit:
        gaps.append(Gap(cell=cell, start=last.started_at, end=now))
    return tuple(gaps)


def gap_limit(history: History, cell: Cell, every_s: float | None) -> timedelta | None:
    """The longest silence after a run with that `every_s` that is no gap; None where nobody can say."""
    every = interval(history, cell, every_s)
    return None if every is None else GAP_INTERVALS * every
