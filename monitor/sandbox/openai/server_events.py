"""Server events as bytes: names, order of fields and shapes of the GA service and of Azure's preview.

It writes what it is told; when something is said is decided by the session.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from monitor.sandbox.common.identifiers import Identifiers
from monitor.sandbox.common.refusals import Complaint
from monitor.sandbox.common.session_kind import Dialect

_PREVIEW_NAMES = {
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
}
TRANSCRIPTION = "conversation.item.input_audio_transcription."


class ServerEvents:
    """Makes the events of one session."""

    def __init__(self, ids: Identifiers, dialect: Dialect) -> None:
        self._ids = ids
        self._is_ga = dialect == "ga"

    def say(self, kind: str, **fields: Any) -> bytes:
        """One event; GA puts `type` before `event_id`, the preview the other way round."""
        event_id = self._ids.draw("event")
        if self._is_ga:
            return orjson.dumps({"type": kind, "event_id": event_id, **fields})
        return orjson.dumps({"event_id": event_id, "type": _PREVIEW_NAMES.get(kind, kind), **fields})

    def complain(self, complaint: Complaint, event_id: str | None) -> bytes:
        """An `error` event; *event_id* is that of the client event at fault."""
        error = {
            "type": complaint.type,
            "code": complaint.code,
            "message": complaint.message,
            "param": complaint.param,
            "event_id": event_id,
        }
        return self.say("error", error=error)

    def item(self, item: Mapping[str, Any], previous: str | None) -> list[bytes]:
        """The acknowledgement of a finished item: `added` and `done`, in the preview `created`."""
        if self._is_ga:
            return [self.item_added(item, previous), self.item_done(item, previous)]
        return [self.item_added(item, previous)]

    def item_added(self, item: Mapping[str, Any], previous: str | None) -> bytes:
        """An item has joined the conversation."""
        if self._is_ga:
            return self.say("conversation.item.added", previous_item_id=previous, item=item)
        shown = {"id": item["id"], "object": "realtime.item", **item}
        return self.say("conversation.item.created", previous_item_id=previous, item=shown)

    def item_done(self, item: Mapping[str, Any], previous: str | None) -> bytes:
        """An item is complete (GA only)."""
        return self.say("conversation.item.done", previous_item_id=previous, item=item)

    def delta(self, item_id: str, text: str, logprobs: list[Any] | None) -> bytes:
        """A piece of a transcript."""
        fields: dict[str, Any] = {"item_id": item_id, "content_index": 0, "delta": text}
        if logprobs is not None:
            fields["logprobs"] = logprobs
        if self._is_ga:
            fields["obfuscation"] = self._ids.padding()
        return self.say(TRANSCRIPTION + "delta", **fields)

    def segment(self, item_id: str, segment: Mapping[str, Any]) -> bytes:
        """What one speaker said of an item, from models that tell speakers apart."""
        fields = {name: segment[name] for name in ("text", "id", "speaker", "start", "end")}
        return self.say(TRANSCRIPTION + "segment", item_id=item_id, content_index=0, **fields)

    def completed(self, item_id: str, transcript: str, **rest: Any) -> bytes:
        """The transcript of an item."""
        return self.say(
            TRANSCRIPTION + "completed", item_id=item_id, content_index=0, transcript=transcript, **rest
        )

    def failed(self, item_id: str, error: Mapping[str, Any]) -> bytes:
        """The transcription of an item has failed."""
        return self.say(TRANSCRIPTION + "failed", item_id=item_id, content_index=0, error=error)


def user_audio_item(item_id: str) -> dict[str, Any]:
    """A committed piece of audio; its transcript is still null, however it will end."""
    content = [{"type": "input_audio", "transcript": None}]
    return {"id": item_id, "type": "message", "status": "completed", "role": "user", "content": content}
