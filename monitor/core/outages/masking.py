"""Histories that leave out runs: those in planned maintenance, and those that blind spans mask."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter

from monitor.core.intervals import Span
from monitor.core.model import Cell, Verdict
from monitor.core.outages.blind_spans import Block
from monitor.core.outages.history import History, StoredRun
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


def pause(history: History, plans: Sequence[Maintenance]) -> History:
    """The history without what lies inside these plans; itself where there are none."""
    return PausedHistory(history, plans) if plans else history


@dataclass(slots=True)
class _Pauses:
    """The maintenance of one cell, and how many conclusive runs lie in each, counted when asked for."""

    whole: History
    cell: Cell
    spans: Sequence[Span]
    _sizes: dict[int, int] = field(default_factory=dict)
    _before: dict[int, int] = field(default_factory=dict)

    def index(self, instant: datetime) -> int:
        """The first span that ends behind an instant; their number where there is none."""
        at = bisect_right(self.spans, instant, key=_START)
        return at - 1 if at and instant < self.spans[at - 1].end else at

    def holds(self, instant: datetime) -> bool:
        """Whether a run begun then lies inside maintenance."""
        at = self.index(instant)
        return at < len(self.spans) and self.spans[at].start <= instant

    def size(self, index: int) -> int:
        """The conclusive runs inside a span."""
        if index not in self._sizes:
            span = self.spans[index]
            self._sizes[index] = self.whole.count(self.cell, span.start, span.end)
        return self._sizes[index]

    def before(self, index: int) -> int:
        """The conclusive runs before a span."""
        if index not in self._before:
            self._before[index] = self.whole.count(self.cell, None, self.spans[index].start)
        return self._before[index]

    def after(self, index: int) -> int:
        """The conclusive runs inside this span and those behind it: what numbers before it close up by."""
        return sum(self.size(later) for later in range(index, len(self.spans)))

    def number(self, run: StoredRun) -> int:
        """The number of a run with those behind it closed up."""
        at = self.index(run.started_at)
        inside = at < len(self.spans) and self.spans[at].start <= run.started_at
        return (self.before(at) if inside else run.number) + self.after(at)

    def position(self, instant: datetime | None) -> int:
        """The number of the last run before an instant."""
        if instant is None:
            return self.whole.count(self.cell, None, None)
        at = self.index(instant)
        inside = at < len(self.spans) and self.spans[at].start <= instant
        return (self.before(at) if inside else self.whole.count(self.cell, None, instant)) + self.after(at)

    def own_number(self, number: int) -> int:
        """The number in the whole history of what is closed up to this one."""
        for at in range(len(self.spans), 0, -1):
            found = number - self.after(at)
            if found > self.before(at - 1) + self.size(at - 1):
                return found
        return number - self.after(0)


@dataclass(frozen=True, slots=True)
class PausedHistory(Overlay):
    """The `History` protocol over another one, less what planned maintenance takes out of it."""

    plans: Sequence[Maintenance]
    _pauses: dict[Cell, _Pauses] = field(default_factory=dict, repr=False)

    def _of(self, cell: Cell) -> _Pauses:
        if cell not in self._pauses:
            newest = self.whole.newest()
            first = self.whole.start_of(cell, 1) or newest
            spans: Sequence[Span] = ()
            if newest is not None and first is not None:
                spans = covered(self.plans, cell.target, first, newest + timedelta(days=1))
            self._pauses[cell] = _Pauses(self.whole, cell, spans)
        return self._pauses[cell]

    def _mask(self, cell: Cell, run: StoredRun) -> StoredRun:
        pauses = self._of(cell)
        number = pauses.number(run)
        if pauses.holds(run.started_at):
            return run._replace(number=number, verdict=Verdict.INCONCLUSIVE, paused=True)
        return run._replace(number=number)

    def not_passed(self, cell: Cell, since: datetime | None, until: datetime | None) -> Sequence[StoredRun]:
        """The notable runs, those inside maintenance as inconclusive."""
        runs = self.whole.not_passed(cell, since, until)
        return [self._mask(cell, run) for run in runs] if self._of(cell).spans else runs

    def count(self, cell: Cell, since: datetime | None, until: datetime | None) -> int:
        """How many conclusive runs have ``since <= started_at < until``, less those inside maintenance.

        Without *since* the count goes on from the numbers, which do not begin at 1.
        """
        pauses = self._of(cell)
        if not pauses.spans:
            return self.whole.count(cell, since, until)
        upper = pauses.position(until)
        return upper if since is None else max(0, upper - pauses.position(since))

    def start_of(self, cell: Cell, number: int) -> datetime | None:
        """When the conclusive run of that closed-up number began."""
        return self.whole.start_of(cell, self._of(cell).own_number(number))

    def last_run(self, cell: Cell, until: datetime | None) -> StoredRun | None:
        """The latest run, as inconclusive where it lies inside maintenance."""
        run = self.whole.last_run(cell, until)
        return run if run is None or not self._of(cell).spans else self._mask(cell, run)


_STARTED = attrgetter("started_at")


@dataclass(frozen=True, slots=True)
class MaskedHistory(Overlay):
    """A history in which given runs count as not measured.

    Numbers close up behind a masked run. They are counted from the first masked run that is known,
    so only their differences mean something.
    """

    masked: Mapping[Cell, Sequence[StoredRun]]
    _numbers: dict[Cell, list[int]] = field(init=False, repr=False)
    _closed: dict[Cell, list[int]] = field(init=False, repr=False)
    _ids: dict[Cell, frozenset[str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        numbers = {cell: sorted(run.number for run in runs) for cell, runs in self.masked.items()}
        closed = {cell: [n - index for index, n in enumerate(known)] for cell, known in numbers.items()}
        object.__setattr__(self, "_numbers", numbers)
        object.__setattr__(self, "_closed", closed)
        ids = {cell: frozenset(run.id for run in runs) for cell, runs in self.masked.items()}
        object.__setattr__(self, "_ids", ids)

    def not_passed(self, cell: Cell, since: datetime | None, until: datetime | None) -> Sequence[StoredRun]:
        """The notable runs, the masked ones as inconclusive."""
        runs = self.whole.not_passed(cell, since, until)
        return self.mask(cell, runs)

    def mask(self, cell: Cell, runs: Sequence[StoredRun]) -> Sequence[StoredRun]:
        """These runs with their numbers closed up, the masked ones as inconclusive."""
        return [self._mask(cell, run) for run in runs] if cell in self._numbers else runs

    def _mask(self, cell: Cell, run: StoredRun) -> StoredRun:
        number = run.number - bisect_right(self._numbers[cell], run.number)
        if run.id in self._ids[cell]:
            return run._replace(number=number, verdict=Verdict.INCONCLUSIVE)
        return run._replace(number=number)

    def count(self, cell: Cell, since: datetime | None, until: datetime | None) -> int:
        """How many conclusive runs have ``since <= started_at < until``, the masked ones left out."""
        masked = self.masked.get(cell, ())
        low = 0 if since is None else bisect_left(masked, since, key=_STARTED)
        high = len(masked) if until is None else bisect_left(masked, until, key=_STARTED)
        return self.whole.count(cell, since, until) - max(0, high - low)

    def start_of(self, cell: Cell, number: int) -> datetime | None:
        """When the conclusive run of that closed-up number began."""
        return self.whole.start_of(cell, number + bisect_right(self._closed.get(cell, ()), number))

    def last_run(self, cell: Cell, until: datetime | None) -> StoredRun | None:
        """The latest run, as inconclusive where it is masked."""
        run = self.whole.last_run(cell, until)
        return run if run is None or cell not in self._numbers else self._mask(cell, run)


def mask_of(blocks: Sequence[Block]) -> dict[Cell, list[StoredRun]]:
    """The masked runs of these blocks by cell, in order."""
    masked: dict[Cell, list[StoredRun]] = {}
    for block in blocks:
        for cell, runs in block.masked.items():
            masked.setdefault(cell, []).extend(runs)
    return {cell: sorted(runs) for cell, runs in masked.items()}
