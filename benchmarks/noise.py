"""What the rule makes of independent noise and of partial outages: false windows, detection, pieces.

A month of one run a minute is made of its bad runs only: which of the minutes they are is drawn. The figures
are properties of the rule, not of the machine. With fixed seeds they are the same on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import mean, median

from benchmarks.measure import Figure
from monitor.core.intervals import Span, union
from monitor.core.model import Cell, Failure, State, Verdict
from monitor.core.outages.history import StoredRun
from monitor.core.outages.rule import Rule
from monitor.core.outages.windows import Window, derive_windows
from tests.support.memory_history import MemoryHistory

MINUTE = timedelta(minutes=1)
MONTH = 30 * 24 * 60  # runs
CELL = Cell("endpoint", "model", "realtime", "berlin")
FALSE_PER_MONTH = 1.0  # both tracks together, at 1 % of noise
_START = datetime(2025, 11, 1, tzinfo=UTC)
_RATES = (0.002, 0.01, 0.03)
_LEAD = 120  # minutes of passes before an outage, and after it


class Steady(MemoryHistory):
    """One cell with a run every minute, numbered from 1; which of them are bad it need not know."""

    def __init__(self, runs: int) -> None:
        super().__init__([])
        self._total = runs

    def count(self, cell: Cell, since: datetime | None, until: datetime | None) -> int:  # noqa: ARG002
        """How many runs have ``since <= started_at < until``."""
        low = 0 if since is None else self._before(since)
        high = self._total if until is None else self._before(until)
        return max(0, high - low)

    def _before(self, instant: datetime) -> int:
        return min(max(-((_START - instant) // MINUTE), 0), self._total)

    def start_of(self, cell: Cell, number: int) -> datetime | None:  # noqa: ARG002
        """When the run of that number began."""
        return _at(number) if 0 < number <= self._total else None

    def typical_spacing(self, cell: Cell) -> timedelta | None:  # noqa: ARG002
        """A minute."""
        return MINUTE


def _at(number: int) -> datetime:
    return _START + (number - 1) * MINUTE


def draw(random: Random, rate: float, first: int, last: int) -> Iterator[int]:
    """The numbers of the bad runs among those from *first* to *last*, each bad with the same chance."""
    number = first - 1
    while True:
        number += 1 if rate >= 1 else 1 + int(math.log(1 - random.random()) / math.log1p(-rate))
        if number > last:
            return
        yield number


def windows_of(bad: Sequence[int], total: int) -> tuple[Window, ...]:
    """What the default rule finds in *total* runs of which these failed."""
    runs = [StoredRun(_at(number), f"{number:06d}", number, Verdict.FAILED, Failure.SERVER) for number in bad]
    found, _ = derive_windows(Steady(total), CELL, runs, Rule(), now=_at(total))
    return found


def quiet_month(rate: float, seed: int) -> tuple[Window, ...]:
    """The false windows of a month in which every run failed by chance alone."""
    return windows_of(list(draw(Random(seed), rate, 1, MONTH)), MONTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What became of one outage on one track; `minutes` is None where it was never seen."""

    minutes: int | None
    pieces: int
    error: float  # minutes that the shown length differs from the true one


def outage(rate: float, length: int, seed: int, *, state: State | None = None) -> Seen:
    """An outage of *length* minutes in which a share of the runs failed; it began just after a run.

    Seen on the track of *state*, or on either; windows that overlap are one piece, as they are one incident.
    """
    first, last = _LEAD + 1, _LEAD + length
    bad = list(draw(Random(seed), rate, first, last))
    found = [one for one in windows_of(bad, last + _LEAD) if state in (None, one.state)]
    if not found:
        return Seen(minutes=None, pieces=0, error=length)
    pieces = union(Span(one.start, one.end or _at(last + _LEAD)) for one in found)
    detected = (min(one.decided_at for one in found) - _at(first)) // MINUTE + 1
    return Seen(
        minutes=detected, pieces=len(pieces), error=abs(sum(one.length / MINUTE for one in pieces) - length)
    )


def run(*, seeds: int = 300) -> Iterator[Figure]:
    """False windows a month at three rates of noise; detection of outages on both tracks."""
    for rate in _RATES:
        months = [quiet_month(rate, seed) for seed in range(seeds)]
        total = mean(map(len, months))
        mark = FALSE_PER_MONTH if rate == 0.01 else None
        yield Figure(name=f"false windows a month at {rate:.1%}", value=total, unit="windows", mark=mark)
        for state in (State.DOWN, State.DEGRADED):
            count = mean(sum(one.state is state for one in month) for month in months)
            yield Figure(name=f"  of them {state}", value=count, unit="windows")
    yield from _outages(60, (1.0, 0.6, 0.3), seeds, state=State.DOWN)
    yield from _outages(120, (1.0, 0.6, 0.3, 0.15), seeds)


def _outages(
    length: int, rates: Sequence[float], seeds: int, *, state: State | None = None
) -> Iterator[Figure]:
    for rate in rates:
        seen = [outage(rate, length, seed, state=state) for seed in range(seeds)]
        found = [one for one in seen if one.minutes is not None]
        name = f"{length} min in which {rate:.0%} fail" + (f", as {state} alone" if state else "")
        after = median(one.minutes or 0 for one in found or seen)
        pieces = mean(one.pieces for one in found or seen)
        yield Figure(name=f"{name}: seen after", value=after, unit="min")
        yield Figure(name="  pieces where it was seen", value=pieces, unit="windows")
        yield Figure(name="  error of its length", value=median(one.error for one in seen), unit="min")
        yield Figure(name="  never seen", value=100 * (1 - len(found) / len(seen)), unit="%")
