"""A session opened with a client secret: the step before it, driven by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.core.conversation import MINTED, Answer, Fault, FaultKind, Open, Responded, Silent, Upload
from monitor.core.model import Blame, Failure, Stage, Verdict
from tests.support.realtime_events import completed, spoken
from tests.support.scripted_peer import hold, judge, target

WITH = target("realtime_transcription", "azure_openai", client_secret=True, session_model=None)
HEADERS = (("apim-request-id", "apim-mint"),)


def minted(body: Any, status: int = 200) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Responded(at=0.4, status=status, headers=HEADERS, body=raw)


def test_the_secret_opens_the_session() -> None:
    """One call, then the session as ever, with the secret in place of the key."""
    answer = minted({"value": "[secret]", "expires_at": 1790000600, "session": {"type": "transcription"}})
    finding, player = hold([answer, *spoken(), completed()], WITH)

    assert judge(finding, WITH).verdict is Verdict.PASSED
    upload, start = player.asks[0], player.asks[1]
    assert isinstance(upload, Upload)
    assert upload.url == "https://contoso.openai.azure.com/openai/v1/realtime/client_secrets"
    assert upload.mints == "value"
    assert upload.credential is not None
    assert upload.credential.reference == "env:KEY"
    assert json.loads(upload.body)["session"] == {
        "type": "transcription",
        "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe", "language": "en"}}},
    }
    assert isinstance(start, Open)
    assert start.credential is not None
    assert (start.credential.header, start.credential.reference) == ("Authorization", MINTED)
    assert "the client secret was apim_request_id apim-mint" in finding.notes


@pytest.mark.parametrize(
    ("answer", "failure", "stage", "blame"),
    [
        (
            minted({"error": {"message": "Internal server error", "code": "500"}}, 500),
            "server",
            "session",
            "provider",
        ),
        (minted({"error": {"code": "401", "message": "Access denied"}}, 401), "auth", "session", "account"),
        (
            minted({"error": {"code": "404", "message": "Resource not found"}}, 404),
            "config",
            "session",
            "account",
        ),
        (minted({"session": {}}), Failure.PROTOCOL, Stage.SESSION, Blame.UNKNOWN),
        (minted({"value": None}), Failure.PROTOCOL, Stage.SESSION, Blame.UNKNOWN),
        (minted(b"<html>"), Failure.PROTOCOL, Stage.SESSION, Blame.UNKNOWN),
        (Silent(at=30.0), Failure.SILENT, Stage.SESSION, Blame.PROVIDER),
        (
            Fault(at=0.1, stage=Stage.CONNECT, kind=FaultKind.REFUSED, detail="refused"),
            Failure.CONNECT,
            Stage.CONNECT,
            Blame.UNKNOWN,
        ),
    ],
)
def test_without_a_secret_no_session_is_opened(answer: Answer, failure: str, stage: str, blame: str) -> None:
    """The step is named, and what was below it keeps its own stage."""
    finding, player = hold([answer], WITH)
    judged = judge(finding, WITH)

    assert (judged.failure, judged.stage, judged.blame) == (failure, stage, blame)
    assert (judged.message or "").startswith("client secret: ")
    assert len(player.asks) == 1


def test_the_setting_reaches_the_wire_and_so_the_configuration() -> None:
    """With and without are two configurations; without it the hash is what it always was."""
    plain = target("realtime_transcription", "azure_openai", session_model=None)
    assert plain.configuration != WITH.configuration
    assert target("realtime_transcription", client_secret=False).configuration == (
        target("realtime_transcription").configuration
    )
