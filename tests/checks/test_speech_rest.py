"""Azure AI Speech's uploads, driven by hand: statuses decide, not the HTTP status."""

from __future__ import annotations

import io
import json
import wave
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.conversation import Answer, End, Responded, Silent, Upload
from monitor.core.model import Blame, Failure, Stage, Verdict
from tests.support.scripted_peer import hold, judge, target

WORDS = "He might even have been made amiable himself."
SHORT = target("speech_rest", "azure_speech", endpoint={"api": "short"}, model="default")
FAST = target("speech_rest", "azure_speech", endpoint={"api": "fast"}, model="default")


def responded(body: Any, status: int = 200) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Responded(at=1.5, status=status, headers=(("apim-request-id", "apim-1"),), body=raw)


@pytest.mark.parametrize(
    "body",
    [
        {"RecognitionStatus": "Success", "DisplayText": WORDS, "Offset": 1300000, "Duration": "33600000"},
        {"RecognitionStatus": "Success", "NBest": [{"Confidence": 0.9, "Display": WORDS}, {"Display": "x"}]},
    ],
)
def test_short_audio_passes(body: Any) -> None:
    """The simple and the detailed format; the ids for support are kept."""
    finding, player = hold([responded(body)], SHORT)
    judged = judge(finding, SHORT)

    assert (judged.verdict, judged.timings_ms["final"]) == (Verdict.PASSED, 1500.0)
    assert dict(finding.ids) == {"apim_request_id": "apim-1", "client_request_id": "ours1"}
    upload = player.asks[0]
    assert isinstance(upload, Upload)
    assert ("Content-Type", "audio/wav; codecs=audio/pcm; samplerate=16000") in upload.headers
    with wave.open(io.BytesIO(upload.body)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)


def test_fast_transcription_passes() -> None:
    """Parts `audio` and `definition`; the combined phrases are the text."""
    body = {"durationMilliseconds": 3730, "combinedPhrases": [{"text": WORDS}], "phrases": []}
    finding, player = hold([responded(body)], FAST)

    assert judge(finding, FAST).verdict is Verdict.PASSED
    upload = player.asks[0]
    assert isinstance(upload, Upload)
    assert b'name="definition"\r\n\r\n{"locales": ["en-US"]}' in upload.body
    assert b'name="audio"; filename="probe.wav"' in upload.body


@pytest.mark.parametrize(
    ("status", "failure", "blame"),
    [
        ("NoMatch", Failure.QUALITY, Blame.PROVIDER),
        ("InitialSilenceTimeout", Failure.QUALITY, Blame.PROVIDER),
        ("BabbleTimeout", Failure.QUALITY, Blame.PROVIDER),
        ("Error", Failure.SERVER, Blame.PROVIDER),
        ("TooManyRequests", Failure.QUOTA, Blame.ACCOUNT),
        ("Forbidden", Failure.QUOTA, Blame.ACCOUNT),
        ("SomethingNew", Failure.UNKNOWN, Blame.UNKNOWN),
    ],
)
def test_a_success_without_recognition_is_a_failure(status: str, failure: Failure, blame: Blame) -> None:
    """HTTP 200 says nothing; the status is kept word for word."""
    finding, _ = hold([responded({"RecognitionStatus": status})], SHORT)
    judged = judge(finding, SHORT)
    assert (judged.verdict, judged.failure, judged.blame) == (Verdict.FAILED, failure, blame)
    assert (judged.code, judged.stage, judged.http_status) == (status, Stage.TRANSCRIBE, 200)


@pytest.mark.parametrize("status", ["NoMatch", "InitialSilenceTimeout"])
def test_of_silence_nothing_is_heard(status: str) -> None:
    """What would be a failure for words is right for none."""
    finding, _ = hold([responded({"RecognitionStatus": status})], SHORT, "silence")
    assert judge(finding, SHORT, "silence").verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("http", "body", "failure", "blame"),
    [
        (401, {"error": {"code": "401", "message": "Access denied"}}, Failure.AUTH, Blame.ACCOUNT),
        (403, b"", Failure.AUTH, Blame.ACCOUNT),  # the key or token is missing, says the page of the service
        (403, b"<html>Blocked by company policy</html>", Failure.UNKNOWN, Blame.UNKNOWN),
        (429, {"code": "TooManyRequests", "message": "Resource Exhausted"}, Failure.QUOTA, Blame.ACCOUNT),
        (400, {"code": "InvalidRequest", "message": "locale"}, Failure.CONFIG, Blame.ACCOUNT),
        (500, b"<html>oops</html>", Failure.SERVER, Blame.PROVIDER),
        (200, {"DisplayText": WORDS}, Failure.PROTOCOL, Blame.UNKNOWN),
        (200, b"{", Failure.PROTOCOL, Blame.UNKNOWN),
    ],
)
def test_errors_come_without_a_wrapper(http: int, body: Any, failure: Failure, blame: Blame) -> None:
    """`code` and `message` stand on the top level, or nothing can be read at all."""
    judged = judge(hold([responded(body, http)], FAST)[0], FAST)
    assert (judged.failure, judged.blame) == (failure, blame)


def test_silence_on_the_wire_is_the_providers() -> None:
    """No answer until the deadline."""
    finding, _ = hold([Silent(at=30.0)], SHORT)
    assert (finding.end, judge(finding, SHORT).failure) == (End.SILENT, Failure.SILENT)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(status=JSON, phrases=JSON, best=JSON)
def test_whatever_json_comes_the_run_ends_in_a_judgement(status: Any, phrases: Any, best: Any) -> None:
    """No shape raises anything."""
    body = {"RecognitionStatus": status, "combinedPhrases": phrases, "NBest": best, "DisplayText": best}
    assert judge(hold([responded(body)], FAST)[0], FAST).verdict in Verdict
