"""The REST pathway, driven by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.checks.rest import LONGEST_TRANSCRIPT
from monitor.core.conversation import Answer, End, Fault, FaultKind, Headers, Responded, Silent, Upload
from monitor.core.model import Blame, Deployment, Failure, Stage, Verdict
from tests.support.realtime_events import WORDS, opened
from tests.support.scripted_peer import hold, judge, target

REST = target("rest")


def responded(body: Any, status: int = 200, headers: Headers = (), *, truncated: bool = False) -> Responded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Responded(at=1.5, status=status, headers=headers, body=raw, truncated=truncated)


def test_the_right_words_pass() -> None:
    """One upload, one answer, no second try; the time counts from the start of the upload."""
    finding, player = hold([responded({"text": WORDS, "usage": None})], REST)
    judged = judge(finding, REST)

    assert (finding.end, finding.stage, finding.transcript) == (End.TEXT, Stage.VERIFY, WORDS)
    assert (judged.verdict, judged.wer, judged.timings_ms["final"]) == (Verdict.PASSED, 0.0, 1500.0)
    assert len(player.asks) == 1


def test_the_upload_is_what_the_provider_spells() -> None:
    """Address, headers, credential and form come from the provider, the body from the clip."""
    azure = target(
        "rest",
        "azure_openai",
        endpoint={"api": "dated", "api_version": "2025-03-01-preview", "send_model": False},
        deployments={"gpt-4o-transcribe": Deployment(model="gpt-4o-transcribe", name="stt-prod")},
    )
    _, player = hold([responded({"text": WORDS})], azure)
    upload = player.asks[0]

    assert isinstance(upload, Upload)
    assert upload.url == (
        "https://contoso.openai.azure.com/openai/deployments/stt-prod/audio/transcriptions"
        "?api-version=2025-03-01-preview"
    )
    assert ("x-ms-client-request-id", "ours-1") in upload.headers
    assert upload.credential is not None
    assert upload.credential.header == "api-key"
    assert b'name="model"' not in upload.body
    assert b'filename="probe.wav"' in upload.body
    assert upload.until == 30


def test_the_same_clip_and_form_give_the_same_body() -> None:
    """Nothing is encoded twice: the very same bytes are sent by every run of a target."""
    bodies = [hold([responded({"text": WORDS})], REST)[1].asks[0] for _ in range(2)]
    first, second = (ask.body for ask in bodies if isinstance(ask, Upload))
    assert first is second


@pytest.mark.parametrize(
    ("body", "piece"),
    [
        (b"", "empty body"),
        (b"<html><body>Welcome to our hotel network</body></html>", "hotel network"),
        (b'{"text": "He might even', "He might"),
        (b"null", "no text"),
        (b"[]", "no text"),
        (b'"He might even"', "no text"),
        (b'{"text": null}', "no text"),
        (b'{"text": ["a"]}', "no text"),
        (b"[" * 100_000, "[[["),
        (b'{"text": "data: {\\"type\\": \\"transcript.text.delta\\"}"}', "event stream"),
        (b"\xff\xfe\x00", "without JSON"),
    ],
)
def test_a_success_that_is_no_transcript_is_not_understood(body: bytes, piece: str) -> None:
    """Status 200 alone is no success: pages, fragments and raw streams are protocol failures."""
    finding, _ = hold([responded(body)], REST)
    judged = judge(finding, REST)

    assert finding.end is End.MALFORMED
    assert piece in (finding.detail or "")
    assert (judged.failure, judged.stage, judged.blame) == (
        Failure.PROTOCOL,
        Stage.TRANSCRIBE,
        Blame.UNKNOWN,
    )


def test_an_error_with_status_200_is_an_error() -> None:
    """OpenAI was seen to answer 200 with an `error` object."""
    error = {"type": "server_error", "message": "The server had an error", "code": None, "param": None}
    finding, _ = hold([responded({"error": error})], REST)

    assert (finding.end, finding.http_status) == (End.ERROR, 200)
    assert judge(finding, REST).failure is Failure.SERVER


def test_a_redirect_is_not_followed() -> None:
    """A redirect is an answer that we do not understand, not another address to send the key to."""
    finding, player = hold([responded(b"", 302, (("Location", "https://elsewhere.test"),))], REST)

    assert (finding.end, finding.http_status) == (End.ERROR, 302)
    assert judge(finding, REST).failure is Failure.UNKNOWN
    assert len(player.asks) == 1


def test_an_answer_longer_than_the_bound_is_not_understood() -> None:
    """What was cut off is not judged as if it were whole."""
    finding, _ = hold([responded({"text": WORDS}, truncated=True)], REST)
    assert finding.end is End.MALFORMED


def test_an_endless_transcript_is_cut() -> None:
    """Memory is bounded, and the words are wrong anyway."""
    finding, _ = hold([responded({"text": "he might " * 100_000})], REST)

    assert len(finding.transcript or "") == LONGEST_TRANSCRIPT
    assert judge(finding, REST).failure is Failure.QUALITY


@pytest.mark.parametrize(
    ("answer", "failure", "stage", "blame"),
    [
        (Silent(at=30.0), Failure.SILENT, Stage.TRANSCRIBE, Blame.PROVIDER),
        (Silent(at=30.0, stage=Stage.SEND), Failure.SILENT, Stage.SEND, Blame.PROVIDER),
        (Silent(at=30.0, stage=Stage.RESPOND), Failure.SILENT, Stage.RESPOND, Blame.PROVIDER),
        (Fault(at=1, stage=Stage.RESOLVE, kind=FaultKind.NAME, detail=""), "dns", "resolve", "unknown"),
        (
            Fault(at=1, stage=Stage.CONNECT, kind=FaultKind.REFUSED, detail=""),
            "connect",
            "connect",
            "unknown",
        ),
        (Fault(at=1, stage=Stage.TLS, kind=FaultKind.CERTIFICATE, detail=""), "tls", "tls", "unknown"),
        (Fault(at=1, stage=Stage.SEND, kind=FaultKind.RESET, detail=""), "connect", "send", "unknown"),
        (Fault(at=1, stage=Stage.RESPOND, kind=FaultKind.RESET, detail=""), "server", "respond", "provider"),
        (
            Fault(at=1, stage=Stage.RESPOND, kind=FaultKind.TOO_LARGE, detail=""),
            "protocol",
            "respond",
            "unknown",
        ),
        (opened(), Failure.PROTOCOL, Stage.TRANSCRIBE, Blame.UNKNOWN),
    ],
)
def test_what_is_no_response_is_judged_by_its_stage(
    answer: Answer, failure: str, stage: str, blame: str
) -> None:
    """Silence is the provider's; a connection that was never made is nobody's yet."""
    judged = judge(hold([answer], REST)[0], REST)
    assert (judged.failure, judged.stage, judged.blame) == (failure, stage, blame)


def test_the_ids_for_support_come_from_the_headers() -> None:
    """Azure's main id, however the header is written, beside our own."""
    azure = target("rest", "azure_openai")
    headers = (("Apim-Request-Id", "apim-1"), ("x-ms-client-request-id", "Not-Set"))
    finding, _ = hold([responded({"text": WORDS}, headers=headers)], azure)

    assert dict(finding.ids) == {"apim_request_id": "apim-1", "client_request_id": "ours-1"}


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(100, 599))
def test_whatever_bytes_come_the_run_ends_in_a_judgement(body: bytes, status: int) -> None:
    """No body and no status raises anything."""
    judged = judge(hold([responded(body, status)], REST)[0], REST)
    assert judged.verdict in Verdict


@pytest.mark.parametrize(
    ("named", "drift"),
    [
        ("gpt-4o-transcribe", None),
        ("GPT-4o-Transcribe", None),
        ("whisper", ["the deployment whisper answered, gpt-4o-transcribe was asked for"]),
    ],
)
def test_an_answer_from_another_deployment_is_drift(named: str, drift: list[str] | None) -> None:
    """Azure says which deployment answered; the words may be right all the same."""
    azure = target("rest", "azure_openai")
    finding, _ = hold([responded({"text": WORDS}, headers=(("X-MS-Deployment-Name", named),))], azure)
    judged = judge(finding, azure)
    assert judged.verdict is Verdict.PASSED
    assert judged.extra.get("drift") == drift
