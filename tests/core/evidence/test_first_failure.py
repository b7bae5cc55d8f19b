"""What differs between the last good and the first bad run is told, and what always differs is not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from monitor.core.evidence.bundle_facts import QuotedRun, Role
from monitor.core.evidence.first_failure import Contrast, contrast
from tests.support.sample_bundle_facts import exhibits

BAD = exhibits()[0]
GOOD = next(one for one in exhibits() if one.role is Role.LAST_PASSED)


def told(exhibit: QuotedRun, *frames: object, headers: object = (), **more: Any) -> QuotedRun:
    """The exhibit with an evidence document of these headers and incoming session frames."""
    bodies = [
        {"dir": "in", "type": "session.updated", "body": body if isinstance(body, str) else json.dumps(body)}
        for body in frames
    ]
    return replace(exhibit, evidence={"response_headers": headers, "frames": bodies, **more})


def test_headers_region_models_and_peer_are_compared() -> None:
    """A changed region, model or address is named with both values; what is equal is counted as such."""
    ga = {"session": {"model": "rt-host", "audio": {"input": {"transcription": {"model": "stt-prod"}}}}}
    beta = {"session": {"model": "rt-host", "input_audio_transcription": {"model": "stt-next"}}}
    good = told(
        GOOD, ga, headers=[["X-MS-Region", "Sweden Central"], ["server", "a"]], peer="10.0.0.1:443",
        response_status=101,
    )  # fmt: skip
    bad = told(
        BAD, beta, headers=[["x-ms-region", "West Europe"], ["server", "a"]], peer="10.0.0.2:443",
        response_status=101,
    )  # fmt: skip
    found = contrast(good, bad)
    assert [(one.name, one.good, one.bad) for one in found.differing] == [
        ("peer", "10.0.0.1", "10.0.0.2"),
        ("transcription model", "stt-prod", "stt-next"),
        ("header x-ms-region", "Sweden Central", "West Europe"),
    ]
    assert set(found.same) >= {"status", "session model", "header server"}
    assert found.sentence().startswith("The same in both: ")


def test_what_differs_in_every_run_is_no_news() -> None:
    """Ids, dates, what is left of a quota and values that were not kept never count as a change."""
    noisy = ("date", "apim-request-id", "x-request-id", "x-ratelimit-remaining-requests", "cf-ray",
             "openai-processing-ms", "x-envoy-upstream-service-time", "sec-websocket-accept",
             "azureml-model-session", "content-length", "set-cookie", "connection")  # fmt: skip
    good = told(GOOD, headers=[[name, "1"] for name in noisy] + [["report-to", "[12 characters]"]])
    bad = told(BAD, headers=[[name, "2"] for name in noisy] + [["report-to", "[14 characters]"]])
    assert contrast(good, bad).differing == ()
    assert contrast(good, bad).sentence().startswith("No difference in what the server answered")


def test_a_fact_of_one_run_only_is_a_difference() -> None:
    """A header that is gone, or new, stands beside a dash."""
    found = contrast(told(GOOD, headers=[["x-served-by", "a"]]), told(BAD, headers=[["retry-after", "7"]]))
    assert found.differing == (
        Contrast(name="header x-served-by", good="a", bad="–"),
        Contrast(name="header retry-after", good="–", bad="7"),
    )


def test_times_stand_beside_each_other() -> None:
    """How long each stage took is told for both runs, with a dash where it was not reached."""
    good = replace(GOOD, outcome=replace(GOOD.outcome, timings_ms={"ready": 180.0, "first_text": 402.0}))
    bad = replace(BAD, outcome=replace(BAD.outcome, timings_ms={"ready": 2180.0, "first_text": None}))
    assert contrast(good, bad).timings == (
        Contrast(name="ready", good="180 ms", bad="2.18 s"),
        Contrast(name="first text", good="402 ms", bad="–"),
    )


def test_hostile_sessions_are_passed_over() -> None:
    """Whatever a peer sends as its session, the comparison stands."""
    hostile = (
        "nonsense",
        "[]",
        "[" * 5000,
        '{"session": 1}',
        '{"session": {"model": {"a": 1}, "audio": []}}',
    )
    bad = told(BAD, *hostile, headers=[["x-served-by", "<script>" * 50]])
    found = contrast(told(GOOD), bad)
    assert all(len(one.bad) <= 120 for one in found.differing)
    assert "model" not in " ".join(one.name for one in found.differing)


def test_frames_of_another_kind_say_nothing_of_the_session() -> None:
    """What we sent, what was cut and what is no session is not read."""
    session = json.dumps({"session": {"model": "x"}})
    frames = [
        {"dir": "out", "type": "session.update", "body": session},
        {"dir": "in", "type": "session.updated", "body": session, "truncated": True},
        {"dir": "in", "type": "error", "body": session},
        {"dir": "in", "type": "session.updated", "body": None},
    ]
    bad = replace(BAD, evidence={"frames": frames})
    assert "session model" not in contrast(bad, bad).same


def test_without_evidence_nothing_is_claimed() -> None:
    """A run whose evidence is gone is compared by nothing, and the sentence says so."""
    bare = replace(GOOD, evidence=None)
    found = contrast(bare, replace(BAD, evidence=None))
    assert (found.differing, found.same) == ((), ())
    assert found.sentence() == "No other fact of both runs can be compared."
    alone = contrast(bare, told(replace(BAD, outcome=replace(BAD.outcome, configuration=None)), peer="a:1"))
    assert alone.sentence() == "No other fact of both runs can be compared."
