"""Outcomes for tests of the verdict: short ways to write them, and a strategy of random ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from monitor.core.model import Failure, Outcome, Verdict
from monitor.core.outages.rule import Rule, Threshold

T0 = datetime(2025, 11, 17, 8, 30, 10, tzinfo=UTC)
MARKS = {
    ".": (Verdict.PASSED, None),
    "F": (Verdict.FAILED, Failure.SERVER),
    "C": (Verdict.FAILED, Failure.CONNECT),
    "A": (Verdict.FAILED, Failure.AUTH),
    "M": (Verdict.FAILED, Failure.AUDIO),
    "D": (Verdict.DEGRADED, None),
    "?": (Verdict.INCONCLUSIVE, Failure.MONITOR),
}


def outcome(at: datetime, mark: str = ".", **more: Any) -> Outcome:
    """One run; *more* sets any field of it."""
    verdict, failure = MARKS[mark]
    fields: dict[str, Any] = {
        "endpoint": "azure-sweden",
        "provider": "azure_openai",
        "region": "swedencentral",
        "model": "gpt-4o-transcribe",
        "pathway": "realtime",
        "location": "berlin",
        "every_s": 60,
        "configuration": "c1",
        "verdict": verdict,
        "failure": failure,
        "slot": at,
        "started_at": at,
        "finished_at": at + timedelta(seconds=2),
    }
    fields |= more
    fields.setdefault(
        "id",
        f"{at:%d%H%M%S%f}-{fields['endpoint']}-{fields['model']}-{fields['pathway']}-{fields['location']}",
    )
    return Outcome(**fields)


def row(marks: str, *, start: datetime = T0, step: float = 60, **more: Any) -> list[Outcome]:
    """One run per mark, *step* seconds apart; a space is a slot without a run."""
    return [
        outcome(start + timedelta(seconds=step * index), mark, **more)
        for index, mark in enumerate(marks)
        if mark != " "
    ]


def minutes(number: float) -> datetime:
    """The instant that many minutes after the first run."""
    return T0 + timedelta(minutes=number)


def together(*rows: Iterable[Outcome]) -> list[Outcome]:
    """All runs of several rows."""
    return [one for part in rows for one in part]


RULES = (
    Rule(),
    Rule(
        down=Threshold(bad=2, of=3, span=timedelta(minutes=4), good=2, merge=timedelta(0), merge_intervals=0),
        degraded=Threshold(
            bad=3, of=6, span=timedelta(seconds=30), good=3, merge=timedelta(minutes=1), merge_intervals=1
        ),
    ),
    Rule(
        down=Threshold(
            bad=3, of=5, span=timedelta(seconds=60), good=5, merge=timedelta(minutes=2), merge_intervals=1
        ),
        degraded=Threshold(
            bad=2, of=4, span=timedelta(0), good=1, merge=timedelta(minutes=1), merge_intervals=1
        ),
    ),
)  # the default; a long span and little patience; a degraded track that closes before it is decided


CELLS: tuple[dict[str, Any], ...] = (
    {"endpoint": "one", "region": "r1", "provider": "p", "model": "a", "pathway": "rest", "location": "x"},
    {
        "endpoint": "one",
        "region": "r1",
        "provider": "p",
        "model": "a",
        "pathway": "realtime",
        "location": "x",
    },
    {"endpoint": "two", "region": "r1", "provider": "p", "model": "a", "pathway": "rest", "location": "x"},
    {"endpoint": "two", "region": None, "provider": "q", "model": "b", "pathway": "rest", "location": "y"},
    {"endpoint": "one", "region": "r1", "provider": "p", "model": "b", "pathway": "rest", "location": "y"},
)


@st.composite
def matrices(draw: st.DrawFn, *, most: int = 60, interval: bool = False, calm: int = 0) -> list[Outcome]:
    """The runs of up to four cells: stretches of verdicts, gaps, other configurations, odd spacings.

    With *interval* every run has an `every_s`, so that no median moves when runs are added. With
    *calm* there are stretches of up to that many passes between the troubles.
    """
    count = draw(st.integers(1, 4))
    runs: list[Outcome] = []
    hosts = draw(
        st.sampled_from(({}, {"one": "h:1", "two": "h:2"}, {"one": "h:1", "two": "h:1"}, {"two": "h:2"}))
    )
    for fields in draw(st.permutations(CELLS))[:count]:
        named = {**fields, "host": hosts.get(fields["endpoint"])}
        runs += draw(_cell_rows(named, most, interval=interval, calm=calm))
    return runs


@st.composite
def _cell_rows(
    draw: st.DrawFn, fields: dict[str, Any], most: int, *, interval: bool, calm: int
) -> list[Outcome]:
    every = draw(st.sampled_from((5, 20, 60, 300) if interval else (None, 5, 20, 60, 300)))
    steps = draw(st.sampled_from(((20, 60, 60, 60, 300, 7), (5, 10, 10, 10.4, 19.6), (60, 59.999, 200))))
    at = T0 + timedelta(seconds=draw(st.integers(0, 3)) * 20)
    configuration: str | None = "c1"
    runs: list[Outcome] = []
    while len(runs) < most and draw(st.integers(0, 12)):
        pattern = draw(st.sampled_from((".", "F", "F.", "C", "D", "?", "?F", "A", "D.F", ".....F")))
        length = draw(st.integers(1, 14))
        marks = (pattern * length)[:length]
        for mark in marks:
            runs.append(outcome(at, mark, configuration=configuration, every_s=every, **fields))
            at += timedelta(seconds=draw(st.sampled_from(steps)))
        if calm and draw(st.booleans()):
            for _ in range(draw(st.integers(15, calm))):
                runs.append(outcome(at, ".", configuration=configuration, every_s=every, **fields))
                at += timedelta(seconds=60)
        pause = draw(st.sampled_from((0, 0, 0, 200, 1000, 4000, 90_000)))
        at += timedelta(seconds=pause)
        if draw(st.integers(0, 5)) == 0:
            configuration = draw(st.sampled_from(("c1", "c2", None)))
    return runs[:most]
