"""Recording one outcome, rollups and windows included, beside the same rows through sqlite3's executemany.

At 100 outcomes of 100 cells a commit. And into an open incident after a day and after a year of history, a
run of each of two targets every five minutes: what came before must not matter.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.history import START, as_passed, batches, fill, fresh, outcomes
from benchmarks.measure import Figure, cpu, folder
from monitor.core.model import Blame, Failure, Kind, Stage, Verdict
from monitor.pipeline.derive import DerivationSettings, update_all_incidents
from monitor.pipeline.observe import Observed
from monitor.pipeline.record import record
from monitor.store.database.engine import Database
from monitor.store.outcomes.rows import COLUMNS

BATCH = 100
ROW = ", ".join(COLUMNS)
DAY, YEAR = timedelta(days=1), timedelta(days=365)
STEP = timedelta(minutes=5)
_HOUSE = DerivationSettings(location="berlin")


def run(*, commits: int = 200, year: timedelta = YEAR) -> Iterator[Figure]:
    """Processor microseconds for one outcome, and how they stand to the bare inserts and to the age."""
    with folder() as here:
        ours, bare = _side_by_side(here, commits)
        after_day = _into_open_incident(here / "day.db", DAY)
        after_year = _into_open_incident(here / "year.db", year)
    yield Figure(name="recording one outcome, 100 a commit", value=ours, unit="CPU µs", mark=40)
    yield Figure(name="  bare sqlite3 executemany, same rows and indexes", value=bare, unit="CPU µs")
    yield Figure(name="recording / bare sqlite3", value=ours / bare, unit="×")
    yield Figure(name="one outcome into an open incident, after a day", value=after_day, unit="CPU µs")
    yield Figure(
        name=f"one outcome into an open incident, after {year.days} days", value=after_year, unit="CPU µs"
    )
    yield Figure(name="after that long / after a day", value=after_year / after_day, unit="×", mark=1.2)


def _side_by_side(here: Path, commits: int) -> tuple[float, float]:
    ours, bare = fresh(here / "ours.db"), fresh(here / "bare.db")
    ours_us: list[float] = []
    bare_us: list[float] = []
    with closing(_open_bare(bare)) as there:
        for batch in batches(outcomes(commits * BATCH, cells=BATCH), BATCH):
            items = [Observed(outcome=as_passed(run), evidence=None) for run, _ in batch]
            took = cpu(partial(record, ours, items, _HOUSE, now=items[-1].outcome.finished_at))
            ours_us.append(took / BATCH * 1e6)
            rows = _newest_rows(ours, BATCH)
            if not bare_us:
                _copy_parents(there, ours)
            bare_us.append(cpu(partial(_insert, there, rows)) / BATCH * 1e6)
    ours.dispose()
    bare.dispose()
    return median(ours_us[1:]), median(bare_us[1:])


def _newest_rows(database: Database, count: int) -> list[tuple[Any, ...]]:
    with closing(_open_bare(database)) as connection:
        newest = f"SELECT {ROW} FROM outcomes ORDER BY id DESC LIMIT {count}"
        return connection.execute(newest).fetchall()[::-1]


def _open_bare(database: Database) -> sqlite3.Connection:
    connection = sqlite3.connect(str(database.url.database), isolation_level=None)
    connection.execute("PRAGMA synchronous=normal")
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    connection.execute("PRAGMA foreign_keys=on")
    return connection


def _copy_parents(connection: sqlite3.Connection, source: Database) -> None:
    connection.execute(f"ATTACH '{source.url.database}' AS source")
    for table in ("targets", "contexts", "transcripts", "cells"):
        connection.execute(f"INSERT INTO {table} SELECT * FROM source.{table}")
    connection.execute("DETACH source")


def _insert(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    marks = ", ".join("?" * len(COLUMNS))
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(f"INSERT INTO outcomes ({ROW}) VALUES ({marks})", rows)
    connection.execute("COMMIT")


def _into_open_incident(path: Path, age: timedelta) -> float:
    """The median of single commits while one of two targets is down, after a history of that age."""
    database = fresh(path)
    slots = age // STEP
    fill(database, outcomes(slots * 2, cells=2, step=STEP))
    update_all_incidents(database, _HOUSE)
    start = START + age
    taken = []
    for minute in range(60):
        for cell in (0, 1):
            one = _during_outage(start + timedelta(minutes=minute), minute, cell, first=slots * 2)
            took = cpu(partial(record, database, [one], _HOUSE, now=one.outcome.finished_at))
            if minute >= 10:  # the window is open by then
                taken.append(took * 1e6)
    database.dispose()
    return median(taken)


def _during_outage(slot: datetime, minute: int, cell: int, *, first: int) -> Observed:
    run = next(outcomes(1, cells=2, first=first + 2 * minute + cell))
    run = replace(
        as_passed(run), every_s=60.0, slot=slot, started_at=slot, finished_at=slot + timedelta(seconds=3)
    )
    if cell == 0:
        run = replace(
            run,
            verdict=Verdict.FAILED,
            failure=Failure.SERVER,
            stage=Stage.TRANSCRIBE,
            blame=Blame.PROVIDER,
            kind=Kind.SCHEDULED,
            type="server_error",
        )
    return Observed(outcome=run, evidence=None)
