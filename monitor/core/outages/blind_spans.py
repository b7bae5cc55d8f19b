"""Find the stretches in which a location, and not what it asked, was unreachable.

A host is unreachable from the first to the last of an unbroken series of its own unreachable runs.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from heapq import heapify, heapreplace
from typing import NamedTuple

from monitor.core.model import Cell, Failure, Verdict
from monitor.core.outages.gaps import interval
from monitor.core.outages.history import History, StoredRun, until_after
from monitor.core.outages.self_observations import (
    NEAR,
    BlindSpan,
    Controls,
    SelfObservation,
    SelfObservationKind,
)

NEVER = datetime.max.replace(tzinfo=UTC)
EVER = datetime.min.replace(tzinfo=UTC)


class ReachingRuns:
    """The reaching runs of some cells, by their *dark* runs in order, as *history* numbers them."""

    def __init__(self, history: History, dark: Mapping[Cell, Sequence[StoredRun]]) -> None:
        self._history = history
        self._numbers = {cell: [run.number for run in runs] for cell, runs in dark.items()}
        self._breaks = {cell: _breaks(numbers) for cell, numbers in self._numbers.items()}
        # For each cell a reaching run that is not later than its next one: the earliest comes first.
        self._known = [(EVER, cell) for cell in dark]
        heapify(self._known)

    def following(self, start: datetime, enough: datetime) -> datetime:
        """When the first reaching run at or after *start* began, or some one that began by *enough*.

        NEVER where none did. To be asked with growing starts: what is known of a cell holds until the
        run that is known, and only the cells whose run is past are asked anew.
        """
        while self._known and self._known[0][0] < start:
            cell = self._known[0][1]
            at = self._following(cell, start)
            heapreplace(self._known, (at, cell))
            if at <= enough:
                return at
        return self._known[0][0] if self._known else NEVER

    def _following(self, cell: Cell, start: datetime) -> datetime:
        number = self._history.count(cell, None, start) + 1
        numbers, breaks = self._numbers[cell], self._breaks[cell]
        index = bisect_left(numbers, number)
        if index < len(numbers) and numbers[index] == number:
            number = numbers[breaks[bisect_right(breaks, index)] - 1] + 1
        return self._history.start_of(cell, number) or NEVER

    def last(self, until: datetime) -> datetime:
        """When the last reaching run at or before *until* began; EVER where none did."""
        return max((self._last(cell, until) for cell in self._numbers), default=EVER)

    def _last(self, cell: Cell, until: datetime) -> datetime:
        number = self._history.count(cell, None, until_after(until))
        numbers, breaks = self._numbers[cell], self._breaks[cell]
        index = bisect_left(numbers, number)
        if index < len(numbers) and numbers[index] == number:
            number = numbers[breaks[bisect_right(breaks, index) - 1]] - 1
        return self._history.start_of(cell, number) or EVER


def _breaks(numbers: Sequence[int]) -> list[int]:
    """The places at which a stretch of consecutive numbers begins, and the end of all."""
    inner = (at for at in range(1, len(numbers)) if numbers[at] != numbers[at - 1] + 1)
    return [0, *inner, len(numbers)]


BELOW_PROTOCOL = frozenset({Failure.DNS, Failure.CONNECT, Failure.TLS})


def is_unreachable(run: StoredRun) -> bool:
    """Whether the run failed before anything of the provider answered."""
    return run.verdict is Verdict.FAILED and run.failure in BELOW_PROTOCOL


def unmeasured_spans(
    history: History, cell: Cell, runs: Sequence[StoredRun], *, now: datetime
) -> list[BlindSpan]:
    """The cell's stretches of two or more inconclusive runs, up to the next conclusive run.

    Inconclusive runs with the same number have no conclusive run between them. A stretch that began
    before the first of *runs* is taken whole.
    """
    dark = [run for run in runs if _is_unmeasured(run)]
    if runs and runs[0].verdict is Verdict.INCONCLUSIVE:  # also one inside maintenance, which ends nothing
        since = history.start_of(cell, runs[0].number)
        earlier = history.not_passed(cell, since, runs[0].started_at)
        dark = [run for run in earlier if _is_unmeasured(run) and run < runs[0]] + dark
    stretches: dict[int, list[StoredRun]] = {}
    for run in dark:
        stretches.setdefault(run.number, []).append(run)
    return [
        _unmeasured(cell, stretch, _by(history.start_of(cell, number + 1), now))
        for number, stretch in stretches.items()
        if len(stretch) > 1
    ]


def _is_unmeasured(run: StoredRun) -> bool:
    return run.verdict is Verdict.INCONCLUSIVE and not run.paused


def _unmeasured(cell: Cell, stretch: Sequence[StoredRun], following: datetime | None) -> BlindSpan:
    return BlindSpan(
        location=cell.location,
        start=stretch[0].started_at,
        end=following or stretch[-1].started_at,
        reason="runs could not be measured",
        cell=cell,
        lasting=following is None,
    )


def own_spans(sights: Iterable[SelfObservation], *, now: datetime) -> list[BlindSpan]:
    """The stretches by *now* in which the monitor itself was unfit to measure."""
    return [
        BlindSpan(
            location=sight.location,
            start=sight.start,
            end=min(sight.end, now),
            reason=sight.detail or sight.subject,
        )
        for sight in sights
        if sight.kind is SelfObservationKind.OWN and sight.start <= now
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
    """A stretch of one location in which runs are masked; `masked` holds them by cell."""

    span: BlindSpan
    masked: Mapping[Cell, tuple[StoredRun, ...]]


class _Dark(NamedTuple):
    """One dark run; `near` is its own interval."""

    at: datetime
    cell: Cell
    run: StoredRun
    near: timedelta


def find_blocks(history: History, runs: Mapping[Cell, Sequence[StoredRun]], *, now: datetime) -> list[Block]:
    """The stretches of one location in which dark runs are masked, in order; a control host counts as well.

    *runs* are the notable runs of all its cells. In a stretch in which nothing was reached, a run is masked
    by another host that was unreachable then or within one interval of the run's own::

        host A, every 30 min   ×                             ×        unreachable from the first to the last:
        host B, every minute   × × × × × × × × × × × × × × × ×        every run of both is masked
        host A, every 30 min   ×                             .        unreachable at one instant: of B only
        host B, every minute   × × × × × × × × × × × × × × × ×        the runs within a minute of it are

    Runs begun in the same instant are taken together: one that reached something ends the stretch for all
    of them. Each host is looked at once in a stretch, so that the cost grows with the runs alone.
    """
    dark: dict[datetime, list[_Dark]] = {}
    for cell, notable in runs.items():
        for run in notable:
            if is_unreachable(run):
                near = interval(history, cell, run.every_s) or timedelta(0)
                dark.setdefault(run.started_at, []).append(_Dark(run.started_at, cell, run, near))
    if not dark:
        return []
    location = next(one.cell.location for at in dark.values() for one in at)
    controls = controls_of(history, location, min(dark), max(dark), now=now)
    sky = _Sky(history, runs, dark, controls)
    return [block for low, high, after in sky.unbroken() for block in sky.blocks(low, high, after, now)]


class _Sky:
    """The dark runs of one location, by instant."""

    def __init__(
        self,
        history: History,
        runs: Mapping[Cell, Sequence[StoredRun]],
        dark: Mapping[datetime, Sequence[_Dark]],
        controls: Controls,
    ) -> None:
        by_cell = {cell: [run for run in notable if is_unreachable(run)] for cell, notable in runs.items()}
        self._reach = ReachingRuns(history, by_cell)
        self._controls = controls
        self._dark = dark
        self._instants = sorted(dark)
        self._lost = {at: frozenset(controls.lost(at)) for at in self._instants}
        self._hosts = [
            frozenset(one.run.host or one.cell.endpoint for one in dark[at]) | self._lost[at]
            for at in self._instants
        ]

    def unbroken(self) -> Iterator[tuple[int, int, datetime]]:
        """The maximal stretches of dark instants that touch two hosts, with when something was reached next.

        Where one host follows another is where a stretch may touch two: only such a place is looked at.
        """
        instants, hosts, floor = self._instants, self._hosts, 0
        for index in range(len(instants)):
            beside = min(index + 1, len(instants) - 1)
            if index < floor or len(hosts[index] | hosts[beside]) < 2:
                continue
            until = instants[index if len(hosts[index]) > 1 else beside]
            after = self._reach.following(instants[index], until)
            if after <= until or self._controls.reached_between(instants[index], until):
                continue
            low = high = index
            if low > floor and len(hosts[low - 1] | hosts[low]) < 2:
                last = self._reach.last(instants[low])
                while low > floor and instants[low - 1] > last and self._joined(low - 1):
                    low -= 1
            while high + 1 < len(instants) and instants[high + 1] < after and self._joined(high):
                high += 1
            yield low, high, after
            floor = high + 1

    def _joined(self, index: int) -> bool:
        """Whether no control host answered from this instant to the next."""
        return not self._controls.reached_between(self._instants[index], self._instants[index + 1])

    def blocks(self, low: int, high: int, after: datetime, now: datetime) -> Iterator[Block]:
        """What is masked in an unbroken stretch: one block for each row of instants with a masked run."""
        instants = self._instants[low : high + 1]
        stretches = _Stretches([one for at in instants for one in self._dark[at]])
        masked: list[_Dark] = []
        for at in instants:
            here = [one for one in self._dark[at] if self._lost[at] or stretches.mask(one)]
            if not here and masked:
                yield self._block(masked, stretches, at, now)
                masked = []
            masked += here
        if masked:
            following = self._instants[high + 1] if high + 1 < len(self._instants) else NEVER
            yield self._block(masked, stretches, min(following, after), now)

    def _block(self, masked: Sequence[_Dark], stretches: _Stretches, after: datetime, now: datetime) -> Block:
        by_cell: dict[Cell, list[StoredRun]] = {}
        names: set[str] = set()
        for one in masked:
            by_cell.setdefault(one.cell, []).append(one.run)
            names |= self._lost[one.at]
        names |= stretches.names(masked)
        following = _by(after, now)
        span = BlindSpan(
            location=masked[0].cell.location,
            start=masked[0].at,
            end=following or masked[-1].at,
            reason=f"nothing was reachable: {', '.join(sorted(names))}",
            lasting=following is None,
        )
        return Block(span=span, masked={cell: tuple(sorted(runs)) for cell, runs in by_cell.items()})


class _Stretches:
    """From when to when each host was unreachable, by the dark runs of an unbroken stretch in order."""

    def __init__(self, dark: Sequence[_Dark]) -> None:
        self._named = {one.cell.endpoint: one.run.host for one in dark if one.run.host}
        self._by_host: dict[str, list[datetime]] = {}
        self._endpoints: dict[str, set[str]] = {}
        for one in dark:
            host = self._host(one)
            self._by_host.setdefault(host, [one.at, one.at])[1] = one.at
            self._endpoints.setdefault(host, set()).add(one.cell.endpoint)
        self._firsts = sorted(first for first, _ in self._by_host.values())
        self._lasts = sorted(last for _, last in self._by_host.values())

    def _host(self, one: _Dark) -> str:
        """The run's host; where it names none, the one that other runs of its endpoint name, else that."""
        return one.run.host or self._named.get(one.cell.endpoint) or one.cell.endpoint

    def mask(self, one: _Dark) -> bool:
        """Whether another host was unreachable then, or within one interval of the run."""
        begun = bisect_right(self._firsts, one.at + one.near)
        over = bisect_left(self._lasts, one.at - one.near)
        return begun - over > 1  # its own host is one of them

    def names(self, masked: Sequence[_Dark]) -> set[str]:
        """The endpoints of the hosts that mask these runs and of the runs themselves."""
        start = min(one.at - one.near for one in masked)
        end = max(one.at + one.near for one in masked)
        return {
            name
            for host, (first, last) in self._by_host.items()
            if first <= end and last >= start
            for name in self._endpoints[host]
        }


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
