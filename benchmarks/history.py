"""Made-up histories: what eight targets gave, a run a minute, 1 % of it bad; half of that in outages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from benchmarks.measure import folder
from monitor.core.model import Blame, Failure, Kind, Outcome, Stage, Verdict
from monitor.store.database.engine import Database, open_database
from monitor.store.database.migrate import migrate
from monitor.store.outcomes.add import add_outcomes

START = datetime(2025, 8, 20, tzinfo=UTC)
CELLS = 8
_OUTAGE_EVERY, _OUTAGE = 12_000, 60  # minutes: 0.5 % of the runs
_NOISE = 200  # every so many runs one fails alone: another 0.5 %
MINUTE = timedelta(minutes=1)


def outcomes(
    count: int, *, cells: int = CELLS, first: int = 0, step: timedelta = MINUTE
) -> Iterator[Outcome]:
    """The runs in the order in which they were made; *first* is the number of the first one."""
    for number in range(first, first + count):
        minute, cell = divmod(number, cells)
        run = _passed(number, cell, START + minute * step, step.total_seconds())
        yield as_failed(run) if is_bad(minute, cell) else run


def is_bad(minute: int, cell: int) -> bool:
    """Whether the run failed: alone, or in an outage that half of the targets share."""
    alone = (minute * 7919 + cell * 104_729) % _NOISE == 0
    hit = (cell + minute // _OUTAGE_EVERY) % 2 == 0
    # Twice as long for half of the targets.
    return alone or (hit and 5_000 <= minute % _OUTAGE_EVERY < 5_000 + 2 * _OUTAGE)


def _passed(number: int, cell: int, slot: datetime, every_s: float) -> Outcome:
    return Outcome(
        id=f"0193a000-0000-7000-8000-{number:012x}",
        endpoint=f"endpoint-{cell // 4}",
        model=f"model-{cell // 2 % 2}",
        pathway="rest" if cell % 2 else "realtime",
        location="berlin",
        kind=Kind.SCHEDULED,
        provider="azure_openai",
        region="swedencentral",
        every_s=every_s,
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
        ids={
            "request_id": f"req_{number:032x}",
            "client_request_id": f"0f6ad6d0-4b9c-4d2e-9c1b-{number:012x}",
        },
    )


def as_failed(run: Outcome) -> Outcome:
    """The run as the provider failed it."""
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


def as_passed(run: Outcome) -> Outcome:
    """The run without a failure."""
    return replace(run, verdict=Verdict.PASSED, failure=None, stage=None, blame=None, type=None, message=None)


def batches(runs: Iterator[Outcome], size: int) -> Iterator[list[tuple[Outcome, None]]]:
    """Runs in lists of *size*, without evidence."""
    while batch := [(run, None) for run in islice(runs, size)]:
        yield batch


def fresh(path: Path) -> Database:
    """An empty database with the schema."""
    database = open_database(f"sqlite:///{path}")
    migrate(database)
    return database


def fill(database: Database, runs: Iterator[Outcome], *, per_commit: int = 5_000) -> None:
    """Store the runs."""
    for batch in batches(runs, per_commit):
        with database.write() as tx:
            add_outcomes(tx, batch)


_kept: dict[int, Path] = {}


@contextmanager
def long_history(count: int) -> Iterator[Database]:
    """A database that holds *count* runs; made once in a process, and only to be read."""
    if count not in _kept:
        raise LookupError("call `keeping` first")
    database = open_database(f"sqlite:///{_kept[count]}")
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def keeping(*counts: int) -> Iterator[None]:
    """Makes these histories, and throws them away at the end; those that are there already are kept."""
    missing = [count for count in counts if count not in _kept]
    with folder() as here:
        for count in missing:
            database = fresh(here / f"{count}.db")
            fill(database, outcomes(count))
            database.dispose()
            _kept[count] = here / f"{count}.db"
        try:
            yield
        finally:
            for count in missing:
                del _kept[count]
