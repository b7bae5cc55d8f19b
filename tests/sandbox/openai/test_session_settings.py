"""Changes of a session's settings: what is taken, and what is refused with which code."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandbox_sessions import Caller, complaint

INPUT = "session.audio.input."
SPOKEN = INPUT + "transcription"
TURNS = INPUT + "turn_detection"


def nested(**inputs: Any) -> dict[str, Any]:
    return {"type": "transcription", "audio": {"input": inputs}}


def model(name: object, **rest: Any) -> dict[str, Any]:
    return nested(transcription={"model": name, **rest}, turn_detection=None)


def turns(**rest: Any) -> dict[str, Any]:
    return nested(turn_detection=rest)


def flat(**rest: Any) -> dict[str, Any]:
    return {"type": "transcription", **rest}


REFUSED = [
    (None, "missing_required_parameter", "session"),
    ({}, "missing_required_parameter", "session.type"),
    ({"type": "realtime"}, "invalid_parameter", "session.type"),
    ({"type": "speech"}, "invalid_value", "session.type"),
    (flat(input_audio_format="pcm16"), "unknown_parameter", "session.input_audio_format"),
    (flat(turn_detection=None), "unknown_parameter", "session.turn_detection"),
    (flat(audio={"output": {}}), "unknown_parameter", "session.audio.output"),
    (flat(include=["words"]), "invalid_value", "session.include[0]"),
    (nested(format={"type": "audio/pcm", "rate": 8000}), "integer_below_min_value", INPUT + "format.rate"),
    (nested(format={"type": "audio/pcm", "rate": 48000}), "integer_above_max_value", INPUT + "format.rate"),
    (nested(format={"type": "audio/pcmu", "rate": 8000}), "unknown_parameter", INPUT + "format.rate"),
    (nested(format={"type": "audio/opus"}), "invalid_value", INPUT + "format.type"),
    (nested(format="pcm16"), "invalid_type", INPUT + "format"),
    (nested(noise_reduction="near_field"), "invalid_type", INPUT + "noise_reduction"),
    (nested(transcription={"language": "en"}), "missing_required_parameter", SPOKEN + ".model"),
    (nested(transcription={"model": "gpt-live-transcribe"}), "invalid_value", TURNS),
    (model(4), "invalid_type", SPOKEN + ".model"),
    (model("whisper-1", speed=1), "unknown_parameter", SPOKEN + ".speed"),
    (model("whisper-1", delay="low"), "invalid_value", SPOKEN + ".delay"),
    (model("whisper-1", languages=["en"]), "invalid_value", SPOKEN + ".languages"),
    (model("gpt-live-transcribe", delay="soon"), "invalid_value", SPOKEN + ".delay"),
    (model("gpt-transcribe", languages=["en"], language="en"), "invalid_value", SPOKEN + ".language"),
    (model("gpt-transcribe", keywords=["<b>"]), "invalid_value", SPOKEN + ".keywords"),
    (model("gpt-4o-transcribe-diarize", prompt="x"), "invalid_value", SPOKEN + ".prompt"),
    (turns(type="vad"), "invalid_value", TURNS + ".type"),
    (turns(threshold=0.5), "missing_required_parameter", TURNS + ".type"),
    (turns(type="server_vad", threshold=2), "decimal_above_max_value", TURNS + ".threshold"),
    (turns(type="server_vad", threshold="x"), "invalid_type", TURNS + ".threshold"),
    (turns(type="server_vad", create_response=False), "unknown_parameter", TURNS + ".create_response"),
]


@pytest.mark.parametrize(("session", "code", "param"), REFUSED)
def test_a_wrong_update_is_refused_and_changes_nothing(session: Any, code: str, param: str) -> None:
    """One error event with code, parameter and the client's event id; the settings stay as they were."""
    caller = Caller(endpoint="openai-us")
    before = caller.session.settings.shown
    found = complaint(caller.say("session.update", session=session))
    assert (found["code"], found["param"], found["event_id"]) == (code, param, "mine")
    assert caller.session.settings.shown == before


