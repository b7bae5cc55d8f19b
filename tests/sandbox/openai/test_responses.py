"""Responses of conversation sessions: their order, and that failing transcription does not touch them."""

from __future__ import annotations

from typing import Any

import pytest

from monitor import clips
from monitor.sandbox.common.script import Latency, Script
from tests.support.sandbox_sessions import (
    AMIABLE,
    QUICK,
    TRANSCRIPTION,
    Caller,
    broken,
    complaint,
    fault,
    kinds,
)

ANSWER = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
]
TEXT = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Yes."}]}


def conversation(script: Script = QUICK, **turns: Any) -> Caller:
    """A conversation that answers in text."""
    caller = Caller(script, purpose="realtime")
    detection = {"type": "server_vad", "silence_duration_ms": 800, **turns}
    audio = {"input": {"transcription": {"model": "gpt-4o-transcribe"}, "turn_detection": detection}}
    wanted = {"type": "realtime", "output_modalities": ["text"], "audio": audio}
    assert kinds(caller.say("session.update", session=wanted)) == ["session.updated"]
    return caller


def spoken_to(caller: Caller) -> list[dict[str, Any]]:
    """Speaks one clip and a pause; returns what came of it."""
    before = len(caller.line.sent)
    caller.speak(clips.load_clip("amiable").pcm + bytes(96_000))
    return caller.line.events()[before:]


def distinct(names: list[str]) -> list[str]:
    """The names without immediate repetitions."""
    return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]


def test_the_dual_pipeline_is_answered_in_the_documented_order() -> None:
    """Text in, the text back: item acknowledged, response created to done, rate limits last."""
    caller = conversation()
    assert kinds(caller.say("conversation.item.create", item=TEXT)) == [
        "conversation.item.added",
        "conversation.item.done",
    ]
    events = caller.say("response.create", response={"output_modalities": ["text"]})
    assert distinct(kinds(events)) == ANSWER
    done = next(event["response"] for event in events if event["type"] == "response.done")
    assert done["status"] == "completed"
    assert done["output"][0]["content"] == [{"type": "output_text", "text": "Yes."}]


def test_a_turn_is_answered_by_itself() -> None:
    """With VAD the response follows the committed turn, and the model heard the audio itself."""
    events = spoken_to(conversation())
    assert distinct(kinds([e for e in events if e["type"].startswith(("response.", "rate"))])) == [
        name for name in ANSWER if not name.startswith("conversation")
    ]
    assert next(e for e in events if e["type"] == "response.output_text.done")["text"] == AMIABLE


def test_responses_go_on_while_transcription_fails() -> None:
    """As in the reference outage: failed for the item, a good answer all the same, no error event."""
    events = spoken_to(conversation(broken(fault("failed", pathway="realtime"))))
    assert TRANSCRIPTION + "failed" in kinds(events)
    assert "error" not in kinds(events)
    done = next(event["response"] for event in events if event["type"] == "response.done")
    assert done["output"][0]["content"][0]["text"] == AMIABLE


def test_no_answer_comes_where_none_is_wanted() -> None:
    """`create_response` false: transcription only."""
    events = spoken_to(conversation(create_response=False))
    assert kinds(events)[-1] == TRANSCRIPTION + "completed"


def test_an_answer_can_be_spoken() -> None:
    """Audio output has a transcript and sound."""
    caller = conversation()
    caller.say("conversation.item.create", item=TEXT)
    names = distinct(kinds(caller.say("response.create", response={"output_modalities": ["audio"]})))
    assert [name for name in names if "audio" in name] == [
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
    ]


def test_the_preview_answers_with_its_own_names() -> None:
    """response.text.* and conversation.item.created; modalities in place of output_modalities."""
    caller = Caller(dialect="preview", purpose="realtime")
    assert kinds(caller.say("conversation.item.create", item=TEXT)) == ["conversation.item.created"]
    events = caller.say("response.create", response={"modalities": ["text"]})
    names = distinct(kinds(events))
    assert "response.text.done" in names
    assert not any(
        "output_text" in name or (name.endswith("item.done") and "conversation" in name) for name in names
    )
    assert events[0]["response"]["modalities"] == ["text"]


def test_only_one_response_at_a_time() -> None:
    """A second one is refused until the first is done."""
    caller = conversation(Script(latency=Latency(response=1)))
    caller.say("response.create")
    assert complaint(caller.say("response.create"))["code"] == "conversation_already_has_active_response"
    caller.line.wait(1)
    assert kinds(caller.say("response.create")) == ["response.created"]


def test_a_response_can_be_cancelled() -> None:
    """It ends as cancelled, and nothing more comes of it."""
    caller = conversation(Script(latency=Latency(response=1)))
    caller.say("response.create")
    (done,) = caller.say("response.cancel")
    assert done["response"]["status"] == "cancelled"
    assert done["response"]["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    caller.line.wait(2)
    assert caller.line.kinds()[-1] == "response.done"


def test_speech_interrupts_a_response() -> None:
    """Somebody who speaks stops the answer, unless told otherwise."""
    caller = conversation(Script(latency=Latency(response=9)))
    caller.say("response.create")
    caller.speak(clips.load_clip("amiable").pcm)
    done = [event["response"] for event in caller.line.events() if event["type"] == "response.done"]
    assert [response["status_details"]["reason"] for response in done] == ["turn_detected"]


@pytest.mark.parametrize(
    ("item", "param"),
    [
        (None, "item"),
        ({"type": "function_call"}, "item.type"),
        ({"type": "message", "role": "robot"}, "item.role"),
        ({"type": "message", "role": "user", "content": []}, "item.content"),
        ({"type": "message", "role": "user", "content": [{"type": "image"}]}, "item.content[0].type"),
    ],
)
def test_a_wrong_item_is_refused(item: object, param: str) -> None:
    """The complaint names the parameter."""
    assert complaint(conversation().say("conversation.item.create", item=item))["param"] == param


def test_items_can_be_fetched_and_deleted() -> None:
    """An audio item shows its transcript once it has one; a deleted item is gone."""
    caller = conversation(create_response=False)
    item_id = spoken_to(caller)[-1]["item_id"]
    (retrieved,) = caller.say("conversation.item.retrieve", item_id=item_id)
    assert retrieved["item"]["content"][0]["transcript"] == AMIABLE
    refused = complaint(caller.say("conversation.item.truncate", item_id=item_id, content_index=0))
    assert refused["message"] == "Only model output audio messages can be truncated"
    assert kinds(caller.say("conversation.item.delete", item_id=item_id)) == ["conversation.item.deleted"]
    assert complaint(caller.say("conversation.item.delete", item_id=item_id))["code"] == "item_not_found"


def test_nothing_heard_is_said_so() -> None:
    """A response without any input admits it."""
    events = conversation().say("response.create")
    assert next(e for e in events if "text" in e)["text"] == "I did not catch that."


@pytest.mark.parametrize("dialect", ["ga", "preview"])
def test_the_voice_is_settled_once_it_was_heard(dialect: Any) -> None:
    """Before the first spoken answer it may be changed, afterwards only be named again."""
    caller = Caller(purpose="realtime", dialect=dialect)

    def voice(name: str) -> list[dict[str, Any]]:
        nested = {"type": "realtime", "audio": {"output": {"voice": name}}}
        return caller.say("session.update", session=nested if dialect == "ga" else {"voice": name})

    assert kinds(voice("cedar")) == ["session.updated"]
    caller.say("response.create")
    assert complaint(voice("ash"))["code"] == "cannot_update_voice"
    assert kinds(voice("cedar")) == ["session.updated"]
