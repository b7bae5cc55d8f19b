"""From a finding to a judgement: verdict, failure, stage, first blame, and the words kept verbatim."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.classification.classify import (
    MEANING,
    TRANSCRIPT_BYTES,
    Judgement,
    classify,
    suspect_cache,
    timings_of,
)
from monitor.core.classification.failure_rules import FailureClass
from monitor.core.conversation import End, FaultKind, Finding, ProviderError
from monitor.core.model import Blame, Failure, Outcome, Stage, Verdict

TEXT = "He might even have been made amiable himself."
PASSED = Finding(
    stage=Stage.VERIFY,
    end=End.TEXT,
    transcript=TEXT,
    marks={"connect": 0.041, "created": 0.1, "ready": 0.18, "commit": 3.5, "first_text": 3.9, "final": 4.2},
    ids={"session_id": "sess_1"},
)
GENERIC = Finding(
    stage=Stage.TRANSCRIBE,
    end=End.ITEM_FAILED,
    error=ProviderError(type="server_error", message="Input transcription failed for item 'item_X' ."),
    marks={"created": 0.1, "ready": 0.2, "commit": 3.5},
)


def judged(finding: Finding, **more: Any) -> Judgement:
    return classify(finding, codes=more.pop("codes", {}), text=more.pop("text", TEXT), **more)


def test_the_right_words_in_time_pass() -> None:
    """A run that passed has no failure, no stage, no blame, and its times in milliseconds."""
    result = judged(PASSED)
    assert (result.verdict, result.failure, result.stage, result.blame) == (Verdict.PASSED, None, None, None)
    assert result.timings_ms == {"connect": 41.0, "ready": 180.0, "first_text": 400.0, "final": 700.0}
    assert (result.wer, result.completeness, result.transcript) == (0.0, 1.0, TEXT)


def test_the_message_of_the_provider_is_kept_verbatim() -> None:
    """White space and ids of the original stay; only its length is bounded."""
    result = judged(GENERIC)
    assert result.message == "Input transcription failed for item 'item_X' ."
    assert (result.type, result.code, result.rule) == ("server_error", None, 11)
    long = replace(GENERIC, error=ProviderError(message="é" * 5000))
    assert len((judged(long).message or "").encode()) <= 2048


@pytest.mark.parametrize(
    ("more", "verdict", "piece"),
    [
        ({"limit": timedelta(seconds=0.7)}, Verdict.PASSED, None),
        ({"limit": timedelta(seconds=0.6)}, Verdict.DEGRADED, "over the limit of 0.6 s"),
        ({"usual_ms": 233.4}, Verdict.PASSED, None),
        ({"usual_ms": 233.0}, Verdict.DEGRADED, "over 3 × the usual 0.2 s"),
        ({"usual_ms": 0.0}, Verdict.PASSED, None),
        ({"limit": timedelta(seconds=0.6), "usual_ms": 10.0}, Verdict.DEGRADED, "over the limit"),
    ],
)
def test_a_slow_run_is_degraded(more: dict[str, Any], verdict: Verdict, piece: str | None) -> None:
    """Over its limit, or over three times its usual time; exactly at the bound is still fine."""
    result = judged(PASSED, **more)
    assert result.verdict is verdict
    assert (result.message is None) if piece is None else (piece in (result.message or ""))
    assert (result.failure, result.blame) == (None, Blame.PROVIDER if piece else None)


def test_a_slow_run_with_wrong_words_has_both_reasons() -> None:
    """The words decide about failure; the time is told beside them."""
    wrong = replace(PASSED, transcript="He might even have been maid amiable yourself.")
    result = judged(wrong, limit=timedelta(seconds=0.1))
    assert (result.verdict, result.failure, result.stage) == (Verdict.DEGRADED, Failure.QUALITY, Stage.VERIFY)
    assert "word error rate 0.25" in (result.message or "")
    assert "over the limit" in (result.message or "")


@pytest.mark.parametrize(
    ("said", "verdict", "piece"),
    [
        ("He might even have been made amicable himself", Verdict.PASSED, None),
        ("He might even have been maid amiable yourself", Verdict.DEGRADED, "2 wrong"),
        ("He might even have", Verdict.FAILED, "4 missing"),
        ("", Verdict.FAILED, "no words came back, 8 were expected"),
        ("- . !", Verdict.FAILED, "no words came back"),
    ],
)
def test_words_decide(said: str, verdict: Verdict, piece: str | None) -> None:
    """Thresholds 0.15 and 0.40; nothing heard always fails."""
    result = judged(replace(PASSED, transcript=said))
    assert result.verdict is verdict
    assert result.message is None if piece is None else piece in (result.message or "")
    assert result.failure is (None if verdict is Verdict.PASSED else Failure.QUALITY)


def test_words_heard_in_silence_fail() -> None:
    """A clip without words must give none."""
    assert judged(replace(PASSED, transcript=""), text="").verdict is Verdict.PASSED
    invented = judged(replace(PASSED, transcript="Thank you."), text="")
    assert (invented.verdict, invented.failure) == (Verdict.FAILED, Failure.QUALITY)
    assert invented.message == "2 words were heard in silence"


@pytest.mark.parametrize("finding", [PASSED, GENERIC])
def test_a_stepped_clock_measures_nothing(finding: Finding) -> None:
    """Whatever else happened: no pass, no outage."""
    result = judged(finding, clock_stepped=True)
    assert (result.verdict, result.failure, result.blame) == (
        Verdict.INCONCLUSIVE,
        Failure.MONITOR,
        Blame.MONITOR,
    )


@pytest.mark.parametrize("stage", list(Stage))
def test_our_own_side_is_never_somebody_elses_downtime(stage: Stage) -> None:
    """A missing secret or descriptor is inconclusive at any stage, also in mid-session."""
    marks = {"created": 0.1}
    finding = Finding(
        stage=stage, end=End.FAULT, fault=FaultKind.MONITOR, detail="no descriptor", marks=marks
    )
    result = judged(finding)
    assert (result.verdict, result.blame, result.message) == (
        Verdict.INCONCLUSIVE,
        Blame.MONITOR,
        "no descriptor",
    )


def test_a_timeout_in_mid_session_is_silence() -> None:
    """The transport may report a watchdog of its own as a fault."""
    marks = {"created": 0.1}
    late = Finding(stage=Stage.TRANSCRIBE, end=End.FAULT, fault=FaultKind.TIMEOUT, marks=marks)
    assert (judged(late).failure, judged(late).rule) == (Failure.SILENT, 13)


def test_a_lowered_limit_is_the_providers_capacity() -> None:
    """A 429 under a limit that is lower than the configured one is not our quota."""
    headers = (("X-RateLimit-Limit-Tokens", "500"),)
    limited = Finding(stage=Stage.TRANSCRIBE, end=End.ERROR, http_status=429, headers=headers)
    assert judged(limited, token_limit=1000).failure is Failure.CAPACITY
    assert judged(limited, token_limit=500).failure is Failure.QUOTA
    assert judged(limited).failure is Failure.QUOTA
    odd = replace(limited, headers=(("x-ratelimit-limit-tokens", "9" * 5000),))
    assert judged(odd, token_limit=1000).failure is Failure.QUOTA


def test_a_providers_own_codes_go_first() -> None:
    """What a vendor's data says about a code is more exact than the common table."""
    odd = replace(GENERIC, error=ProviderError(type="server_error", code="Model_Load_Error"))
    assert judged(odd, codes={"model_load_error": FailureClass.CAPACITY}).failure is Failure.CAPACITY


