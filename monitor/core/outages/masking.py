"""Leave runs out of a history: those in planned maintenance, and those that blind spans mask.

A masked stretch takes its conclusive runs out, and the numbers of the runs before it move up::

    run                   a   b   c   d   e   f   g
    number                1   2   3   4   5   6   7
    masked                        [c   d]
    number afterwards     3   4   4   4   5   6   7      b and e are neighbours now, as 4 and 5

They move up and not down, so that only what is masked behind a run has to be counted: the newest runs, which
the service asks about most, keep their numbers at no cost. Only differences of numbers mean something.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter

from monitor.core.model import Cell, Verdict
from monitor.core.outages.blind_spans import Block
from monitor.core.outages.history import History, StoredRun, until_after
from monitor.core.outages.maintenance import Maintenance, covered
from monitor.core.outages.marks import Mark
from monitor.core.outages.self_observations import (
    SelfObservation,
)


@dataclass(frozen=True, slots=True)
class Overlay:
    """The part of the `History` protocol that no run which is taken out changes."""

    whole: History

    def cells(self) -> Sequence[Cell]:
        """Every cell with at least one run."""
        return self.whole.cells()

    def facets(self, cell: Cell) -> Mapping[str, str | None]:
        """The cell's facets."""
        return self.whole.facets(cell)

    def unwatched_since(self, cell: Cell) -> datetime | None:
        """When the cell's target left the configuration."""
        return self.whole.unwatched_since(cell)

    def last_pass(self, cell: Cell, configuration: str | None, before: datetime) -> datetime | None:
        """When the latest passed run with this configuration began, taken out or not."""
        return self.whole.last_pass(cell, configuration, before)

    def typical_spacing(self, cell: Cell) -> timedelta | None:
        """The cell's typical spacing, over runs of any verdict."""
        return self.whole.typical_spacing(cell)

    def newest(self) -> datetime | None:
        """The start of the newest run."""
        return self.whole.newest()

    def sights(
        self, location: str, since: datetime | None, until: datetime | None
    ) -> Sequence[SelfObservation]:
        """What was seen of our own side at a location."""
        return self.whole.sights(location, since, until)

    def marks(self, since: datetime, until: datetime) -> Sequence[Mark]:
        """What people noted."""
        return self.whole.marks(since, until)


_START = attrgetter("start")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedStretch:
    """A stretch of one cell, `start` included and `end` not, whose runs are left out.

    `before` and `size` say how many conclusive runs lie before it and in it; None where nobody has counted.
    """

    start: datetime
    end: datetime
    before: int | None = None
    size: int | None = None


def pause(history: History, plans: Sequence[Maintenance]) -> History:
    """Return the history without what lies inside these plans; itself where there are none."""
    return MaskedHistory(history, partial(_maintained, history, plans), paused=True) if plans else history


def _maintained(history: History, plans: Sequence[Maintenance], cell: Cell) -> Sequence[MaskedStretch]:
    newest = history.newest()
    first = history.start_of(cell, 1) or newest
    if newest is None or first is None:
        return ()
    spans = covered(plans, cell.target, first, newest + timedelta(days=1))
    return [MaskedStretch(start=span.start, end=span.end) for span in spans]


def mask_of(blocks: Sequence[Block]) -> Mapping[Cell, Sequence[MaskedStretch]]:
    """Return the stretches of the runs that these blocks mask, by cell; runs in a row are one stretch."""
    masked: dict[Cell, list[StoredRun]] = {}
    for block in blocks:
        for cell, runs in block.masked.items():
            masked.setdefault(cell, []).extend(runs)
    return {cell: list(_joined(sorted(runs))) for cell, runs in masked.items()}


def _joined(runs: Sequence[StoredRun]) -> Iterable[MaskedStretch]:
    begin = 0
    for index, run in enumerate(runs):
        if index + 1 == len(runs) or runs[index + 1].number != run.number + 1:
            first = runs[begin]
            yield MaskedStretch(
                start=first.started_at,
                end=until_after(run.started_at),
                before=first.number - 1,
                size=run.number - first.number + 1,
            )
            begin = index + 1


