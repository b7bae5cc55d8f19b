"""Is it us? Blind spans of a location, and the history as it is without the runs they mask.

Three kinds: a cell's own stretch of inconclusive runs; a stretch in which every conclusive run of a
location ended below the protocol, to two endpoints or more, or to one while no control host answered;
and a stretch in which the monitor saw itself unfit. The runs of the second kind measured our own
network: they count as not measured, and the numbers behind them close up.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter

from monitor.core.model import Cell, Failure, Verdict
from monitor.core.overlay import Overlay
from monitor.core.reach import Reach
from monitor.core.sights import NEAR, BlindSpan, Controls, Sight, SightKind
from monitor.core.windows import History, Run, until_after

BELOW_PROTOCOL = frozenset({Failure.DNS, Failure.CONNECT, Failure.TLS})
_STARTED = attrgetter("started_at")


def is_unreachable(run: Run) -> bool:
    """Whether the run failed before anything of the provider answered."""
    return run.verdict is Verdict.FAILED and run.failure in BELOW_PROTOCOL


def unmeasured_spans(history: History, cell: Cell, runs: Sequence[Run], *, now: datetime) -> list[BlindSpan]:
    """The cell's stretches of two or more inconclusive runs, up to the next conclusive run.

    Inconclusive runs with the same number have no conclusive run between them. A stretch that began
    before the first of *runs* is taken whole.
    """
    dark = [run for run in runs if _is_unmeasured(run)]
    if dark and dark[0] is runs[0]:
        since = history.start_of(cell, dark[0].number)
        earlier = history.notable(cell, since, dark[0].started_at)
        dark = [run for run in earlier if _is_unmeasured(run) and run < dark[0]] + dark
    stretches: dict[int, list[Run]] = {}
    for run in dark:
        stretches.setdefault(run.number, []).append(run)
    return [
        _unmeasured(cell, stretch, _by(history.start_of(cell, number + 1), now))
        for number, stretch in stretches.items()
        if len(stretch) > 1
    ]


def _is_unmeasured(run: Run) -> bool:
    return run.verdict is Verdict.INCONCLUSIVE and not run.paused


def _unmeasured(cell: Cell, stretch: Sequence[Run], following: datetime | None) -> BlindSpan:
    return BlindSpan(
        location=cell.location,
        start=stretch[0].started_at,
        end=following or stretch[-1].started_at,
        reason="runs could not be measured",
        cell=cell,
        lasting=following is None,
    )


def own_spans(sights: Iterable[Sight], *, now: datetime) -> list[BlindSpan]:
    """The stretches by *now* in which the monitor itself was unfit to measure."""
    return [
        BlindSpan(
            location=sight.location,
            start=sight.start,
            end=min(sight.end, now),
            reason=sight.detail or sight.subject,
        )
        for sight in sights
        if sight.kind is SightKind.OWN and sight.start <= now
    ]


def controls_of(
    history: History, location: str, start: datetime, end: datetime, *, now: datetime
) -> Controls:
    """What is known by *now* of the location's control hosts around a stretch."""
    return Controls(history.sights(location, start - NEAR, min(end + NEAR, now)))


