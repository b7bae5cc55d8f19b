"""How late runs start: the whole service under load against the sandbox in another process.

The service runs as it is installed: scheduler, runs, storing, pages, one process. Lateness is from the
slot to the start of the run, as stored; the first seconds, in which everything is loaded and everything
comes due at once, are left out. Where the asked rate misses the mark, lower ones are tried until one is
kept: that is the rate this machine sustains beside its neighbours and the sandbox.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.measure import (
    Figure,
    command,
    configuration,
    cpu_seconds_of,
    folder,
    free_port,
    quantile,
    sandbox,
)
from monitor.core.scheduling.slots import first_slot

RATES = (300, 200, 150, 100, 50)
EVERY_S = 5
WARM_UP_S = 6
MARK_MS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the service did at one rate; `due` counts the slots of the measured seconds, by the schedule."""

    rate: int
    late_ms: list[float]
    due: int
    outcomes: int
    skips: int
    busy: float  # share of a core

    @property
    def p99(self) -> float:
        """The lateness in ms that 99 % of the starts do not exceed."""
        return quantile(self.late_ms, 0.99) if self.late_ms else float("inf")


def run(
    *, rates: tuple[int, ...] = RATES, seconds: float = 12, warm_up: float = WARM_UP_S
) -> Iterator[Figure]:
    """Lateness at the first rate, whether every slot is accounted for, and the rate that is sustained."""
    with sandbox() as base:
        for rate in rates:
            load = measure(base, rate, seconds, warm_up)
            yield from _figures(load, mark=MARK_MS if rate == rates[0] else None)
            if load.p99 < MARK_MS and not load.skips:
                break
    sustained = load.rate if load.p99 < MARK_MS and not load.skips else 0
    yield Figure(
        name="realtime runs a second that keep p99 below 100 ms",
        value=sustained,
        unit="/s",
        mark=rates[0],
        at_least=True,
    )


def _figures(load: Load, mark: float | None) -> Iterator[Figure]:
    about = f"at {load.rate} runs a second"
    yield Figure(name=f"lateness of starts {about}, p50", value=quantile(load.late_ms, 0.5), unit="ms")
    yield Figure(name=f"lateness of starts {about}, p99", value=load.p99, unit="ms", mark=mark)
    yield Figure(name="  processor time of the service", value=load.busy * 100, unit="% core")
    yield Figure(name="  slots that were skipped, with their reason", value=load.skips, unit=f"/{load.due}")
    lost = abs(load.due - load.outcomes - load.skips)
    yield Figure(name="  slots neither run nor on record as skipped", value=lost, unit="", mark=0)


def measure(base: str, rate: int, seconds: float, warm_up: float) -> Load:
    """Serve `rate` × 5 s targets for a while, and read what was stored."""
    with folder() as here:
        path = configuration(base, here, targets=rate * EVERY_S, every=f"{EVERY_S}s", port=free_port())
        with command("serve", "--config", path) as (process, _):
            time.sleep(warm_up)
            begin, busy = _now(), cpu_seconds_of(process.pid)
            time.sleep(seconds)
            end, busy = _now(), cpu_seconds_of(process.pid) - busy
            # A slot that was missed is put on record when the target's next one comes due.
            time.sleep(EVERY_S + 3)
        return _read(here / "bench.db", rate, begin=begin, end=end, busy=busy / seconds)


def _now() -> datetime:
    """In whole milliseconds, as slots are stored: no slot lies on two sides of it."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _read(path: Path, rate: int, *, begin: datetime, end: datetime, busy: float) -> Load:
    low, high = (int(instant.timestamp() * 1000) for instant in (begin, end))
    inside = "WHERE slot >= ? AND slot < ?"
    with closing(sqlite3.connect(path)) as connection:
        late = connection.execute(
            f"SELECT started_at - slot FROM outcomes {inside} AND kind = 'scheduled'", (low, high)
        ).fetchall()
        rows = connection.execute("SELECT slot, slots, every_ms FROM skips").fetchall()
        keys = connection.execute("SELECT endpoint || '/' || model || '/' || pathway FROM targets").fetchall()
    return Load(
        rate=rate,
        late_ms=[float(row[0]) for row in late],
        due=sum(_slots(key, begin, end) for (key,) in keys),
        outcomes=len(late),
        skips=sum(low <= at + one * every < high for at, slots, every in rows for one in range(slots)),
        busy=busy,
    )


def _slots(key: str, begin: datetime, end: datetime) -> int:
    """How many slots of a target lie in ``[begin, end)``."""
    every = timedelta(seconds=EVERY_S)
    first = first_slot(key, every)
    return -((first - end) // every) + ((first - begin) // every)
