"""Outcomes for the store's tests: plain ones by hand, and any at all by Hypothesis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from monitor.core.model import Blame, Cell, Failure, Kind, Outcome, Stage, Verdict
from monitor.store.database.engine import Database

DAY = datetime(2025, 11, 17, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def make(number: int, verdict: Verdict = Verdict.PASSED, **changes: Any) -> Outcome:
    """The run of minute *number* of the day, of one cell unless *changes* say otherwise."""
    slot = changes.pop("slot", DAY + number * MINUTE)
    outcome = Outcome(
        id=f"run-{number:06d}",
        endpoint="azure-sweden",
        model="gpt-4o-transcribe",
        pathway="realtime",
        location="berlin",
        provider="azure_openai",
        region="swedencentral",
        every_s=60.0,
        clip="amiable",
        configuration="9f2c",
        slot=slot,
        started_at=slot + timedelta(milliseconds=412),
        finished_at=slot + timedelta(milliseconds=3101),
        verdict=verdict,
        timings_ms={"connect": 41, "ready": 180, "first_text": None, "final": 640.5},
        wer=0.0,
        completeness=1.0,
        transcript="the birch canoe slid",
        ids={"request_id": None, "session_id": f"sess_{number}"},
    )
    if verdict is Verdict.PASSED:
        return replace(outcome, **changes)
    return replace(outcome, **{"verdict": verdict, **failing(verdict), **changes})


def failing(verdict: Verdict) -> dict[str, Any]:
    """What the reference outage says of a run that failed; nothing for other verdicts."""
    if verdict is not Verdict.FAILED:
        return {}
    return {
        "failure": Failure.SERVER,
        "stage": Stage.TRANSCRIBE,
        "blame": Blame.PROVIDER,
        "type": "server_error",
        "message": "Input transcription failed for item 'item_7'.",
        "transcript": None,
    }


# The transaction of each example is rolled back, so that the examples may share one database.
any_example = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class _RollBack(Exception):
    """Leaves a transaction without a trace."""


@contextmanager
def rolled_back(database: Database) -> Iterator[Connection]:
    """A writing transaction of which nothing remains."""
    with suppress(_RollBack), database.write() as tx:
        yield tx
        raise _RollBack


_CELLS = [
    Cell("a", "m", "rest", "berlin"),
    Cell("a", "m", "realtime", "berlin"),
    Cell("b", "org/m", "rest", "default"),
]


@st.composite
def outcomes(draw: st.DrawFn, *, most: int = 24) -> list[Outcome]:
    """Outcomes of three cells in any order of arrival, with equal starts and with silences."""
    size = draw(st.integers(0, most))
    return [_any_outcome(draw, index) for index in draw(st.permutations(range(size)))]


def _any_outcome(draw: st.DrawFn, index: int) -> Outcome:
    cell = draw(st.sampled_from(_CELLS))
    start = DAY + timedelta(
        milliseconds=draw(st.sampled_from([1, 1000, 60_000, 179_999])) * draw(st.integers(0, 9))
    )
    verdict = draw(st.sampled_from([Verdict.PASSED, Verdict.PASSED, *Verdict]))
    return Outcome(
        id=f"{draw(st.sampled_from('äZa'))}-{index}",
        endpoint=cell.endpoint,
        model=cell.model,
        pathway=cell.pathway,
        location=cell.location,
        kind=draw(st.sampled_from([Kind.NEIGHBOUR, Kind.CONFIRMING])),
        region=draw(st.sampled_from([None, "north"])),
        every_s=draw(st.sampled_from([None, 1.0, 20.0004, 60.0])),
        configuration=draw(st.sampled_from([None, "c1", "c1", "c1", "c2"])),
        slot=start,
        started_at=start,
        finished_at=start + timedelta(seconds=1),
        verdict=verdict,
        failure=Failure.SERVER if verdict is Verdict.FAILED else None,
        timings_ms={"final": draw(st.sampled_from([None, 12, 812.5]))},
        transcript=draw(st.sampled_from([None, "", "said"])),
        extra=draw(st.sampled_from([{}, {"note": "kept"}])),
    )