@pytest.mark.parametrize(
    "session",
    [
        model("gpt-live-transcribe", delay="low", languages=["en", "de"], keywords=["amiable"]),
        model("gpt-4o-transcribe", prompt="Austen", language=None),
        nested(format={"type": "audio/pcma"}),
        turns(type="semantic_vad", eagerness="high"),
        flat(include=None),
        flat(),
    ],
)
def test_a_right_update_is_taken(session: dict[str, Any]) -> None:
    """What the documentation allows is answered by session.updated."""
    (updated,) = Caller(endpoint="openai-us").say("session.update", session=session)
    assert updated["type"] == "session.updated"


def test_a_conversation_takes_its_own_fields_and_keeps_its_model() -> None:
    """Output settings are taken, another host model is not."""
    caller = Caller(purpose="realtime")
    audio = {"output": {"voice": "cedar"}, "input": {"turn_detection": {"type": "server_vad"}}}
    wanted = {"type": "realtime", "output_modalities": ["text"], "instructions": "Listen.", "audio": audio}
    (updated,) = caller.say("session.update", session=wanted)
    assert updated["session"]["audio"]["output"]["voice"] == "cedar"
    assert updated["session"]["audio"]["input"]["turn_detection"]["create_response"] is True
    found = complaint(caller.say("session.update", session={"type": "realtime", "model": "other"}))
    assert found["param"] == "session.model"


def test_text_and_audio_together_are_refused_in_ga() -> None:
    """The GA service gives one kind of output."""
    wanted = {"type": "realtime", "output_modalities": ["text", "audio"]}
    found = complaint(Caller(purpose="realtime").say("session.update", session=wanted))
    assert found["param"] == "session.output_modalities"


def test_an_update_changes_only_what_it_names() -> None:
    """Absent fields stay, null switches off."""
    caller = Caller()
    caller.configure(noise_reduction={"type": "near_field"})
    change = nested(transcription={"model": "whisper-1", "language": "en"})
    (updated,) = caller.say("session.update", session=change)
    shown = updated["session"]["audio"]["input"]
    assert shown["transcription"] == {"model": "whisper-1", "language": "en", "prompt": None}
    assert shown["noise_reduction"] == {"type": "near_field"}
    assert shown["turn_detection"] is None


def test_the_refused_rate_is_told_in_the_service_s_words() -> None:
    """The message of the live service, to the letter."""
    found = complaint(Caller().configure(format={"type": "audio/pcm", "rate": 8000}))
    assert found["message"] == (
        "Invalid 'session.audio.input.format.rate': integer below minimum value."
        " Expected a value >= 24000, but got 8000 instead."
    )


@pytest.mark.parametrize(
    ("session", "param"),
    [
        (nested(transcription={"model": "whisper-1"}), "session.type"),
        ({"audio": {}}, "session.audio"),
        ({"input_audio_format": "pcm24"}, "session.input_audio_format"),
    ],
)
def test_the_preview_refuses_nested_fields(session: dict[str, Any], param: str) -> None:
    """The dialects do not mix."""
    found = complaint(Caller(dialect="preview").say("transcription_session.update", session=session))
    assert found["param"] == param


def test_an_update_for_the_other_kind_of_session_is_refused() -> None:
    """In both directions of the preview, and from conversation to transcription in GA."""
    for purpose, kind in (("transcription", "session.update"), ("realtime", "transcription_session.update")):
        caller = Caller(dialect="preview", purpose=purpose)  # type: ignore[arg-type]
        assert complaint(caller.say(kind, session={}))["code"] == "invalid_parameter"
    found = complaint(Caller(purpose="realtime").say("session.update", session={"type": "transcription"}))
    assert found["message"] == (
        "Passing a transcription session update event to a realtime session is not allowed."
    )
