"""What the service takes from its machine: memory at 1,000 targets, and the time to its first stored outcome.

The service runs as it is installed, against the sandbox in another process. The floor of the start is a
process that only imports the libraries that a run, its storing and the page cannot do without.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

from benchmarks.measure import (
    Figure,
    command,
    configuration,
    cpu_seconds_of,
    folder,
    free_port,
    resident_mb,
    sandbox,
)

_LIBRARIES = (
    "apscheduler.schedulers.asyncio, fastapi, httpx, jinja2, numpy, sqlalchemy, structlog, uvicorn, uvloop,"
    " websockets"
)
_PATIENCE_S = 30


def run(*, targets: int = 1_000, seconds: float = 25, starts: int = 3) -> Iterator[Figure]:
    """Megabytes after a while of checks, and the seconds and processor seconds of a start."""
    with sandbox() as base:
        memory, per_s = _memory(base, targets, seconds)
        taken = [_start(base) for _ in range(starts)]
    floor = median(_bare_start() for _ in range(starts))
    wall, busy = (median(times) for times in zip(*taken, strict=True))
    yield Figure(
        name=f"resident memory at {targets:,} targets, {per_s:.0f} runs a second",
        value=memory,
        unit="MB",
        mark=120,
    )
    yield Figure(name="start to first stored outcome, empty database", value=wall, unit="s", mark=1.5)
    yield Figure(name="  of it processor time", value=busy, unit="CPU s")
    yield Figure(name="  only importing the bare libraries", value=floor, unit="CPU s")
    yield Figure(name="start / importing the bare libraries", value=busy / floor, unit="×")


def _memory(base: str, targets: int, seconds: float) -> tuple[float, float]:
    with folder() as here:
        path = configuration(base, here, targets=targets, every="20s", port=free_port())
        with command("serve", "--config", path) as (process, _):
            time.sleep(seconds)
            memory = resident_mb(process.pid)
        return memory, _stored(here / "bench.db") / seconds


def _start(base: str) -> tuple[float, float]:
    """From the process's start to its first outcome: by the clock, and in processor time."""
    with folder() as here:
        # Enough targets that one of them is due at any moment.
        path = configuration(base, here, targets=200, every="5s", port=free_port())
        began = time.perf_counter()
        with command("serve", "--config", path) as (process, _):
            while not _stored(here / "bench.db"):
                if time.perf_counter() - began > _PATIENCE_S:
                    raise RuntimeError("the service has stored nothing")
                time.sleep(0.01)
            return time.perf_counter() - began, cpu_seconds_of(process.pid)


def _stored(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        count: int = connection.execute("SELECT count(*) FROM outcomes").fetchone()[0]
    return count


def _bare_start() -> float:
    """Processor seconds of a fresh process that only imports."""
    code = f"import {_LIBRARIES}; import time; print(time.process_time())"
    return float(
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    )
