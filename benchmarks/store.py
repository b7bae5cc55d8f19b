"""What storing and reading back costs, beside bare sqlite3 doing the same work in the same run.

Run it as ``python -m benchmarks.store [--outcomes N]``. The ratios are what to compare; the absolute
figures move with the machine and its neighbours.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from monitor.core.lines import outcome_from_line, outcome_to_line
from monitor.core.model import Blame, Failure, Kind, Outcome, Stage, Verdict
from monitor.store.engine import Database, open_database
from monitor.store.history import StoreHistory
from monitor.store.outcomes import add_outcomes
from monitor.store.rows import COLUMNS
from monitor.store.schema import migrate

START = datetime(2025, 1, 1, tzinfo=UTC)
CELLS = 100
ROW = ", ".join(COLUMNS)


def outcomes(count: int, cells: int = CELLS) -> Iterator[Outcome]:
    """One run a minute of each cell; every hundredth failed."""
    for number in range(count):
        minute, cell = divmod(number, cells)
        slot = START + timedelta(minutes=minute)
        failed = (number * 7919) % 100 == 0
        passed = Outcome(
            id=f"0193a000-0000-7000-8000-{number:012x}",
            endpoint=f"endpoint-{cell % 10}",
            model=f"model-{cell // 10}",
            pathway="realtime",
            location="berlin",
            kind=Kind.SCHEDULED,
            provider="azure_openai",
            region="swedencentral",
            every_s=60.0,
            clip="amiable",
            configuration="9f2c4d1e8a7b6c5d",
            slot=slot,
            started_at=slot + timedelta(milliseconds=412),
            finished_at=slot + timedelta(milliseconds=3101),
            verdict=Verdict.PASSED,
            timings_ms={"connect": 41, "ready": 180, "first_text": 402, "final": 640 + number % 97},
            wer=0.0,
            completeness=1.0,
            transcript="the birch canoe slid on the smooth planks glue the sheet to the dark blue background",
        )
        yield _failed(passed) if failed else passed


def _failed(run: Outcome) -> Outcome:
    return replace(
        run,
        verdict=Verdict.FAILED,
        failure=Failure.SERVER,
        stage=Stage.TRANSCRIBE,
        blame=Blame.PROVIDER,
        type="server_error",
        message="Input transcription failed for item 'item_7'.",
        transcript=None,
        wer=None,
        completeness=None,
    )


def batches(runs: Iterator[Outcome], size: int) -> Iterator[list[tuple[Outcome, None]]]:
    """Runs in lists of *size*."""
    while batch := [(run, None) for run in islice(runs, size)]:
        yield batch


def fresh(folder: Path, name: str) -> Database:
    """An empty, migrated database."""
    database = open_database(f"sqlite:///{folder / name}.db")
    migrate(database)
    return database


def cpu(work: Callable[[], Any]) -> float:
    """Seconds of processor time that the work took, the kernel's included."""
    before = time.process_time()
    work()
    return time.process_time() - before


