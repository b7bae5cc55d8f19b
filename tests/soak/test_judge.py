"""The judge itself: what is as planted passes, and each planted fault of the product is caught."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.soak.judge import Judge, Opinion, Run, Stored, degraded_at, down_at
from tests.soak.planted import Disturbance, Facts, Gauge, Heard, Planted, Promise, Sample

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
FAILING, HEALTHY = "a/m/rest", "b/m/rest"
EVERY = timedelta(minutes=5)
BEGUN, ENDED = START + timedelta(minutes=61), START + timedelta(minutes=121)


def at(minutes: float) -> datetime:
    """So long after the start."""
    return START + timedelta(minutes=minutes)


def runs(bad_from: datetime | None = None, bad_until: datetime | None = None) -> list[Run]:
    """Four hours of runs every five minutes, failed ones between the two, each minute there."""
    found = []
    moment = START
    while moment < START + timedelta(hours=4):
        bad = bad_from is not None and bad_until is not None and bad_from <= moment < bad_until
        verdict = "failed" if bad else "passed"
        end = moment + timedelta(seconds=3)
        kind = "scheduled" if (moment - START) % EVERY == timedelta(0) else "confirming"
        found.append(Run(slot=moment, start=moment, end=end, kind=kind, verdict=verdict))
        near = bad_from is not None and bad_until is not None and bad_from <= moment < bad_until + EVERY
        moment += timedelta(minutes=1) if near else EVERY
    return found


def planted(**more: Any) -> Planted:
    """An outage of one target for an hour."""
    known: dict[str, Any] = {
        "id": 1,
        "kind": "cell",
        "how": "server",
        "targets": (FAILING,),
        "start": BEGUN,
        "end": ENDED,
        "scope": {"endpoint": "a"},
        "blame": "provider",
    }
    return Planted(**{**known, **more})


def said(kind: str, when: datetime, **more: Any) -> Heard:
    """A notice."""
    data: dict[str, Any] = {
        "incident": 1,
        "title": "Down: a",
        "state": "down",
        "affected": [FAILING],
        "affected_total": 1,
        "unaffected": [{"target": HEALTHY}],
        "start": _text(at(65)),
    }
    body = {"type": f"incident.{kind}", "timestamp": _text(when), "data": {**data, **more}}
    return Heard(channel="oncall", at=when, body=body)


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"


def incident(**more: Any) -> dict[str, Any]:
    """A row of the table of incidents."""
    document = {"affected": [FAILING], "scope": [{"endpoint": "a"}], "ambiguous": False, "windows": []}
    document |= more.pop("document", {})
    milliseconds = {"start": at(65), "end": at(122)} | {
        key: more.pop(key) for key in ("start", "end") if key in more
    }
    row = {"number": 1, "phase": "resolved", "blame": "provider", "kind": "outage", **more}
    row |= {key: value and int(value.timestamp() * 1000) for key, value in milliseconds.items()}
    return {**row, "document": json.dumps(document)}


def window(**more: Any) -> dict[str, Any]:
    """The window of the outage in the incident's document, its runs one a minute."""
    known = {"target": FAILING, "state": "down", "start": _text(at(65)), "end": _text(at(122)), "failed": 57}
    return {**known, **more}


def target(key: str, state: str) -> dict[str, Any]:
    """A target as the API shows it."""
    return {"target": key, "state": state, "watched": True}


def shown(**more: Any) -> dict[str, Any]:
    """The incident as the API shows it while it is open."""
    known = {
        "number": 1,
        "phase": "open",
        "start": _text(at(65)),
        "end": None,
        "blame": "provider",
        "affected": [FAILING],
        "scope": [{"endpoint": "a"}],
        "title": "a down",
    }
    return {**known, **more}


def sample(**more: Any) -> Sample:
    """The middle of the outage, every side agreeing."""
    ticket = f"failing since {at(65):%H:%M:%S}"
    known: dict[str, Any] = {
        "at": at(100),
        "api": [shown()],
        "page": [1],
        "tickets": {1: ticket},
        "targets": [],
        "replay": {"incidents": [shown()]},
    }
    return Sample(**{**known, **more})


GOOD: Sequence[Heard] = (
    said("opened", at(66.5)),
    said("recovering", at(124), state="recovering"),
    said("resolved", at(165), state="resolved"),
)


def opinion(
    *,
    heard: Sequence[Heard] = GOOD,
    row: Mapping[str, Any] | None = None,
    troubles: Sequence[Planted] | None = None,
    failing: list[Run] | None = None,
    healthy: list[Run] | None = None,
    samples: Sequence[Sample] | None = None,
    gauges: Sequence[Gauge] = (),
    disturbances: Sequence[Disturbance] = (),
) -> Opinion:
    """What the judge says of a product that did as planted, but for what is given."""
    stored = Stored()
    stored.runs[FAILING] = runs(at(65), at(122)) if failing is None else failing
    stored.runs[HEALTHY] = runs() if healthy is None else healthy
    stored.facets = {
        key: dict(zip(("endpoint", "model", "pathway"), key.split("/"), strict=True)) for key in stored.runs
    }
    stored.incidents = {1: dict(row or incident())}
    promise = Promise(
        every=EVERY,
        timeout=timedelta(seconds=30),
        confirmed=timedelta(minutes=6),
        silent=timedelta(minutes=6),
        unconfirmed=timedelta(minutes=15),
    )
    facts = Facts(
        seed=1,
        start=START,
        end=START + timedelta(hours=4),
        planted=[planted()] if troubles is None else troubles,
        promises={FAILING: promise, HEALTHY: promise},
        heard=heard,
        samples=[sample()] if samples is None else samples,
        gauges=gauges,
        disturbances=disturbances,
    )
    return Judge(facts, stored).judge()


