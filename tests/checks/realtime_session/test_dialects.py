"""Servers that call themselves compatible: what is tolerated, and what is not; recordings where there are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.checks.realtime_session.dialects import DIALECTS
from monitor.checks.realtime_session.state import REFUSED_WITHIN
from monitor.core.conversation import Answer, Closed, End, Finding, Open, Send, Sent, Silent, Text
from monitor.core.model import Blame, Failure, Stage, Target, Verdict
from tests.support.captured_servers import session, whole
from tests.support.realtime_events import (
    WORDS,
    committed,
    completed,
    created,
    delta,
    error,
    opened,
    text,
    updated,
)
from tests.support.scripted_peer import Player, hold, judge, target

QUIET = Silent(at=0.0)
PIECES = ("He might", " even have been", " made amiable himself.")


def own(dialect: str, **settings: Any) -> Target:
    endpoint = {"dialect": dialect, "sample_rate": 16_000}
    asked = {"model": "whisper-base", "session_model": None, **settings}
    return target("realtime_transcription", "openai_compatible", endpoint=endpoint, **asked)


VLLM, QWEN, TOGETHER = own("vllm"), own("qwen"), own("together")


def audio_of(player: Player) -> list[Send]:
    return [ask for ask in player.asks if isinstance(ask, Send) and ask.audio]


def passes(finding: Finding, asked: Target) -> bool:
    return judge(finding, asked).verdict is Verdict.PASSED


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("names", [None, "cfg-1"])
def test_after_a_refused_update_nothing_is_streamed(dialect: str, names: str | None) -> None:
    """Whatever the dialect, and whether or not the refusal names our event: the run ends at configure."""
    refused = error(names, type="invalid_session_type", message="no transcription here")
    finding, player = hold([opened(), created(), refused, updated(), committed(), completed()], own(dialect))
    judged = judge(finding, own(dialect))

    assert (finding.end, judged.stage) == (End.ERROR, Stage.CONFIGURE)
    assert judged.message == "no transcription here"
    assert not audio_of(player)


@pytest.mark.parametrize(
    "name", ["speaches.rest", "vllm.rest", "whispercpp.rest", "whisperlive.rest", "whisperlivekit.rest"]
)
def test_recorded_uploads_pass(name: str) -> None:
    """Leading spaces, line ends, absent usage, extra fields: the words are right in all of them."""
    rest = target("rest", "openai_compatible")
    assert passes(hold([whole(name)], rest)[0], rest)


# vLLM


def test_a_recorded_session_of_vllm_passes() -> None:
    """Started by a commit, ended by a final one; nothing confirms the update, nothing names the item."""
    upgrade, start, *heard = session("vllm-protocol.realtime")
    finding, player = hold([upgrade, start, QUIET, *heard], VLLM)

    assert passes(finding, VLLM)
    assert finding.notes == ()
    first = player.asks[0]
    assert isinstance(first, Open)
    assert first.url == "ws://stt.test:8000/v1/realtime"
    kinds = [frame["type"] for frame in player.frames]
    assert player.frames[0] == {"type": "session.update", "model": "whisper-base"}
    assert player.frames[1] == {"type": "input_audio_buffer.commit"}
    assert set(kinds[2:-1]) == {"input_audio_buffer.append"}
    assert player.frames[-1] == {"type": "input_audio_buffer.commit", "final": True}


def test_an_error_of_vllm_is_a_string_and_ends_the_run() -> None:
    """It confirms nothing, so that every error is about what we sent, even if it comes late."""
    refused = text(type="error", error="The model `x` does not exist.", code="model_not_validated")
    early = judge(hold([opened(), created(), refused], VLLM)[0], VLLM)
    finding, _ = hold([opened(), created(), QUIET, refused, Sent(at=2.0)], VLLM)
    late = judge(finding, VLLM)

    for judged in (early, late):
        assert (judged.failure, judged.blame) == (Failure.CONFIG, Blame.ACCOUNT)
        assert judged.message == "The model `x` does not exist."
    assert (early.stage, late.stage) == (Stage.CONFIGURE, Stage.SEND)


def test_vllm_is_given_a_moment_to_refuse() -> None:
    """Half a second, and then the audio goes out."""
    finding, player = hold([opened(), created(), QUIET], VLLM)
    assert finding.end is End.SILENT
    assert judge(finding, VLLM).stage is Stage.TRANSCRIBE
    assert audio_of(player)
    assert 0 < REFUSED_WITHIN < 1


# Qwen-ASR


def partial(words: str) -> Text:
    name = "conversation.item.input_audio_transcription.text"
    return text(type=name, item_id="item_1", text=words, delta="")


def qwen_done(item: str | None = "item_1") -> Text:
    name = "conversation.item.input_audio_transcription.completed"
    return text(type=name, item_id=item, text=WORDS)


def test_qwens_partial_texts_are_cumulative_and_nothing_is_committed() -> None:
    """`text` in place of `transcript`, no item events, and the words pass without a deviation noted."""
    answers: list[Answer] = [
        opened(),
        created(),
        text(type="session.updated", session={"sample_rate": 16_000}),
    ]
    finding, player = hold([*answers, partial("he"), partial("he might"), qwen_done()], QWEN)

    assert passes(finding, QWEN)
    assert not [note for note in finding.notes if "item" in note]
    first = player.asks[0]
    assert isinstance(first, Open)
    assert first.url == "ws://stt.test:8000/v1/realtime?model=whisper-base"
    assert player.frames[0]["session"]["sample_rate"] == 16_000
    assert player.frames[0]["session"]["turn_detection"] is None


def test_qwen_may_commit_after_all() -> None:
    """The hosted service names the item that others do not."""
    answers: list[Answer] = [opened(), created(), text(type="session.updated", session={})]
    finding, _ = hold([*answers, committed("item_1"), qwen_done()], QWEN)
    assert passes(finding, QWEN)


def test_qwens_voice_detection_ends_the_turn() -> None:
    """`speech_stopped` stands where others commit."""
    vad = own("qwen", turn="server_vad")
    answers: list[Answer] = [
        *(opened(), created(), text(type="session.updated", session={})),
        text(type="input_audio_buffer.speech_started", item_id="item_1"),
        text(type="input_audio_buffer.speech_stopped", item_id="item_1"),
        qwen_done(),
    ]
    finding, player = hold(answers, vad)
    assert passes(finding, vad)
    assert player.frames[0]["session"]["turn_detection"]["type"] == "server_vad"
    assert player.frames[-1]["type"] == "input_audio_buffer.append"


# Together, LocalAI, speaches, Hugging Face


def test_together_names_no_item() -> None:
    """Model and rate stand in the address, the settings' event is called like its answer."""
    heard: list[Answer] = [
        *(opened(), created(), text(type="transcription_session.updated", session={})),
        committed(None),
        *(delta(piece, None) for piece in PIECES),
        completed(item=None),
    ]
    finding, player = hold(heard, TOGETHER)

    assert passes(finding, TOGETHER)
    first = player.asks[0]
    assert isinstance(first, Open)
    assert first.url == (
        "ws://stt.test:8000/v1/realtime?model=whisper-base&input_audio_format=pcm_s16le_16000"
    )
    assert ("OpenAI-Beta", "realtime=v1") in first.headers
    assert player.frames[0]["type"] == "transcription_session.updated"


