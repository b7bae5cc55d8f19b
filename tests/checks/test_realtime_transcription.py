"""The transcription session: its address and its update, in both dialects."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.beta.realtime import TranscriptionSessionUpdate
from openai.types.realtime import SessionUpdateEvent

from monitor.checks.realtime_transcription import ga_update, preview_update
from monitor.core.exchange import Answer, End
from tests.checks.player import hold, target
from tests.checks.wire import WORDS, committed, completed, opened, text

PATHWAY = "realtime_transcription"


def test_the_update_is_one_that_the_official_models_accept() -> None:
    """Both dialects parse with the event models of the vendor's own client."""
    for asked in (target(PATHWAY), target(PATHWAY, turn="server_vad")):
        update = SessionUpdateEvent.model_validate(ga_update(asked))
        assert update.session.type == "transcription"
        assert TranscriptionSessionUpdate.model_validate(preview_update(asked)).type == (
            "transcription_session.update"
        )


def test_nothing_is_said_about_responses() -> None:
    """A transcription session never answers, and refuses the fields of one that does."""
    update: Any = ga_update(target(PATHWAY, turn="server_vad"))
    turn = update["session"]["audio"]["input"]["turn_detection"]
    assert set(turn) == {"type", "threshold", "prefix_padding_ms", "silence_duration_ms"}


@pytest.mark.parametrize(
    ("provider", "dialect", "url"),
    [
        ("openai", "ga", "wss://api.openai.com/v1/realtime?intent=transcription"),
        ("azure_openai", "ga", "wss://contoso.openai.azure.com/openai/v1/realtime?intent=transcription"),
        (
            "azure_openai",
            "preview",
            (
                "wss://contoso.openai.azure.com/openai/realtime?api-version=2025-04-01-preview"
                "&deployment=gpt-realtime&intent=transcription"
            ),
        ),
        (
            "openai_compatible",
            "preview",
            "ws://stt.test:8000/v1/realtime?model=gpt-4o-transcribe&intent=transcription",
        ),
    ],
)
@pytest.mark.parametrize("prefix", ["session", "transcription_session"])
def test_a_session_of_every_dialect_comes_to_its_text(
    provider: str, dialect: str, url: str, prefix: str
) -> None:
    """Either name of the session events is taken in either dialect."""
    session = {"id": "sess_1", "input_audio_transcription": {"model": "gpt-4o-transcribe"}}
    answers: list[Answer] = [
        opened(),
        text(type=f"{prefix}.created", session={"id": "sess_1"}),
        text(type=f"{prefix}.updated", session=session),
        committed(),
        completed(),
    ]
    finding, _ = hold(answers, target(PATHWAY, provider, endpoint={"dialect": dialect}))

    assert (finding.end, finding.transcript, finding.url) == (End.TEXT, WORDS, url)
