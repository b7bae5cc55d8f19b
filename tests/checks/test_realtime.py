"""The conversation session: its address and its update, in both dialects."""

from __future__ import annotations

from typing import Any

from openai.types.beta.realtime import SessionUpdateEvent as PreviewUpdateEvent
from openai.types.realtime import SessionUpdateEvent

from monitor.checks.realtime import ga_update, preview_update
from monitor.core.conversation import Answer, End, Open
from monitor.core.model import Deployment
from tests.support.realtime_events import committed, completed, created, opened, text, updated
from tests.support.scripted_peer import hold, target

PREVIEW = {"dialect": "preview"}


def test_no_answer_is_wanted_from_the_speech_model() -> None:
    """Without turn detection, or with one that starts no response: answers cost tokens."""
    manual: Any = ga_update(target())
    assert manual["session"]["audio"]["input"]["turn_detection"] is None
    for update in (ga_update(target(turn="server_vad")), preview_update(target(turn="server_vad"))):
        session: Any = update["session"]
        turn = session.get("turn_detection") or session["audio"]["input"]["turn_detection"]
        assert turn["create_response"] is False


def test_turn_detection_is_always_said() -> None:
    """The server's default is on: null must be sent, not left out."""
    flat: Any = preview_update(target())
    assert flat["session"]["turn_detection"] is None


def test_the_update_is_one_that_the_official_models_accept() -> None:
    """Both dialects parse with the event models of the vendor's own client."""
    for asked in (target(), target(turn="server_vad")):
        update = SessionUpdateEvent.model_validate(ga_update(asked))
        assert update.session.type == "realtime"
        assert PreviewUpdateEvent.model_validate(preview_update(asked)).session.input_audio_format == "pcm16"


def test_the_transcription_model_is_asked_for_by_its_deployed_name() -> None:
    """On Azure the host and the transcriber are both deployments."""
    azure = target(
        "realtime",
        "azure_openai",
        deployments={
            "gpt-4o-transcribe": Deployment(model="gpt-4o-transcribe", name="stt-prod"),
            "gpt-realtime": Deployment(model="gpt-realtime", name="rt-host"),
        },
    )
    answers: list[Answer] = [opened(), created(), updated("stt-prod"), committed(), completed()]
    finding, player = hold(answers, azure)
    opening = player.asks[0]

    assert isinstance(opening, Open)
    assert opening.url == "wss://contoso.openai.azure.com/openai/v1/realtime?model=rt-host"
    transcription = player.frames[0]["session"]["audio"]["input"]["transcription"]
    assert transcription == {"model": "stt-prod", "language": "en"}
    assert (finding.end, finding.notes) == (End.TEXT, ())


def test_a_preview_session_is_held_in_its_own_words() -> None:
    """Flat update, `conversation.item.created`, no usage."""
    azure = target("realtime", "azure_openai", endpoint=PREVIEW)
    session = {"input_audio_transcription": {"model": "gpt-4o-transcribe"}, "turn_detection": None}
    echo = text(type="session.updated", session=session)
    item = text(type="conversation.item.created", item={"id": "i"})
    finding, player = hold([opened(), created(), echo, committed(), item, completed()], azure)

    assert finding.end is End.TEXT
    assert player.frames[0]["type"] == "session.update"
    assert "type" not in player.frames[0]["session"]
    assert finding.url == (
        "wss://contoso.openai.azure.com/openai/realtime?api-version=2025-04-01-preview&deployment=gpt-realtime"
    )


def test_models_of_many_languages_get_a_list() -> None:
    """`languages` is not to be sent together with `language`."""
    update: Any = ga_update(target(model="gpt-live-transcribe"))
    transcription = update["session"]["audio"]["input"]["transcription"]
    assert transcription == {"model": "gpt-live-transcribe", "languages": ["en"]}


def test_no_language_is_asked_for_where_none_is_configured() -> None:
    """Neither an empty string nor null goes out."""
    update: Any = ga_update(target(language=None))
    assert update["session"]["audio"]["input"]["transcription"] == {"model": "gpt-4o-transcribe"}
