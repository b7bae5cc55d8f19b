"""The events of a realtime session as servers send them, for scripts."""

from __future__ import annotations

import json
from typing import Any

from monitor.core.conversation import Answer, Opened, Text

WORDS = "He might even have been made amiable himself."
ITEM = "item_DabcdefGhijk12345L100"
TRANSCRIPTION = "conversation.item.input_audio_transcription"


def text(at: float = 0.0, /, **fields: Any) -> Text:
    """An event as a message."""
    return Text(at=at, text=json.dumps(fields))


def opened() -> Opened:
    """The upgrade succeeded."""
    return Opened(at=0.05, headers=(("X-Request-Id", "req_1"), ("apim-request-id", "apim-1")))


def created(**session: Any) -> Text:
    """The first session event."""
    return text(type="session.created", event_id="event_1", session={"id": "sess_1", **session})


def updated(model: Any = "gpt-4o-transcribe", turn: Any = None, rate: int = 24_000) -> Text:
    """The answer to the update, in the GA shape."""
    heard = {"format": {"type": "audio/pcm", "rate": rate}, "turn_detection": turn}
    transcription = None if model is None else {"model": model, "language": "en"}
    audio = {"input": {**heard, "transcription": transcription}}
    return text(type="session.updated", event_id="event_2", session={"id": "sess_1", "audio": audio})


def committed(item: str | None = ITEM, at: float = 0.0) -> Text:
    """The audio became an item."""
    named = {} if item is None else {"item_id": item}
    return text(at, type="input_audio_buffer.committed", event_id="event_3", **named)


def delta(piece: Any, item: str | None = ITEM) -> Text:
    """A piece of text."""
    return text(type=f"{TRANSCRIPTION}.delta", event_id="event_4", item_id=item, delta=piece)


def completed(words: Any = WORDS, item: str | None = ITEM, at: float = 0.0) -> Text:
    """The final text of an item."""
    named = {} if item is None else {"item_id": item}
    return text(at, type=f"{TRANSCRIPTION}.completed", event_id="event_5", transcript=words, **named)


def failed(error: Any, item: str | None = ITEM) -> Text:
    """The failure of an item."""
    return text(type=f"{TRANSCRIPTION}.failed", event_id="event_6", item_id=item, error=error)


def error(names: str | None = None, **fields: Any) -> Text:
    """An `error` event that names one of our events, or none."""
    return text(
        type="error", event_id="event_7", error={"type": "invalid_request_error", **fields, "event_id": names}
    )


def ready(turn: Any = None) -> list[Answer]:
    """Everything up to the point where audio may be sent."""
    return [opened(), created(), updated(turn=turn)]


def spoken() -> list[Answer]:
    """Everything up to the committed item."""
    return [*ready(), committed()]