def test_text_before_the_commit_counts_as_no_wait() -> None:
    """Streaming models speak while they listen; a time is never negative."""
    early = replace(PASSED, marks={**PASSED.marks, "first_text": 1.0})
    assert timings_of(early)["first_text"] == 0.0
    assert timings_of(replace(PASSED, marks={})) == dict.fromkeys(("connect", "ready", "first_text", "final"))


def test_a_judgement_fills_an_outcome() -> None:
    """Every field but the rule's number has its place in an outcome."""
    now = datetime(2025, 11, 17, 8, 30, tzinfo=UTC)
    outcome = Outcome(
        id="1",
        endpoint="e",
        model="m",
        pathway="rest",
        slot=now,
        started_at=now,
        finished_at=now,
        **judged(GENERIC).outcome_fields(),
    )
    assert (outcome.failure, outcome.stage, outcome.blame) == (
        Failure.SERVER,
        Stage.TRANSCRIBE,
        Blame.PROVIDER,
    )


def test_every_class_has_its_meaning() -> None:
    """What is our own side is inconclusive, and nothing else is."""
    assert set(MEANING) == set(FailureClass)
    for _, verdict, blame in MEANING.values():
        assert (verdict is Verdict.INCONCLUSIVE) is (blame is Blame.MONITOR)


