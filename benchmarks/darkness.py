"""What it costs to find that nothing is reachable: many targets beside few, all of them dark for ten minutes.

Every target has a host of its own and a run a minute, so that each dark run is compared with all the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from statistics import median

from benchmarks.history import MINUTE, START, outcomes
from benchmarks.measure import Figure, cpu
from monitor.core.model import Failure, Outcome, Stage, Verdict
from monitor.core.outages.blind_spans import find_blocks
from tests.support.memory_history import MemoryHistory

FEW, MANY = 100, 1000
GROWTH_MARK = 20.0  # times, for ten times as many targets; a square would be 100
_MINUTES = 11  # the first one passed


def run(*, few: int = FEW, many: int = MANY, rounds: int = 3) -> Iterator[Figure]:
    """Processor milliseconds for each number of targets, and their ratio."""
    spent = {}
    for targets in (few, many):
        history = MemoryHistory(_runs(targets))
        notable = {cell: history.not_passed(cell, None, None) for cell in history.cells()}
        now = START + (_MINUTES + 1) * MINUTE
        found = partial(find_blocks, history, notable, now=now)
        spent[targets] = median(cpu(found) for _ in range(rounds))
        name = f"{targets:,} targets, nothing reachable for ten minutes"
        yield Figure(name=name, value=spent[targets] * 1000, unit="CPU ms")
    yield Figure(
        name=f"{many:,} / {few:,} targets", value=spent[many] / spent[few], unit="×", mark=GROWTH_MARK
    )


def _runs(targets: int) -> Iterator[Outcome]:
    for number, run in enumerate(outcomes(targets * _MINUTES, cells=targets)):
        minute, target = divmod(number, targets)
        late = target * timedelta(seconds=50) / targets
        yield Outcome(
            id=run.id,
            endpoint=f"endpoint-{target}",
            model=run.model,
            pathway=run.pathway,
            location=run.location,
            every_s=run.every_s,
            slot=run.slot,
            started_at=run.started_at + late,
            finished_at=run.finished_at + late,
            verdict=Verdict.FAILED if minute else Verdict.PASSED,
            failure=Failure.CONNECT if minute else None,
            stage=Stage.CONNECT if minute else None,
        )
