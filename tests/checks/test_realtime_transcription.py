"""The transcription session: its address and its update, in both dialects."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.beta.realtime import TranscriptionSessionUpdate
from openai.types.realtime import SessionUpdateEvent

from monitor.checks.realtime_transcription import ga_update, preview_update
from monitor.core.conversation import Answer, End, Sent
from monitor.core.model import Failure, Stage, Verdict
from tests.support.realtime_events import (
    WORDS,
    committed,
    completed,
    created,
    delta,
    opened,
    spoken,
    text,
    updated,
)
from tests.support.scripted_peer import hold, judge, target

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


@pytest.mark.parametrize("model", ["gpt-live-transcribe", "gpt-realtime-whisper"])
def test_a_streaming_model_speaks_while_it_listens(model: str) -> None:
    """Its default is voice detection, so null is said; its words come before the item is committed."""
    streaming = target("realtime_transcription", model=model)
    pieces: list[Answer] = [delta("He might even"), delta(" have been made amiable himself.")]
    answers: list[Answer] = [
        opened(),
        created(),
        updated(model=model),
        *pieces,
        Sent(at=3.4),
        committed(),
        completed(),
    ]
    finding, player = hold(answers, streaming)
    judged = judge(finding, streaming)

    assert (judged.verdict, finding.notes) == (Verdict.PASSED, ())
    heard = player.frames[0]["session"]["audio"]["input"]
    assert "turn_detection" in heard
    assert heard["turn_detection"] is None
    assert judged.timings_ms["first_text"] == 0.0
    assert judged.timings_ms["final"] is not None


def test_a_streaming_model_whose_words_stop_is_silent() -> None:
    """Deltas in mid-audio, then nothing: the message says when they stopped."""
    streaming = target("realtime_transcription", model="gpt-live-transcribe")
    answers: list[Answer] = [
        opened(),
        created(),
        updated(model=streaming.model),
        delta("He might"),
        Sent(at=3.4),
        committed(),
    ]
    judged = judge(hold(answers, streaming)[0], streaming)
    assert (judged.failure, judged.stage) == (Failure.SILENT, Stage.TRANSCRIBE)
    assert "the deltas stopped at" in (judged.message or "")


def test_silence_must_give_no_words() -> None:
    """An empty text is right, an invented one is not."""
    asked = target("realtime_transcription", clip="silence")
    for words, failure in (("", None), ("Thank you.", Failure.QUALITY)):
        finding, _ = hold([*spoken(), completed(words)], asked, "silence")
        judged = judge(finding, asked, "silence")
        assert judged.failure is failure
    assert judged.message == "2 words were heard in silence"
