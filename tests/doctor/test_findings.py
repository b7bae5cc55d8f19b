"""A check-up in words: stages, certificates, keys, clocks, remedies, and which exit code they make."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.core.classification.remedies import REMEDIES
from monitor.core.model import Deployment, Endpoint, Failure, Stage, Target, Verdict
from monitor.doctor.findings import (
    DoctorFinding,
    Level,
    Reached,
    cheapest,
    exit_code,
    first_answer,
    of_host,
    of_run,
    render,
    to_json,
    unique,
)
from tests.support.outcomes import T0, outcome

NOW = datetime(2025, 11, 17, 8, 30, tzinfo=UTC)
ENDPOINT = Endpoint(name="azure", provider="azure_openai", url="https://contoso.test")


def target(model: str = "gpt-4o-transcribe", pathway: str = "rest", host: str | None = None) -> Target:
    """A target of the one endpoint."""
    return Target(endpoint=ENDPOINT, model=model, pathway=pathway, session_model=host)


def remark(level: Level, area: str = "azure", subject: str = "x") -> DoctorFinding:
    """A remark of that level."""
    return DoctorFinding(area=area, subject=subject, level=level, said="something", remedy="do it")


@pytest.mark.parametrize(
    ("levels", "code"),
    [
        ([], 0),
        ([Level.FINE, Level.NOTE], 0),
        ([Level.FINE, Level.PROBLEM], 1),
        ([Level.PROBLEM, Level.FAULT], 2),
    ],
)
def test_the_worst_remark_decides_the_exit_code(levels: list[Level], code: int) -> None:
    """Notes break nothing; a fault of our own outweighs a target's problem."""
    assert exit_code(remark(level) for level in levels) == code


def test_every_deployment_and_host_is_asked_once_by_the_cheapest_pathway() -> None:
    """REST goes before a session; a session is held only where its host is not asked otherwise."""
    all_of_them = [
        target(pathway="realtime", host="rt"),
        target(),
        target("whisper-1", "realtime", "rt"),
        target("whisper-1"),
        target("gpt-live", "realtime_transcription"),
    ]
    assert [one.key for one in cheapest(all_of_them)] == [
        "azure/gpt-4o-transcribe/rest",
        "azure/whisper-1/rest",
        "azure/gpt-live/realtime_transcription",
        "azure/gpt-4o-transcribe/realtime",
    ]


def test_a_deployment_under_two_names_is_asked_under_both() -> None:
    """What counts is what the provider is asked for."""
    named = Deployment(model="whisper-1", name="whisper-1", names={"rest": "whisper"})
    endpoint = replace(ENDPOINT, deployments={"whisper-1": named})
    both = [
        Target(endpoint=endpoint, model="whisper-1", pathway=pathway)
        for pathway in ("rest", "realtime_transcription")
    ]
    assert len(cheapest(both)) == 2


def reached(stage: Stage, failure: Failure | None = None, **more: Any) -> Reached:
    """How far the one host was reached."""
    return Reached(
        host="contoso.test", stage=stage, seconds=0.04, failure=failure, **{"detail": "why", **more}
    )


@pytest.mark.parametrize(
    ("stage", "failure", "said"),
    [
        (Stage.RESOLVE, Failure.DNS, ["DNS fails: why"]),
        (Stage.CONNECT, Failure.CONNECT, ["DNS: fine", "TCP fails: why"]),
        (Stage.TLS, Failure.TLS, ["DNS, TCP: fine", "TLS fails: why"]),
    ],
)
def test_what_works_is_told_beside_what_does_not(stage: Stage, failure: Failure, said: list[str]) -> None:
    """Each stage by its name, the failing one with the remedy that the failure has everywhere."""
    told = list(of_host("azure", reached(stage, failure), NOW))
    assert [one.said for one in told] == said
    assert (told[-1].level, told[-1].remedy) == (Level.PROBLEM, REMEDIES[failure].do)


def test_a_fault_of_our_own_is_no_problem_of_the_host() -> None:
    """A proxy that refuses, or no descriptor, is ours."""
    told = list(of_host("azure", reached(Stage.CONNECT, Failure.MONITOR), NOW))
    assert exit_code(told) == 2


