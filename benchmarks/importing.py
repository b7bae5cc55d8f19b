"""Importing outcome lines through the command's own path, beside only parsing their JSON; and its memory.

Memory is what the process has grown by between the first tenth of the file and its end.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

import orjson

from benchmarks.history import fresh, outcomes
from benchmarks.measure import Figure, cpu, folder
from monitor.core.outcome_json import outcome_to_line
from monitor.pipeline.import_outcomes import import_lines
from monitor.store.database.engine import Database


def run(*, lines: int = 100_000) -> Iterator[Figure]:
    """Lines for each second, of the processor and on the wall, and megabytes grown."""
    with folder() as here:
        path = here / "outcomes.jsonl"
        _write(path, lines)
        database = fresh(here / "bench.db")
        with path.open("rb") as file:
            head = BytesIO(b"".join(file.readline() for _ in range(lines // 10)))
        _take(database, head)
        before = _peak_mb()
        wall = time.perf_counter()
        with path.open("rb") as file:
            file.seek(len(head.getvalue()))
            busy = cpu(lambda: _take(database, file))
        wall = time.perf_counter() - wall
        grown = _peak_mb() - before
        parsing = cpu(lambda: _parse(path))
        database.dispose()
    left = lines - lines // 10
    yield Figure(
        name="importing lines, for each CPU second", value=left / busy, unit="/s", mark=20_000, at_least=True
    )
    yield Figure(name="  by the clock on the wall", value=left / wall, unit="/s")
    yield Figure(name="  only parsing the JSON", value=lines / parsing, unit="/s")
    yield Figure(name="memory grown over the last nine tenths of the file", value=grown, unit="MB", mark=10)


def _write(path: Path, lines: int) -> None:
    with path.open("wb") as file:
        file.writelines(orjson.dumps(outcome_to_line(run)) + b"\n" for run in outcomes(lines))


def _take(database: Database, source: IO[bytes]) -> None:
    refused: list[str] = []
    import_lines(source, database, refused.append)
    assert not refused, refused[0]


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _parse(path: Path) -> None:
    with path.open("rb") as file:
        for line in file:
            orjson.loads(line)
