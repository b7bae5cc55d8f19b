"""A history that answers from outcomes in memory: what the store must answer too."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from monitor.core.model import Cell, Outcome, Verdict
from monitor.core.outages.history import StoredRun
from monitor.core.outages.marks import Mark
from monitor.core.outages.rule import GAP_INTERVALS
from monitor.core.outages.self_observations import SelfObservation


class MemoryHistory:
    """The `History` protocol over given outcomes, in any order.

    *every* holds the watches' intervals by target key; they serve runs without an `every_s`.
    """

    def __init__(
        self,
        outcomes: Iterable[Outcome],
        every: Mapping[str, timedelta] | None = None,
        sights: Iterable[SelfObservation] = (),
        marks: Iterable[Mark] = (),
        unwatched: Mapping[Cell, datetime] | None = None,
    ) -> None:
        self._unwatched = unwatched or {}
        self._marks = sorted(marks, key=lambda mark: mark[:3])
        self._sights = sorted(sights, key=lambda sight: (sight.start, sight.kind, sight.subject))
        self._outcomes: dict[Cell, list[Outcome]] = {}
        for outcome in sorted(outcomes, key=lambda outcome: (outcome.started_at, outcome.id)):
            self._outcomes.setdefault(outcome.cell, []).append(outcome)
        self._every = every or {}
        self._runs = {cell: self._read(cell, outcomes) for cell, outcomes in self._outcomes.items()}
        self._notable = {
            cell: [run for run in runs if run.verdict is not Verdict.PASSED or run.may_reset_lookback]
            for cell, runs in self._runs.items()
        }
        self._conclusive = {
            cell: [run.started_at for run in runs if run.verdict is not Verdict.INCONCLUSIVE]
            for cell, runs in self._runs.items()
        }

    def _read(self, cell: Cell, outcomes: Sequence[Outcome]) -> list[StoredRun]:
        typical = self.typical_spacing(cell)
        runs: list[StoredRun] = []
        number = 0
        previous: Outcome | None = None
        for outcome in outcomes:
            number += outcome.verdict is not Verdict.INCONCLUSIVE
            runs.append(run_of(outcome, previous, number, typical))
            previous = outcome
        return runs

    def cells(self) -> Sequence[Cell]:
        """Every cell with at least one run, sorted."""
        return sorted(self._outcomes)

    def unwatched_since(self, cell: Cell) -> datetime | None:
        """When the cell's target left the configuration, as it was given."""
        return self._unwatched.get(cell)

    def facets(self, cell: Cell) -> Mapping[str, str | None]:
        """The facets of the cell's newest run."""
        newest = self._outcomes[cell][-1]
        return {
            "endpoint": cell.endpoint,
            "region": newest.region,
            "provider": newest.provider,
            "model": cell.model,
            "pathway": cell.pathway,
            "location": cell.location,
        }

    def not_passed(self, cell: Cell, since: datetime | None, until: datetime | None) -> Sequence[StoredRun]:
        """The notable runs with ``since <= started_at <= until``, in order."""
        runs = self._notable[cell]
        low = 0 if since is None else bisect_left(runs, since, key=_start)
        high = len(runs) if until is None else bisect_right(runs, until, key=_start)
        return runs[low:high]

    def count(self, cell: Cell, since: datetime | None, until: datetime | None) -> int:
        """How many conclusive runs have ``since <= started_at < until``."""
        times = self._conclusive[cell]
        low = 0 if since is None else bisect_left(times, since)
        high = len(times) if until is None else bisect_left(times, until)
        return max(0, high - low)

    def start_of(self, cell: Cell, number: int) -> datetime | None:
        """When the conclusive run of that number began."""
        times = self._conclusive[cell]
        return times[number - 1] if 0 < number <= len(times) else None

    def last_run(self, cell: Cell, until: datetime | None) -> StoredRun | None:
        """The latest run of any verdict with ``started_at <= until``."""
        runs = self._runs[cell]
        high = len(runs) if until is None else bisect_right(runs, until, key=_start)
        return runs[high - 1] if high else None

    def last_pass(self, cell: Cell, configuration: str | None, before: datetime) -> datetime | None:
        """When the latest passed run with this configuration before an instant began."""
        runs = self._runs[cell]
        for run in reversed(runs[: bisect_left(runs, before, key=_start)]):
            if run.verdict is Verdict.PASSED and run.configuration == configuration:
                return run.started_at
        return None

    def typical_spacing(self, cell: Cell) -> timedelta | None:
        """The watch's `every` for this cell, else the median spacing behind its runs that say none."""
        if cell.target in self._every:
            return self._every[cell.target]
        pairs = [*pairwise(self._outcomes[cell])]
        unpaced = [pair for pair in pairs if pair[0].every_s is None]
        spacings = [
            (later.started_at - one.started_at) / timedelta(milliseconds=1) for one, later in unpaced or pairs
        ]
        return timedelta(milliseconds=median(spacings)) if spacings else None

    def newest(self) -> datetime | None:
        """The start of the newest run of all."""
        return max((runs[-1].started_at for runs in self._runs.values()), default=None)

    def sights(
        self, location: str, since: datetime | None, until: datetime | None
    ) -> Sequence[SelfObservation]:
        """What was seen of our own side at a location, as far as it reaches into ``[since, until]``."""
        return [
            sight
            for sight in self._sights
            if sight.location == location
            and (since is None or sight.end >= since)
            and (until is None or sight.start <= until)
        ]

    def marks(self, since: datetime, until: datetime) -> Sequence[Mark]:
        """What people noted with ``since <= at <= until``, in order."""
        return [mark for mark in self._marks if since <= mark.at <= until]


def run_of(outcome: Outcome, previous: Outcome | None, number: int, typical: timedelta | None) -> StoredRun:
    """The run of an outcome after *previous*, with its number and the two flags."""
    changed = previous is None or previous.configuration != outcome.configuration
    silence = None if previous is None else _silence(previous, outcome, typical)
    return StoredRun(
        started_at=outcome.started_at,
        id=outcome.id,
        number=number,
        verdict=outcome.verdict,
        failure=outcome.failure,
        stage=outcome.stage,
        blame=outcome.blame,
        type=outcome.type,
        code=outcome.code,
        message=outcome.message,
        http_status=outcome.http_status,
        close_code=outcome.close_code,
        every_s=outcome.every_s,
        configuration=outcome.configuration,
        may_reset_lookback=changed or silence is not None,
        gap_since=silence,
        host=outcome.host,
    )


def _silence(previous: Outcome, outcome: Outcome, typical: timedelta | None) -> datetime | None:
    every = typical if previous.every_s is None else timedelta(seconds=previous.every_s)
    if every is None or outcome.started_at - previous.started_at <= GAP_INTERVALS * every:
        return None
    return previous.started_at


def _start(run: StoredRun) -> datetime:
    return run.started_at
