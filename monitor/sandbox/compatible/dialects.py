"""How servers that call themselves compatible hold a realtime session, each in its own way.

Seen on the wire: speaches 2026-03, vLLM 0.22, and fasr for the dialect of Qwen-ASR. Together AI's is
that of its own reference page (reference/audio-transcriptions-realtime).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import ceil
from typing import Any

import orjson

from monitor.sandbox.compatible.session import (
    FAILED,
    TRANSCRIPTION,
    BadEvent,
    CompatibleSession,
    Item,
    pieces_of,
)
from monitor.sandbox.hearing.turn_detection import Turn

SHORTEST_MS = 100
_SPEACHES_VAD = {"type": "server_vad", "threshold": 0.9, "prefix_padding_ms": 0, "silence_duration_ms": 550}


def _error(message: str, code: str | None = None, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"type": kind, "code": code, "message": message, "param": None, "event_id": None}


class SpeachesSession(CompatibleSession):
    """Flat, and its own voice detection ends every turn; what cannot be transcribed is an `error`."""

    def begin(self) -> None:
        """Says `session.created`; the detection is on from the first sample."""
        self._turns: dict[str, Any] = dict(_SPEACHES_VAD)
        self.detect_turns(self._turns)
        self.send("session.created", session=self._shown())

    def _shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "input_audio_format": "pcm16",
            "input_audio_transcription": {"model": self.model, "language": None},
            "turn_detection": self._turns,
        }

    def handle(self, kind: str, event: Mapping[str, Any]) -> None:
        """An update takes flat keys only; a commit breaks what its own detection has begun."""
        match kind:
            case "session.update":
                self._update(event.get("session"))
            case "input_audio_buffer.commit":
                self._commit()
            case "input_audio_buffer.clear":
                self.send("input_audio_buffer.cleared")
            case _:
                raise BadEvent(f"Unhandled event type: {kind[:60]}")

    def _update(self, session: object) -> None:
        wanted = session if isinstance(session, dict) else {}
        if "turn_detection" in wanted and wanted["turn_detection"] is None:
            raise BadEvent("Specifying `turn_detection` as null is not supported")
        if wanted.get("input_audio_format", "pcm16") != "pcm16":
            raise BadEvent("Specifying `input_audio_format` is not supported")
        turns = wanted.get("turn_detection")
        if isinstance(turns, dict):
            self._turns = {**self._turns, **turns}
            self.detect_turns(self._turns)
        if not self.update_is_lost():
            self.send("session.updated", session=self._shown())

    def _commit(self) -> None:
        if self.waiting_ms < SHORTEST_MS:
            raise BadEvent(
                "Error committing input audio buffer: the buffer is too small, it has 0.00ms of audio"
            )
        # An assertion of its own: the item is named, and then the socket is gone without a close frame.
        self.acknowledge(Item(self._next_item, None, 0.0))
        self._line.later(0.05, self._line.cut)

    def take_turn(self, turn: Turn) -> None:
        """Says where the speech is."""
        edge = "audio_start_ms" if turn.event == "started" else "audio_end_ms"
        self.send(f"input_audio_buffer.speech_{turn.event}", **{edge: turn.at_ms}, item_id=self._next_item)

    def acknowledge(self, item: Item) -> None:
        """Says `committed` and `created`."""
        self.send("input_audio_buffer.committed", item_id=item.id, previous_item_id=None)
        content = [{"type": "input_audio", "transcript": None}]
        shown = {"id": item.id, "object": "realtime.item", "status": "completed", "type": "message"}
        shown_item = {**shown, "role": "user", "content": content}
        self.send("conversation.item.created", item=shown_item, previous_item_id=None)

    def complain(self, error: BadEvent) -> None:
        """Says an `error` with a null code."""
        self.send("error", error=_error(error.message))

    def say_words(self, item: Item, words: tuple[str, ...]) -> Sequence[bytes]:
        """Returns one event: there are no deltas."""
        usage = {"type": "duration", "seconds": round(item.seconds, 1)}
        fields = {"item_id": item.id, "content_index": 0, "transcript": " ".join(words)}
        return [self.event(TRANSCRIPTION + "completed", **fields, usage=usage, logprobs=None)]

    def say_failed(self, item: Item) -> bytes:  # noqa: ARG002
        """Returns an `error`: there is no `failed`."""
        return self.event("error", error=_error(FAILED, kind="server_error"))


class VllmSession(CompatibleSession):
    """A protocol of its own: 16 kHz, a commit that starts, a final one that ends; nothing is confirmed."""

    rate = 16_000
    takes_model_from_address = False

    def begin(self) -> None:
        """Says `session.created`, flat and without an event id."""
        self._has_started = False
        now = int(self._sandbox.clock().timestamp())
        self._line.send(
            orjson.dumps({"type": "session.created", "id": f"sess-{self.id[5:]}", "created": now})
        )

    def handle(self, kind: str, event: Mapping[str, Any]) -> None:
        """Without a starting commit nothing is ever said; a right update is not answered."""
        match kind:
            case "session.update":
                self._update(event.get("model"))
            case "input_audio_buffer.commit":
                self._commit(is_final=event.get("final") is True)
            case _:
                raise BadEvent(f"Unknown event type: {kind[:60]}", "invalid_event")

    def _update(self, model: object) -> None:
        if not isinstance(model, str):
            raise BadEvent("session.update names no model", "invalid_event")
        if model not in self._endpoint.deployments:
            raise BadEvent(f"The model `{model[:100]}` does not exist.", "model_not_found")
        self.model = model
        self.update_is_lost()

    def _commit(self, *, is_final: bool) -> None:
        if self.model is None:
            raise BadEvent("Model not validated. Send session.update first.", "model_not_validated")
        if not is_final:
            self._has_started = True
        elif self._has_started:
            self.conclude_all()

    def complain(self, error: BadEvent) -> None:
        """Says an `error` that is a string."""
        self._line.send(self._said("error", error=error.message, code=error.code))

    def say_words(self, item: Item, words: tuple[str, ...]) -> Sequence[bytes]:  # noqa: ARG002
        """Returns increments and the whole text with its tokens."""
        count = len(words)
        usage = {"prompt_tokens": 8, "completion_tokens": count, "total_tokens": 8 + count}
        said = [self._said("transcription.delta", delta=piece) for piece in pieces_of(words)]
        return [*said, self._said("transcription.done", text=" ".join(words), usage=usage)]

    def say_failed(self, item: Item) -> bytes:  # noqa: ARG002
        """Returns an `error` that is a string."""
        return self._said("error", error=FAILED, code="processing_error")

    def _said(self, kind: str, **fields: Any) -> bytes:
        return orjson.dumps({"type": kind, **fields})


class QwenSession(CompatibleSession):
    """Flat at 16 kHz; the text so far comes again and again, and nothing names the item."""

    rate = 16_000

    def begin(self) -> None:
        """Says `session.created`."""
        self.settings: dict[str, Any] = {
            "id": self.id,
            "model": self.model,
            "modalities": ["text"],
            "input_audio_format": "pcm",
            "sample_rate": self.rate,
            "turn_detection": {"type": "server_vad", "threshold": 0.2, "silence_duration_ms": 800},
        }
        self.detect_turns(self.settings["turn_detection"])
        self.send("session.created", session=self.settings)

    def handle(self, kind: str, event: Mapping[str, Any]) -> None:
        """A commit ends the turn where the detection is off; `session.finish` ends the session."""
        match kind:
            case "session.update":
                self._update(event.get("session"))
            case "input_audio_buffer.commit":
                if self.waiting_ms < SHORTEST_MS:
                    raise BadEvent("the audio buffer is empty", "input_audio_buffer_commit_empty")
                self.conclude_all()
            case "session.finish":
                self.send("session.finished")
                self._line.close(1000, "")
            case _:
                raise BadEvent(f"unknown event {kind[:60]}", "invalid_value")

    def _update(self, session: object) -> None:
        if not isinstance(session, dict):
            raise BadEvent("session.update has no session", "invalid_value")
        if session.get("sample_rate", self.rate) not in (8000, 16_000):
            raise BadEvent("sample_rate must be 8000 or 16000", "invalid_value")
        self.settings |= {key: session[key] for key in session if key in self.settings and key != "id"}
        self.detect_turns(self.settings["turn_detection"])
        if not self.update_is_lost():
            self.send("session.updated", session=self.settings)

    def take_turn(self, turn: Turn) -> None:
        """Says where the speech is."""
        edge = "audio_start_ms" if turn.event == "started" else "audio_end_ms"
        self.send(f"input_audio_buffer.speech_{turn.event}", **{edge: turn.at_ms}, item_id=self._next_item)

    def complain(self, error: BadEvent) -> None:
        """Says an `error` event."""
        self.send("error", error=_error(error.message, error.code))

    def say_words(self, item: Item, words: tuple[str, ...]) -> Sequence[bytes]:
        """Returns the text so far, again and again, and at the end `text` in place of `transcript`."""
        so_far = accumulate(pieces_of(words))
        said = [self.event(TRANSCRIPTION + "text", item_id=item.id, text=text, delta="") for text in so_far]
        return [*said, self.event(TRANSCRIPTION + "completed", item_id=item.id, text=" ".join(words))]

    def say_failed(self, item: Item) -> bytes:
        """Returns a `failed` event."""
        error = {"type": "server_error", "code": None, "message": FAILED}
        return self.event(TRANSCRIPTION + "failed", item_id=item.id, error=error)


class TogetherSession(CompatibleSession):
    """16 kHz; no event names an item, and the detection is set by an event called like its answer."""

    rate = 16_000

    def begin(self) -> None:
        """Says `session.created`, flat; an unknown model is a `failed` event."""
        self.send(
            "session.created", session={"id": self.id, "object": "realtime.session", "modalities": ["audio"]}
        )
        if self.model not in self._endpoint.deployments:
            error = _error(f"Model {self.model} is not available", "model_not_available")
            self.send(TRANSCRIPTION + "failed", error=error)

    def handle(self, kind: str, event: Mapping[str, Any]) -> None:
        """Takes the detection's settings, and commits."""
        match kind:
            case "transcription_session.updated":
                session = event.get("session")
                turns = session.get("turn_detection") if isinstance(session, dict) else None
                self.detect_turns(turns if isinstance(turns, dict) else None)
                if not self.update_is_lost():
                    self.send(kind, session={"turn_detection": turns})
            case "input_audio_buffer.commit":
                self.conclude_all()
            case _:
                raise BadEvent(f"Unknown message type {kind[:60]}", "invalid_event")

    def acknowledge(self, item: Item) -> None:  # noqa: ARG002
        """Says `committed`, of nothing in particular."""
        self.send("input_audio_buffer.committed")

    def complain(self, error: BadEvent) -> None:
        """Says an `error` event."""
        self.send("error", error=_error(error.message, error.code))

    def say_words(self, item: Item, words: tuple[str, ...]) -> Sequence[bytes]:
        """Returns increments and the whole text."""
        said = [self.event(TRANSCRIPTION + "delta", delta=piece) for piece in pieces_of(words)]
        usage = {"type": "duration", "seconds": ceil(item.seconds)}
        return [*said, self.event(TRANSCRIPTION + "completed", transcript=" ".join(words), usage=usage)]

    def say_failed(self, item: Item) -> bytes:  # noqa: ARG002
        """Returns a `failed` event without an item."""
        error = {"type": "server_error", "code": None, "message": FAILED, "param": None}
        return self.event(TRANSCRIPTION + "failed", error=error)


DIALECTS: Mapping[str, type[CompatibleSession]] = {
    "speaches": SpeachesSession,
    "vllm": VllmSession,
    "qwen": QwenSession,
    "together": TogetherSession,
}
