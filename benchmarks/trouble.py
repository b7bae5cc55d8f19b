"""What a run costs while targets fail, beside the same when none does.

A thousand targets, a run of each every 20 s and of a failing one once a minute, are recorded as they
come, with a turn of the clock every two seconds; 0, 1, 10 or 200 of them fail, for a minute, a day and 30
days. The cost of the conversation itself is measured beside it, and is the same in all.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import merge
from pathlib import Path
from time import process_time

import uvloop

from benchmarks.history import START, as_failed, as_passed, fill, fresh, outcomes
from benchmarks.measure import KEY_VARIABLE, Figure, folder, sandbox, target
from benchmarks.realtime import observed_runs
from monitor.core.alerting.decide import Policy
from monitor.core.model import Outcome
from monitor.pipeline.derive import DerivationSettings, update_all_incidents
from monitor.pipeline.observe import Observed
from monitor.pipeline.pace import Pace
from monitor.pipeline.record import record
from monitor.store.database.engine import Database
from monitor.transport import Transport

TARGETS = 1000
EVERY, OPEN_EVERY, TURN = timedelta(seconds=20), timedelta(minutes=1), timedelta(seconds=2)
HEALTHY_EVERY = timedelta(hours=1)  # how far apart the runs of what is well are before what is measured
MINUTE, DAY, MONTH = timedelta(minutes=1), timedelta(days=1), timedelta(days=30)
MARK = 1.5
_MODELS = 5
_INSTANT = timedelta(milliseconds=1)
_HOUSE = DerivationSettings(location="berlin", policies=[Policy(channel="oncall")])


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """So many targets fail, and have done so for so long before what is measured begins."""

    failing: int
    age: timedelta

    @property
    def name(self) -> str:
        """``200 failing for 1 day``."""
        days, minutes = self.age // DAY, self.age // MINUTE
        age = f"{days} d" if days else f"{minutes} min"
        return f"{self.failing} failing for {age}" if self.failing else "none failing"


USUAL = tuple(
    Case(failing=failing, age=age)
    for age in (MINUTE, DAY, MONTH)
    for failing in (1, 10, 200)
    if failing * age < 100 * MONTH  # 200 for a month are 8.6 million runs, and take long to be made up
)


def run(
    *, cases: Sequence[Case] = USUAL, targets: int = TARGETS, seconds: int = 210, rounds: int = 6
) -> Iterator[Figure]:
    """Processor milliseconds of a run with its share of the turns, and how they stand to none failing."""
    with sandbox() as base:
        talking = uvloop.run(_talking(base, rounds))
    yield Figure(name="the conversation of a run alone", value=talking, unit="CPU ms")
    calm = _measured(Case(failing=0, age=MINUTE), targets, seconds)
    yield Figure(name="recorded and judged beside it, none failing", value=calm, unit="CPU ms")
    for case in cases:
        kept = _measured(case, targets, seconds)
        ratio = (talking + kept) / (talking + calm)
        yield Figure(name=f"recorded and judged, {case.name}", value=kept, unit="CPU ms")
        yield Figure(name="  a whole run / the same with none failing", value=ratio, unit="×", mark=MARK)


async def _talking(base: str, rounds: int, block: int = 50) -> float:
    os.environ[KEY_VARIABLE] = "sandbox-key"
    transport = Transport(secret=lambda _: "sandbox-key")
    watched = target(base, "realtime")
    took = []
    try:
        for _ in range(rounds + 1):
            before = process_time()
            await observed_runs(watched, transport, block)
            took.append(process_time() - before)
    finally:
        await transport.aclose()
    return sorted(took[1:])[rounds // 2] / block * 1000


def _measured(case: Case, targets: int, seconds: int) -> float:
    """Milliseconds for one run, over that many seconds of a driven clock."""
    with folder() as here:
        database = _with_history(here / "trouble.db", case, targets)
        start = START + case.age
        until = start + timedelta(seconds=seconds)
        bad = [_runs(cell, start, until, OPEN_EVERY, failed=True) for cell in range(case.failing)]
        good = [_runs(cell, start, until, EVERY) for cell in range(case.failing, targets)]
        gc.collect()
        runs = list(merge(*bad, *good, key=lambda run: run.finished_at))
        pace = Pace()
        record(database, [], _HOUSE, now=start, pace=pace)  # the look with which a process begins
        before = process_time()
        _record(database, runs, pace)
        took = process_time() - before
        database.dispose()
    return took / len(runs) * 1000


def _record(database: Database, runs: Sequence[Outcome], pace: Pace) -> None:
    turn = runs[0].finished_at
    for run in runs:
        while turn < run.finished_at:
            record(database, [], _HOUSE, now=turn, pace=pace)
            turn += TURN
        record(database, [Observed(outcome=run, evidence=None)], _HOUSE, now=run.finished_at, pace=pace)


def _with_history(path: Path, case: Case, targets: int) -> Database:
    """What was stored before: two hours in which all was well, then the failures."""
    database = fresh(path)
    begin, start = START - 2 * HEALTHY_EVERY, START + case.age
    for cell in range(targets):
        if cell < case.failing:
            every = EVERY if case.age < DAY else OPEN_EVERY
            fill(database, _runs(cell, begin, START, EVERY * 6))
            fill(database, _runs(cell, START, start, every, failed=True))
        else:
            every = HEALTHY_EVERY if case.age >= DAY else EVERY * 6
            fill(database, _runs(cell, begin, start, every))
    update_all_incidents(database, _HOUSE)
    return database


def _runs(
    cell: int, since: datetime, until: datetime, every: timedelta, *, failed: bool = False
) -> Iterator[Outcome]:
    """The runs of one target, at its own place inside the interval."""
    first = since + cell * every / TARGETS
    plain = next(outcomes(1, first=cell, cells=TARGETS, step=every))
    for number in range(max(0, (until - first + every - _INSTANT) // every)):
        slot = first + number * every
        run = replace(
            plain,
            id=f"{cell:04x}-{slot.timestamp():.3f}",
            endpoint=f"endpoint-{cell // _MODELS:04}",
            model=f"model-{cell % _MODELS}",
            pathway="realtime",
            slot=slot,
            started_at=slot,
            finished_at=slot + timedelta(seconds=1),
            every_s=every.total_seconds(),
        )
        yield as_failed(run) if failed else as_passed(run)