def _by(instant: datetime | None, now: datetime) -> datetime | None:
    return instant if instant is not None and instant <= now else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A stretch of one location in which nothing was reached; `masked` holds its runs by cell."""

    span: BlindSpan
    masked: Mapping[Cell, tuple[Run, ...]]


def find_blocks(history: History, runs: Mapping[Cell, Sequence[Run]], *, now: datetime) -> list[Block]:
    """The stretches of one location in which nothing was reached, in order; a control host counts as well.

    *runs* are the notable runs of all its cells. Runs begun in the same instant are taken together:
    one that reached something ends the stretch for all of them.
    """
    dark: dict[datetime, list[tuple[Cell, Run]]] = {}
    for cell, notable in runs.items():
        for run in notable:
            if is_unreachable(run):
                dark.setdefault(run.started_at, []).append((cell, run))
    if not dark:
        return []
    location = next(cell.location for at in dark.values() for cell, _ in at)
    controls = controls_of(history, location, min(dark), max(dark), now=now)
    hosts = {at: _hosts(entries, controls, at) for at, entries in dark.items()}
    if len(frozenset[str]().union(*hosts.values())) < 2:
        return []
    blocks = _unbroken(sorted(dark), hosts, _Sight(history, runs, controls))
    return [_block(history, block, dark, hosts, runs, now) for block in blocks]


def _hosts(entries: Sequence[tuple[Cell, Run]], controls: Controls, at: datetime) -> frozenset[str]:
    """What was out of reach at an instant: endpoints, and the control hosts where none of them answered."""
    return frozenset({cell.endpoint for cell, _ in entries} | set(controls.lost(at)))


def _unbroken(
    instants: Sequence[datetime], hosts: Mapping[datetime, frozenset[str]], sight: _Sight
) -> list[list[datetime]]:
    """The maximal stretches of dark instants that touch two hosts.

    Where one host follows another is where a stretch may touch two; only from such a place is looking
    in both directions worth a query.
    """
    endpoints = [hosts[at] for at in instants]
    blocks: list[list[datetime]] = []
    end = 0
    for index in range(len(instants)):
        reach = min(index + 1, len(instants) - 1)
        if index < end or len(endpoints[index] | endpoints[reach]) < 2:
            continue
        if sight.clear(instants[index], instants[index if len(endpoints[index]) > 1 else reach]):
            continue
        low, high = _widen(instants, index, end, sight)
        blocks.append(list(instants[low : high + 1]))
        end = high + 1
    return blocks


def _widen(instants: Sequence[datetime], index: int, floor: int, sight: _Sight) -> tuple[int, int]:
    low = high = index
    while low > floor and not sight.clear(instants[low - 1], instants[low]):
        low -= 1
    while high + 1 < len(instants) and not sight.clear(instants[high], instants[high + 1]):
        high += 1
    return low, high


class _Sight:
    """Whether anything was reached from the location between two instants."""

    def __init__(self, history: History, runs: Mapping[Cell, Sequence[Run]], controls: Controls) -> None:
        dark = {cell: [run for run in notable if is_unreachable(run)] for cell, notable in runs.items()}
        self._reach = Reach(history, dark)
        self._controls = controls

    def clear(self, start: datetime, end: datetime) -> bool:
        """Whether a conclusive run begun in ``[start, end]`` reached something, or a control host did."""
        return self._controls.reached_between(start, end) or self._reach.reached(start, end)


def _block(
    history: History,
    instants: Sequence[datetime],
    dark: Mapping[datetime, Sequence[tuple[Cell, Run]]],
    hosts: Mapping[datetime, frozenset[str]],
    cells: Mapping[Cell, object],
    now: datetime,
) -> Block:
    entries = [entry for at in instants for entry in dark[at]]
    masked: dict[Cell, list[Run]] = {}
    for cell, run in entries:
        masked.setdefault(cell, []).append(run)
    last = max(run.started_at for _, run in entries)
    following = [
        _by(history.start_of(cell, history.count(cell, None, until_after(last)) + 1), now) for cell in cells
    ]
    known = [at for at in following if at is not None]
    names = ", ".join(sorted(frozenset[str]().union(*(hosts[at] for at in instants))))
    span = BlindSpan(
        location=entries[0][0].location,
        start=min(run.started_at for _, run in entries),
        end=min(known, default=last),
        reason=f"nothing was reachable: {names}",
        lasting=not known,
    )
    return Block(span=span, masked={cell: tuple(sorted(seen)) for cell, seen in masked.items()})


def unite(spans: Sequence[BlindSpan]) -> tuple[BlindSpan, ...]:
    """The spans of whole locations in order; those of one location and reason that overlap become one."""
    united: list[BlindSpan] = []
    for span in sorted(spans, key=lambda span: (span.location, span.reason, span.start, span.end)):
        own = replace(span, cell=None, lasting=False)
        last = united[-1] if united else None
        if last and (last.location, last.reason) == (span.location, span.reason) and span.start <= last.end:
            united[-1] = replace(own, start=last.start, end=max(last.end, span.end))
        else:
            united.append(own)
    return tuple(sorted(united, key=lambda span: (span.start, span.location, span.reason, span.end)))


@dataclass(frozen=True, slots=True)
class MaskedHistory(Overlay):
    """A history in which given runs count as not measured.

    Numbers close up behind a masked run. They are counted from the first masked run that is known,
    so only their differences mean something.
    """

    masked: Mapping[Cell, Sequence[Run]]
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

    def notable(self, cell: Cell, since: datetime | None, until: datetime | None) -> Sequence[Run]:
        """The notable runs, the masked ones as inconclusive."""
        runs = self.whole.notable(cell, since, until)
        return self.mask(cell, runs)

    def mask(self, cell: Cell, runs: Sequence[Run]) -> Sequence[Run]:
        """These runs with their numbers closed up, the masked ones as inconclusive."""
        return [self._mask(cell, run) for run in runs] if cell in self._numbers else runs

    def _mask(self, cell: Cell, run: Run) -> Run:
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

    def last_run(self, cell: Cell, until: datetime | None) -> Run | None:
        """The latest run, as inconclusive where it is masked."""
        run = self.whole.last_run(cell, until)
        return run if run is None or cell not in self._numbers else self._mask(cell, run)


def mask_of(blocks: Sequence[Block]) -> dict[Cell, list[Run]]:
    """The masked runs of these blocks by cell, in order."""
    masked: dict[Cell, list[Run]] = {}
    for block in blocks:
        for cell, runs in block.masked.items():
            masked.setdefault(cell, []).extend(runs)
    return {cell: sorted(runs) for cell, runs in masked.items()}