def kinds(found: Opinion) -> set[str]:
    """What differs."""
    return {one.what for one in found.differences}


def test_what_is_as_planted_and_promised_passes() -> None:
    """One outage, told in time, rightly, once: found, and no difference."""
    right = [target(FAILING, "down"), target(HEALTHY, "up")]
    row = incident(document={"windows": [window()]})
    found = opinion(row=row, samples=[sample(targets=right)])
    assert (found.planted, found.found, found.late, found.false) == (1, 1, 0, 0)
    assert [one.line() for one in found.differences] == []


@pytest.mark.parametrize(
    ("what", "doctored"),
    [
        ("missed", {"heard": ()}),
        ("late", {"heard": [said("opened", at(75)), *GOOD[1:]]}),
        ("withdrawn", {"heard": [*GOOD, said("resolved", at(170), title="Withdrawn: a")]}),
        ("invented", {"heard": [*GOOD, said("opened", at(20), incident=2, start=_text(at(19)))]}),
        ("split", {"heard": [*GOOD, said("opened", at(70), incident=2)]}),
        ("lingers", {"heard": [*GOOD, said("updated", at(400), state="recovering")]}),
        ("control", {"healthy": runs(at(60), at(130))}),
        ("control", {"healthy": [run for run in runs() if run.start < at(65)]}),
        ("edge", {"row": incident(start=at(80))}),
        ("edge", {"row": incident(end=at(140))}),
        ("edge", {"row": incident(start=at(40))}),
        ("blame", {"row": incident(blame="account")}),
        ("scope", {"row": incident(document={"affected": [FAILING, HEALTHY]})}),
        ("scope", {"row": incident(document={"affected": [HEALTHY]})}),
        ("scope", {"row": incident(document={"scope": [{"model": "m"}]})}),
        ("slots", {"healthy": [run for run in runs() if not at(30) < run.start < at(50)]}),
        ("state", {"heard": [said("opened", at(66.5), state="degraded"), *GOOD[1:]]}),
        ("count", {"row": incident(document={"windows": [window(failed=3)]})}),
        ("shown", {"samples": [sample(targets=[target(FAILING, "unknown")])]}),
        ("shown", {"samples": [sample(targets=[target(HEALTHY, "degraded")])]}),
        ("page", {"samples": [sample(page=[])]}),
        ("ticket", {"samples": [sample(tickets={1: "failing since 07:00:00"})]}),
        ("notice", {"samples": [sample(api=[shown(affected=[FAILING, HEALTHY])], replay=None)]}),
        ("replay", {"samples": [sample(replay={"incidents": []})]}),
        ("replay", {"samples": [sample(replay={"incidents": [shown(blame="account")]})]}),
        ("false", {"troubles": [planted(start=at(65), end=at(65.3))], "failing": runs()}),
        ("invented", {"troubles": [planted(hidden=True)]}),
    ],
)  # fmt: skip
def test_each_fault_is_caught(what: str, doctored: Mapping[str, Any]) -> None:
    """A product that does this wrong is told so, by that name."""
    assert what in kinds(opinion(**doctored))


def test_growth_is_caught() -> None:
    """Memory and descriptors that grow from one third to the next are differences."""
    steady = [Gauge(at=at(n), resident=100_000_000, descriptors=20) for n in range(30)]
    growing = [Gauge(at=at(n), resident=100_000_000 + n * 5_000_000, descriptors=20 + n) for n in range(30)]
    assert kinds(opinion(gauges=steady)) == set()
    assert kinds(opinion(gauges=growing)) == {"memory", "descriptors"}


def test_a_disturbance_gives_time() -> None:
    """What was announced after the service had been away is not late by what it was away."""
    away = Disturbance(what="kill", start=at(62), end=at(70))
    assert kinds(opinion(heard=[said("opened", at(75)), *GOOD[1:]], disturbances=[away])) == set()


@pytest.mark.parametrize(
    ("verdicts", "opens"),
    [("ppfff", True), ("ppffp", False), ("fpfpf", True), ("fppfp", False), ("iififf", True), ("ff", False)],
)
def test_the_rule_is_read_from_its_definition(verdicts: str, opens: bool) -> None:  # noqa: FBT001
    """Three bad of the last five conclusive runs, a minute apart, the latest among them."""
    names = {"p": "passed", "f": "failed", "i": "inconclusive"}
    told = [
        Run(slot=at(n), start=at(n), end=at(n), kind="scheduled", verdict=names[letter])
        for n, letter in enumerate(verdicts)
    ]
    assert (down_at(told) is not None) is opens
    assert degraded_at(told) is None


@pytest.mark.parametrize("name", ["judge.py", "planted.py"])
def test_the_judge_shares_no_code_with_the_product(name: str) -> None:
    """It imports the standard library and the plain data of the plan, nothing of `monitor`."""
    tree = ast.parse(Path(__file__).with_name(name).read_text())
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else alias.name) or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    ours = {module for module in imported if module.startswith(("tests", "monitor"))}
    assert ours <= {"tests.soak.planted"}
