"""Every event that the sandbox can send, in both dialects, read with the official package's own classes."""

from __future__ import annotations

from typing import Any, cast, get_args

import pytest
from openai.types.beta.realtime import RealtimeServerEvent as PreviewEvent
from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel

from monitor import clips
from monitor.sandbox import Script
from monitor.sandbox.faults.catalogue import KINDS, FaultMoment
from tests.support.sandbox_sessions import QUICK, Caller, broken, fault

TEXT = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Yes."}]}
# No class exists for these: they are what the fault is about.
MALFORMED = {"invalid_json", "invalid_utf8", "bare_completed", "unknown_events"}
NAMED = [
    name
    for name, kind in KINDS.items()
    if {FaultMoment.COMMIT, FaultMoment.RESPONSE, FaultMoment.UPDATE, FaultMoment.ITEM}
    & set(kind.at.values())
    and name not in MALFORMED
]


def classes(union: Any) -> dict[str, type[BaseModel]]:
    """The event class of each type."""
    members = get_args(get_args(union)[0])
    return {get_args(member.model_fields["type"].annotation)[0]: member for member in members}


KNOWN = {"ga": classes(RealtimeServerEvent), "preview": classes(PreviewEvent)}


def validated(caller: Caller, dialect: str) -> set[str]:
    """Reads every event with the class of its type, unknown fields noted; returns the types seen."""
    for event in caller.line.events():
        kind, wanted = event["type"], event
        if kind.startswith("transcription_session"):
            # One class for both; it wants a client secret there, which only the REST answer has.
            session = {**event["session"], "client_secret": {"value": "", "expires_at": 0}}
            kind = "transcription_session.updated"
            wanted = {**event, "type": kind, "session": session}
        KNOWN[dialect][kind].model_validate(wanted)
    return {cast(str, event["type"]) for event in caller.line.events()}


def configure(caller: Caller, dialect: str, purpose: str, **turns: Any) -> None:
    """Whisper or the like, with or without turns, in the words of the dialect."""
    detection = {"type": "server_vad", **turns} if turns else None
    transcription = {"model": "gpt-4o-transcribe"}
    if dialect == "ga":
        inputs = {"transcription": transcription, "turn_detection": detection}
        extra = {"output_modalities": ["text"]} if purpose == "realtime" else {}
        include = ["item.input_audio_transcription.logprobs"]
        session: dict[str, Any] = {"type": purpose, "audio": {"input": inputs}, "include": include, **extra}
        caller.say("session.update", session=session)
        return
    extra = {"modalities": ["text"]} if purpose == "realtime" else {}
    kind = "session.update" if purpose == "realtime" else "transcription_session.update"
    caller.say(
        kind, session={"input_audio_transcription": transcription, "turn_detection": detection, **extra}
    )


def everything(script: Script, dialect: Any, purpose: Any) -> Caller:
    """A session in which all that can happen happens: speech, commits, texts, answers, complaints."""
    caller = Caller(script, dialect=dialect, purpose=purpose)
    configure(caller, dialect, purpose)
    caller.speak(clips.load_clip("amiable").pcm)
    steps: list[tuple[str, dict[str, Any]]] = [("input_audio_buffer.commit", {})]
    if purpose == "realtime":
        steps += [("conversation.item.create", {"item": TEXT}), ("response.create", {})]
    steps += [("input_audio_buffer.clear", {}), ("nonsense", {}), ("response.cancel", {})]
    for kind, fields in steps:
        if caller.line.closed is None:
            caller.say(kind, **fields)
    caller.line.wait(60)
    return caller


@pytest.mark.parametrize("purpose", ["realtime", "transcription"])
@pytest.mark.parametrize("dialect", ["ga", "preview"])
@pytest.mark.parametrize("name", [None, *NAMED])
def test_every_event_fits_its_class(name: str | None, dialect: str, purpose: str) -> None:
    """Healthy and with every fault that shows in events."""
    caller = everything(QUICK if name is None else broken(fault(name)), dialect, purpose)
    assert validated(caller, dialect)


@pytest.mark.parametrize(
    ("dialect", "expected"), [("ga", "conversation.item.done"), ("preview", "conversation.item.created")]
)
def test_turns_and_items_fit_their_classes(dialect: Any, expected: str) -> None:
    """Detected speech, an automatic answer, an item fetched and deleted."""
    caller = Caller(dialect=dialect, purpose="realtime")
    configure(caller, dialect, "realtime", silence_duration_ms=300)
    caller.speak(clips.load_clip("amiable").pcm + bytes(96_000))
    item = next(event["item_id"] for event in caller.line.events() if event["type"].endswith("committed"))
    caller.say("conversation.item.retrieve", item_id=item)
    caller.say("conversation.item.delete", item_id=item)
    seen = validated(caller, dialect)
    assert {
        expected,
        "input_audio_buffer.speech_started",
        "response.done",
        "conversation.item.deleted",
    } < seen