def test_a_proxy_that_refuses_is_where_the_remedy_points() -> None:
    """Not at the monitor's log, in which nothing more stands."""
    refused = reached(Stage.CONNECT, Failure.MONITOR, detail="the proxy: refused", by_proxy=True)
    assert str(list(of_host("azure", refused, NOW))[-1].remedy).startswith("Look at proxy in [network]")


@pytest.mark.parametrize(("days", "level"), [(90, Level.FINE), (5, Level.NOTE)])
def test_the_days_that_a_certificate_has_left(days: int, level: Level) -> None:
    """Worth a word once it should have been renewed."""
    there = reached(Stage.TLS, tls="TLSv1.3", certificate_ends=NOW + timedelta(days=days, hours=1))
    first, certificate = of_host("azure", there, NOW)
    assert first.said == "DNS, TCP, TLS: fine in 40 ms"
    assert certificate.said == f"TLSv1.3, the certificate is valid for {days} more days"
    assert certificate.level is level


def document(at: float = 0.25, date: str = "Mon, 17 Nov 2025 08:30:12 GMT") -> dict[str, Any]:
    """The evidence of a run."""
    return {
        "started_at": "2025-11-17T08:30:10Z",
        "finished_at": "2025-11-17T08:30:12Z",
        "response_headers": [["date", date]],
        "frames": [{"dir": "out", "at": 0.1}, {"dir": "in", "at": at}, {"dir": "in", "at": 1.0}],
    }


def test_a_run_that_passed_proves_key_deployment_and_clock() -> None:
    """With the time to the first answer."""
    told = list(of_run(target(), outcome(T0), document()))
    assert {one.level for one in told} == {Level.FINE}
    assert [one.subject for one in told] == [
        "authentication",
        "gpt-4o-transcribe by rest",
        "gpt-4o-transcribe by rest",
        "clock",
    ]
    assert first_answer(document()) == 250
    assert first_answer({}) is None


def test_a_refused_key_is_told_as_such() -> None:
    """One problem, of authentication, with the remedy; nothing is said to be accepted."""
    refused = outcome(T0, "A", type="invalid_request_error", message="Access denied", stage=Stage.HANDSHAKE)
    (told,) = of_run(target(), refused, None)
    assert (told.subject, told.level) == ("authentication", Level.PROBLEM)
    assert told.said == "auth at handshake: invalid_request_error, Access denied"
    assert told.remedy == REMEDIES[Failure.AUTH].do


def test_a_missing_deployment_leaves_the_key_accepted() -> None:
    """The provider answered about the deployment, so it took the key."""
    missing = replace(outcome(T0, "F"), failure=Failure.CONFIG, code="DeploymentNotFound")
    key, problem = of_run(target(), missing, None)
    assert (key.level, problem.level) == (Level.FINE, Level.PROBLEM)
    assert "DeploymentNotFound" in problem.said


def test_a_run_that_measured_nothing_is_our_fault() -> None:
    """And proves nothing about the key."""
    (told,) = of_run(target(), outcome(T0, "?", message="no secret"), None)
    assert told.level is Level.FAULT


def test_slow_words_and_a_wrong_clock_are_notes() -> None:
    """Nothing is broken, both have a remedy."""
    late = replace(outcome(T0), verdict=Verdict.DEGRADED)
    told = list(of_run(target(), late, document(date="Mon, 17 Nov 2025 08:20:12 GMT")))
    notes = [one for one in told if one.level is Level.NOTE]
    assert len(notes) == 2
    assert all(one.remedy for one in notes)
    assert "ahead of the server's" in notes[1].said


def test_remarks_are_told_once_and_by_area() -> None:
    """Repetitions go, each area's remarks stand together in the order of first mention."""
    told = [remark(Level.FINE, "monitor"), remark(Level.NOTE, "b"), remark(Level.FINE, "monitor", "y")]
    found = unique([*told, told[1]])
    assert [one.area for one in found] == ["monitor", "monitor", "b"]
    assert render(found).splitlines() == [
        "monitor",
        "  ok    x: something",
        "        do it",
        "  ok    y: something",
        "        do it",
        "b",
        "  note  x: something",
        "        do it",
    ]
    shown = to_json(found, NOW)
    assert (shown["schema"], shown["exit_code"], shown["at"]) == (
        "earwitness.doctor/1",
        0,
        "2025-11-17T08:30:00Z",
    )
    assert shown["remarks"][2]["level"] == "note"
