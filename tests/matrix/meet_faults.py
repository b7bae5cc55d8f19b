"""Meets faults: real runs over real sockets against a running sandbox, many at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monitor.core.model import Kind, Outcome, Target
from monitor.core.scheduling.slots import clip_at
from monitor.pipeline.observe import Due, Observed, observe
from monitor.sandbox import Script, create_app, parse_fault, running
from monitor.sandbox.common.script import KEY, NO_LATENCY
from monitor.transport import Transport
from tests.matrix.cells import ALONE, Cell

AT_ONCE = 12
# Sandbox and checks share one loop: where the machine is busy it lags, and a brief deadline ends what
# was under way. What depends on that is gone with more time and nothing beside it; a true difference stays.
PATIENCE = (3.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What one cell came to; `ms` is the time from the start of the run to its verdict."""

    cell: Cell
    observed: Observed
    ms: float

    @property
    def outcome(self) -> Outcome:
        """The judgement."""
        return self.observed.outcome

    @property
    def told(self) -> tuple[str, str, str, str]:
        """Stage, failure, blame and verdict; ``-`` where there is none."""
        one = self.outcome
        return (one.stage or "-", one.failure or "-", one.blame or "-", one.verdict)

    @property
    def said(self) -> str:
        """The message of the outcome; of a run that passed, what was noted."""
        drift = [f"drift: {said}" for said in self.outcome.extra.get("drift", ())]
        notes = (self.observed.evidence or {}).get("notes", ())
        return " ".join((self.outcome.message or "; ".join([*drift, *notes])).split())


async def meet_patiently(
    chosen: Iterable[Cell], deadline: Callable[[Cell], float], fits: Callable[[Met, float], bool]
) -> list[Met]:
    """The same, but a cell that does not fit is met again alone with some times its deadline.

    *fits* is told what was met and the deadline that it had.
    """
    met = await meet(chosen, deadline)
    strange = [place for place, one in enumerate(met) if not fits(one, deadline(one.cell))]
    for times in PATIENCE:
        for place in strange:
            met[place] = await _meet_later(met[place].cell, deadline, times)
        strange = [place for place in strange if not fits(met[place], times * deadline(met[place].cell))]
    return met


async def _meet_later(cell: Cell, deadline: Callable[[Cell], float], times: float) -> Met:
    (met,) = await _meet_together([cell], lambda one: times * deadline(one))
    return met


async def meet(chosen: Iterable[Cell], deadline: Callable[[Cell], float]) -> list[Met]:
    """Run the cells, a dozen at once, each against an endpoint of its own."""
    known = list(chosen)
    together = [cell for cell in known if cell.fault not in ALONE]
    met = await _meet_together(together, deadline)
    for cell in known:
        if cell.fault in ALONE:
            met += await _meet_together([cell], deadline)
    order = {id(cell): place for place, cell in enumerate(known)}
    return sorted(met, key=lambda one: order[id(one.cell)])


async def _meet_together(chosen: Sequence[Cell], deadline: Callable[[Cell], float]) -> list[Met]:
    if not chosen:
        return []
    named = {f"peer{number}": cell for number, cell in enumerate(chosen)}
    script = Script(
        endpoints={name: cell.served(name) for name, cell in named.items()},
        latency=NO_LATENCY,
        faults=tuple(parse_fault(cell.as_table(name)) for name, cell in named.items()),
    )
    slots = asyncio.Semaphore(AT_ONCE)
    async with (
        running(create_app(script)) as base,
        aclosing(Transport(secret=lambda _: KEY)) as transport,
    ):

        async def one(name: str, cell: Cell) -> Met:
            async with slots:
                return await _run(transport, cell, cell.target(base, name, deadline(cell)))

        return await asyncio.gather(*[one(name, cell) for name, cell in named.items()])


async def _run(transport: Transport, cell: Cell, target: Target) -> Met:
    """One run; where clips take turns, one with the clip before comes first."""
    now = datetime.now(UTC)
    if target.clips:
        before = next(slot for slot in _slots(now) if clip_at(target, slot) == target.clips[0])
        await _observe(transport, target, before)
        now = next(slot for slot in _slots(now) if clip_at(target, slot) != target.clips[0])
    began = time.monotonic()
    observed = await _observe(transport, target, now)
    return Met(cell=cell, observed=observed, ms=(time.monotonic() - began) * 1000)


def _slots(now: datetime) -> Iterable[datetime]:
    return (now + timedelta(minutes=number) for number in range(60))


async def _observe(transport: Transport, target: Target, slot: datetime) -> Observed:
    due = Due(target=target, slot=slot, kind=Kind.MANUAL, location="here")
    return await observe(due, transport, now=slot)