class _CellMask:
    """The masked stretches of one cell in order, and what numbers become by them."""

    def __init__(self, whole: History, cell: Cell, stretches: Sequence[MaskedStretch]) -> None:
        self._whole, self._cell, self.stretches = whole, cell, stretches
        self._sizes: list[int] = []  # of the last stretches, as far as they were counted
        self._before: dict[int, int] = {}

    def position(self, instant: datetime | None) -> int:
        """Return the number of the last run before an instant."""
        if instant is None:
            return self._whole.count(self._cell, None, None)
        at = self._following(instant)
        before = self.before(at) if self._starts_by(at, instant) else None
        return self._after(at) + (self._whole.count(self._cell, None, instant) if before is None else before)

    def mask(self, run: StoredRun, *, paused: bool) -> StoredRun:
        """Return the run with its number moved up; as inconclusive where it lies in a stretch."""
        at = self._following(run.started_at)
        if not self._starts_by(at, run.started_at):
            return run._replace(number=run.number + self._after(at))
        number = self.before(at) + self._after(at)
        return run._replace(number=number, verdict=Verdict.INCONCLUSIVE, paused=run.paused or paused)

    def own_number(self, number: int) -> int:
        """Return the number in the whole history of what has moved up to this one."""
        last = len(self.stretches)
        if number > self._moved(last - 1):
            return number
        return number - self._after(bisect_left(range(last), number, key=self._moved))

    def before(self, at: int) -> int:
        """Return how many conclusive runs lie before a stretch."""
        if at not in self._before:
            stretch = self.stretches[at]
            counted = stretch.before
            if counted is None:
                counted = self._whole.count(self._cell, None, stretch.start)
            self._before[at] = counted
        return self._before[at]

    def _moved(self, at: int) -> int:
        """Return the number that the last run before a stretch has moved up to."""
        return self.before(at) + self._after(at)

    def _following(self, instant: datetime) -> int:
        """Return the index of the first stretch that ends behind an instant; their number for none."""
        at = bisect_right(self.stretches, instant, key=_START)
        return at - 1 if at and instant < self.stretches[at - 1].end else at

    def _starts_by(self, at: int, instant: datetime) -> bool:
        return at < len(self.stretches) and self.stretches[at].start <= instant

    def _after(self, at: int) -> int:
        """Return how many conclusive runs lie in this stretch and in those behind it, from the end on."""
        while len(self._sizes) < len(self.stretches) - at:
            stretch = self.stretches[len(self.stretches) - 1 - len(self._sizes)]
            size = stretch.size
            if size is None:
                size = self._whole.count(self._cell, stretch.start, stretch.end)
            self._sizes.append(size + (self._sizes[-1] if self._sizes else 0))
        return self._sizes[len(self.stretches) - at - 1] if at < len(self.stretches) else 0


@dataclass(frozen=True, slots=True)
class MaskedHistory(Overlay):
    """The `History` protocol over another one, less the runs in the masked stretches of each cell.

    `paused` says that they lie in planned maintenance.
    """

    stretches_of: Callable[[Cell], Sequence[MaskedStretch]]
    paused: bool = False
    _masks: dict[Cell, _CellMask] = field(default_factory=dict, repr=False)

    def _of(self, cell: Cell) -> _CellMask | None:
        if cell not in self._masks:
            self._masks[cell] = _CellMask(self.whole, cell, self.stretches_of(cell))
        mask = self._masks[cell]
        return mask if mask.stretches else None

    def mask(self, cell: Cell, runs: Sequence[StoredRun]) -> Sequence[StoredRun]:
        """Return these runs with their numbers moved up, the masked ones as inconclusive."""
        mask = self._of(cell)
        return [mask.mask(run, paused=self.paused) for run in runs] if mask else runs

    def not_passed(self, cell: Cell, since: datetime | None, until: datetime | None) -> Sequence[StoredRun]:
        """The notable runs, the masked ones as inconclusive."""
        return self.mask(cell, self.whole.not_passed(cell, since, until))

    def count(self, cell: Cell, since: datetime | None, until: datetime | None) -> int:
        """How many conclusive runs have ``since <= started_at < until``, the masked ones left out.

        Without *since* the count goes on from the numbers, which do not begin at 1.
        """
        mask = self._of(cell)
        if mask is None:
            return self.whole.count(cell, since, until)
        upper = mask.position(until)
        return upper if since is None else max(0, upper - mask.position(since))

    def start_of(self, cell: Cell, number: int) -> datetime | None:
        """When the conclusive run that has moved up to that number began."""
        mask = self._of(cell)
        return self.whole.start_of(cell, mask.own_number(number) if mask else number)

    def last_run(self, cell: Cell, until: datetime | None) -> StoredRun | None:
        """The latest run, as inconclusive where it is masked."""
        run = self.whole.last_run(cell, until)
        return None if run is None else self.mask(cell, [run])[0]