TEXTS = st.none() | st.text(max_size=60)
ERRORS = st.none() | st.builds(ProviderError, type=TEXTS, code=TEXTS, message=TEXTS, param=TEXTS)
FINDINGS = st.builds(
    Finding,
    stage=st.sampled_from(Stage),
    end=st.sampled_from(End),
    url=TEXTS,
    transcript=TEXTS,
    error=ERRORS,
    http_status=st.none() | st.integers(-1, 1000),
    headers=st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=3),
    close_code=st.none() | st.integers(-1, 5000),
    close_reason=TEXTS,
    fault=st.none() | st.sampled_from(FaultKind),
    detail=TEXTS,
    marks=st.dictionaries(st.sampled_from(["created", "ready", "commit", "final"]), st.floats(0, 60)),
    ids=st.dictionaries(st.sampled_from(["item_id", "event_id"]), TEXTS),
)


@settings(deadline=None)
@given(FINDINGS, st.booleans())
def test_any_finding_has_a_judgement(finding: Finding, stepped: bool) -> None:  # noqa: FBT001
    """Failed and inconclusive runs name failure, stage and blame; everything kept is bounded."""
    result = judged(finding, clock_stepped=stepped)
    explained = (result.failure, result.stage, result.blame)
    if result.verdict in (Verdict.FAILED, Verdict.INCONCLUSIVE):
        assert None not in explained
    if result.verdict is Verdict.PASSED:
        assert explained == (None, None, None)
    assert len((result.transcript or "").encode()) <= TRANSCRIPT_BYTES
    assert {each.name for each in fields(result)} - {"rule"} == set(result.outcome_fields())


OTHERS = {"respectable": "Had he married a more amiable woman", "silence": ""}


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("had he married a more amiable woman.", True),
        ("something else altogether was said", False),
        ("", False),
        (TEXT, False),
    ],
)
def test_the_words_of_another_clip_are_called_by_their_name(said: str, named: bool) -> None:  # noqa: FBT001
    """Wrong words that are right for another clip point at a cache; nothing else of it changes."""
    plain = judged(replace(PASSED, transcript=said))
    told = suspect_cache(plain, OTHERS, "en")
    assert ("the words of the clip 'respectable', out of a cache" in (told.message or "")) is named
    assert replace(told, message=None) == replace(plain, message=None)
    assert named or told.message == plain.message
    assert not named or told.failure is Failure.QUALITY


def test_words_of_another_clip_in_silence_are_named_too() -> None:
    """Silence is a clip like any other in a rotation."""
    plain = judged(PASSED, text="")
    assert "clip 'amiable'" in (suspect_cache(plain, {"amiable": TEXT}, None).message or "")


def test_drift_is_kept_with_the_outcome() -> None:
    """What the session says of itself against what was asked, whatever the verdict; other notes are not."""
    told: dict[str, Any] = {
        "drift": ("the session hears 16000 Hz, 24000 Hz is sent",),
        "notes": ("committed came without an item_id", "drift: a server's own words"),
    }
    for finding in (replace(PASSED, **told), replace(GENERIC, **told)):
        result = judged(finding)
        assert result.extra == {"drift": ["the session hears 16000 Hz, 24000 Hz is sent"]}
        assert result.outcome_fields()["extra"] == result.extra
    assert judged(PASSED).extra == {}