def storing(folder: Path, count: int) -> None:
    """Outcomes at 100 a commit, against the same rows through sqlite3 into the same table."""
    ours, bare = fresh(folder, "ours"), fresh(folder, "bare")
    prepared = list(batches(outcomes(count), CELLS))
    ours_us = [_store_us(ours, batch) for batch in prepared]
    rows = _rows_of(ours)
    with closing(_bare(bare)) as connection:
        _copy_parents(connection, ours)
        bare_us = [_insert_us(connection, rows[n : n + CELLS]) for n in range(0, len(rows), CELLS)]
    with ours.write() as tx:
        tx.exec_driver_sql("SELECT 1")
    with closing(_bare(ours)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = Path(str(ours.url.database)).stat().st_size / count
    print(f"storing one outcome with rollups, 100 a commit  {median(ours_us):6.1f} µs")
    print(f"  bare sqlite3, the same row, same indexes      {median(bare_us):6.1f} µs")
    print(f"  ratio                                         {median(ours_us) / median(bare_us):6.2f}")
    print(f"bytes on disk per outcome (99 % passed, no ids) {size:6.0f}")
    ours.dispose()
    bare.dispose()


def _store_us(database: Database, batch: Sequence[tuple[Outcome, None]]) -> float:
    def work() -> None:
        with database.write() as tx:
            add_outcomes(tx, batch)

    return cpu(work) / len(batch) * 1e6


def _rows_of(database: Database) -> list[tuple[Any, ...]]:
    with closing(_bare(database)) as connection:
        return connection.execute(f"SELECT {ROW} FROM outcomes ORDER BY id").fetchall()  # noqa: S608


def _bare(database: Database) -> sqlite3.Connection:
    connection = sqlite3.connect(str(database.url.database), isolation_level=None)
    connection.execute("PRAGMA synchronous=normal")
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    connection.execute("PRAGMA foreign_keys=on")
    return connection


def _copy_parents(connection: sqlite3.Connection, source: Database) -> None:
    connection.execute(f"ATTACH '{source.url.database}' AS source")
    for table in ("targets", "contexts", "transcripts", "cells"):
        connection.execute(f"INSERT INTO {table} SELECT * FROM source.{table}")  # noqa: S608
    connection.execute("DETACH source")


def _insert_us(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> float:
    marks = ", ".join("?" * len(COLUMNS))

    def work() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(f"INSERT INTO outcomes ({ROW}) VALUES ({marks})", rows)  # noqa: S608
        connection.execute("COMMIT")

    return cpu(work) / len(rows) * 1e6


def importing(folder: Path, count: int) -> None:
    """Lines to outcomes to rows, 2,000 a commit, as the import does it."""
    database = fresh(folder, "import")
    lines = [orjson.dumps(outcome_to_line(run)) for run in outcomes(count, cells=16)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def work() -> None:
        for start in range(0, count, 2000):
            parsed = [outcome_from_line(orjson.loads(line)) for line in lines[start : start + 2000]]
            with database.write() as tx:
                add_outcomes(tx, parsed)

    wall = time.perf_counter()
    seconds = cpu(work)
    wall = time.perf_counter() - wall
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"importing lines                                 {count / seconds:6.0f} a CPU second")
    print(f"  by the clock on the wall                      {count / wall:6.0f} a second")
    print(f"  memory grown by                               {grown:6.1f} MB")
    database.dispose()


def replaying(folder: Path, count: int) -> None:
    """Reading what did not pass of a long history, against sqlite3 reading the same columns."""
    database = fresh(folder, "replay")
    for batch in batches(outcomes(count, cells=16), 5000):
        with database.write() as tx:
            add_outcomes(tx, batch)
    ours, seeks, bare = [], [], []
    for _ in range(5):
        with database.read() as tx:
            ours.append(cpu(StoreHistory(tx).prefetch))
            seeks.append(cpu(partial(_seek, StoreHistory(tx).prefetch())) / 1600 * 1e6)
        with closing(_bare(database)) as connection:
            bare.append(cpu(partial(_read_bare, connection)))
    print(f"notable runs of {count:,} outcomes, read         {median(ours) * 1000:6.1f} ms")
    print(f"  bare sqlite3, the same rows as tuples         {median(bare) * 1000:6.1f} ms")
    print(f"  ratio                                         {median(ours) / median(bare):6.2f}")
    print(f"one count or start out of them                  {median(seeks):6.1f} µs")
    database.dispose()


def _read_bare(connection: sqlite3.Connection) -> None:
    connection.execute(
        "SELECT started_at, uid, number, verdict, failure, stage, blame, type, code, message, http_status,"
        " close_code, context_id, fresh, silence_since, spacing, cell_id"
        " FROM outcomes WHERE notable = 1 ORDER BY cell_id, started_at, uid"
    ).fetchall()


def _seek(history: StoreHistory) -> None:
    for cell in history.cells():
        total = history.count(cell, None, None)
        for step in range(50):
            history.start_of(cell, 1 + step * total // 50)
            history.count(cell, START, START + timedelta(minutes=step * total // 50))


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--outcomes", type=int, default=1_000_000, help="length of the history that is replayed"
    )
    count = parser.parse_args().outcomes
    with tempfile.TemporaryDirectory() as folder:
        storing(Path(folder), 20_000)
        importing(Path(folder), 60_000)
        replaying(Path(folder), count)


if __name__ == "__main__":
    main()