def test_localai_calls_one_item_by_two_names() -> None:
    """The only open item is meant, and the deviation is noted."""
    localai = target("realtime_transcription", "openai_compatible", endpoint={"session_query": "model"})
    answers: list[Answer] = [opened(), created(), updated(), committed("item_a"), completed(item="item_b")]
    finding, player = hold(answers, localai)

    assert passes(finding, localai)
    assert "the transcript names item item_b, committed was item_a" in finding.notes
    first = player.asks[0]
    assert isinstance(first, Open)
    assert first.url.endswith("/realtime?model=gpt-4o-transcribe")


def test_recorded_speaches_passes_by_its_own_ear_and_fails_by_our_commit() -> None:
    """With voice detection the words come; a commit of ours kills the connection without a word."""
    flat: dict[str, Any] = {"dialect": "preview", "sample_rate": 24_000}
    settings: dict[str, Any] = {"model": "Systran/faster-whisper-tiny.en", "session_model": None}
    vad = target("realtime_transcription", "openai_compatible", endpoint=flat, turn="server_vad", **settings)
    assert passes(hold(session("speaches.realtime-vad"), vad)[0], vad)

    manual = target("realtime_transcription", "openai_compatible", endpoint=flat, **settings)
    lost = Closed(at=3.4, code=1006, reason="")
    finding, _ = hold([*session("speaches.realtime-manual-commit"), lost], manual)
    judged = judge(finding, manual)
    assert (judged.failure, judged.stage, judged.close_code) == (Failure.SERVER, Stage.TRANSCRIBE, 1006)
    assert any(note.startswith("turn detection is on") for note in finding.drift)


def test_speaches_is_asked_only_for_what_it_lets_be_set() -> None:
    """It refuses an event of another name, a format and a padding; and the turn is ended by its own ear."""
    own_ear = target(
        "realtime_transcription",
        "openai_compatible",
        endpoint={"dialect": "speaches", "sample_rate": 24_000},
        model="Systran/faster-whisper-tiny.en",
        session_model=None,
    )
    finding, player = hold(session("speaches.realtime-vad"), own_ear)

    assert passes(finding, own_ear)
    assert finding.notes == ()
    first = player.asks[0]
    assert isinstance(first, Open)
    assert first.url.endswith("/realtime?model=Systran%2Ffaster-whisper-tiny.en&intent=transcription")
    assert player.frames[0]["type"] == "session.update"
    asked = player.frames[0]["session"]
    assert asked["input_audio_transcription"] == {"model": "Systran/faster-whisper-tiny.en", "language": "en"}
    assert set(asked) == {"input_audio_transcription", "turn_detection"}
    assert set(asked["turn_detection"]) == {"type", "silence_duration_ms", "create_response"}
    assert player.frames[-1]["type"] == "input_audio_buffer.append"  # silence, and no commit of ours


def test_hugging_face_speaks_before_it_commits() -> None:
    """Deltas first, item events of the older name, a final text that the deltas do not make."""
    vad = target("realtime", "openai_compatible", turn="server_vad", endpoint={"sample_rate": 16_000})
    answers: list[Answer] = [
        *(opened(), created(), updated(turn={"type": "server_vad"}, rate=16_000)),
        text(type="input_audio_buffer.speech_started", item_id="item_1"),
        delta("He might even have been made", "item_1"),
        text(type="input_audio_buffer.speech_stopped", item_id="item_1"),
        committed("item_1"),
        text(type="conversation.item.created", item={"id": "item_1"}),
        completed(item="item_1"),
    ]
    finding, _ = hold(answers, vad)
    assert passes(finding, vad)
    assert finding.notes == ("the deltas joined are not the final text",)


def test_every_dialect_names_its_session_in_json() -> None:
    """Whatever is sent before the audio can be read back."""
    for dialect in DIALECTS.values():
        assert all(json.loads(frame)["type"] for frame in (*dialect.begin, dialect.end))
