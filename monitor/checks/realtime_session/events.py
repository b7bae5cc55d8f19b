"""Reading realtime events: both names of each GA and beta pair, any JSON anywhere, nothing ever raised.

An event whose fields are missing or of a wrong type is an event with fewer fields, not an exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.core.classification.error_bodies import mapping, read_error, read_json, text_of
from monitor.core.conversation import ProviderError


class What(StrEnum):
    """What an event tells, whatever its dialect calls it."""

    CREATED = "created"
    UPDATED = "updated"
    SPEECH_STARTED = "speech_started"
    SPEECH_STOPPED = "speech_stopped"
    COMMITTED = "committed"
    ITEM = "item"
    DELTA = "delta"
    COMPLETED = "completed"
    FAILED = "failed"
    ERROR = "error"
    RESPONSE = "response"
    ANSWER = "answer"
    ANSWERED = "answered"
    OTHER = "other"


_TRANSCRIPTION = "conversation.item.input_audio_transcription"
_NAMES: Mapping[str, What] = {
    "session.created": What.CREATED,
    "transcription_session.created": What.CREATED,
    "session.updated": What.UPDATED,
    "transcription_session.updated": What.UPDATED,
    "input_audio_buffer.speech_started": What.SPEECH_STARTED,
    "input_audio_buffer.speech_stopped": What.SPEECH_STOPPED,
    "input_audio_buffer.committed": What.COMMITTED,
    "conversation.item.added": What.ITEM,
    "conversation.item.done": What.ITEM,
    "conversation.item.created": What.ITEM,
    f"{_TRANSCRIPTION}.delta": What.DELTA,
    f"{_TRANSCRIPTION}.text": What.DELTA,  # Qwen-ASR: cumulative
    f"{_TRANSCRIPTION}.updated": What.DELTA,  # xAI: cumulative
    f"{_TRANSCRIPTION}.completed": What.COMPLETED,
    f"{_TRANSCRIPTION}.failed": What.FAILED,
    "transcription.delta": What.DELTA,  # vLLM
    "transcription.done": What.COMPLETED,
    "error": What.ERROR,
    "response.created": What.RESPONSE,
    "response.output_text.done": What.ANSWER,
    "response.text.done": What.ANSWER,
    "response.done": What.ANSWERED,
}


class NoEvent(ValueError):
    """A text message that is no event; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One message of the peer; `fields` is the whole object."""

    at: float
    what: What
    name: str
    fields: Mapping[str, object]

    @property
    def item_id(self) -> str | None:
        """The item that the event is about, where it says so."""
        return text_of(self.fields.get("item_id"))

    @property
    def event_id(self) -> str | None:
        """The event's own id."""
        return text_of(self.fields.get("event_id"))

    @property
    def session(self) -> Mapping[str, object]:
        """The session object; empty where the server sends none (vLLM puts its fields on the top level)."""
        return mapping(self.fields.get("session"))

    @property
    def transcript(self) -> str | None:
        """The final text: `transcript`, or `text` as Qwen-ASR calls it; None where neither is a string."""
        for key in ("transcript", "text"):
            value = self.fields.get(key)
            if isinstance(value, str):
                return value
        return None

    @property
    def response(self) -> Mapping[str, object]:
        """The response object; empty where there is none."""
        return mapping(self.fields.get("response"))

    @property
    def error(self) -> ProviderError:
        """The error it carries, an object or a string with its code beside it."""
        fields = {key: value for key, value in self.fields.items() if key != "type"}
        return read_error(fields)

    @property
    def answers(self) -> str | None:
        """The client event that an `error` complains about."""
        return text_of(mapping(self.fields.get("error")).get("event_id"))


def read_event(text: str, at: float) -> Event:
    """The event in a text message; raises NoEvent where there is none."""
    try:
        value = read_json(text)
    except ValueError as error:
        raise NoEvent(f"a message that is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise NoEvent(f"a message that is no object but {type(value).__name__}")
    name = value.get("type")
    if not isinstance(name, str):
        raise NoEvent("a message without a type")
    return Event(at=at, what=_NAMES.get(name, What.OTHER), name=text_of(name) or "", fields=value)


def echoed_transcription(session: Mapping[str, object]) -> tuple[bool, object]:
    """Whether the session object speaks of transcription at all, and what it says (GA or flat)."""
    nested = mapping(mapping(session.get("audio")).get("input"))
    for place, key in ((nested, "transcription"), (session, "input_audio_transcription")):
        if key in place:
            return True, place[key]
    return False, None


def echoed_turn_detection(session: Mapping[str, object]) -> tuple[bool, object]:
    """The same for turn detection."""
    nested = mapping(mapping(session.get("audio")).get("input"))
    for place in (nested, session):
        if "turn_detection" in place:
            return True, place["turn_detection"]
    return False, None


def answer_text(response: Mapping[str, object]) -> str:
    """The words of a finished response: content of type `output_text`, or `text` as older servers have it."""
    said: list[str] = []
    for item in _objects(response.get("output")):
        for part in _objects(item.get("content")):
            text = part.get("text")
            if isinstance(text, str):
                said.append(text)
    return " ".join(said)


def _objects(value: object) -> list[Mapping[str, object]]:
    return [mapping(each) for each in value[:100]] if isinstance(value, list) else []


def echoed_rate(session: Mapping[str, object]) -> object:
    """The sample rate of the session's input, None where it says nothing."""
    nested = mapping(mapping(session.get("audio")).get("input"))
    return mapping(nested.get("format")).get("rate") or session.get("sample_rate")
