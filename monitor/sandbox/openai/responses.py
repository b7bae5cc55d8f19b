"""Responses of a conversation session: the speech model hears for itself and answers with what it heard.

They go on whatever becomes of the transcription, which is a side job.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from monitor.sandbox.common import json_checks, refusals, transcripts
from monitor.sandbox.common.refusals import Complaint
from monitor.sandbox.common.state import Sandbox
from monitor.sandbox.common.transcripts import LETTERS_A_TOKEN, deltas
from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.faults.catalogue import FaultMoment
from monitor.sandbox.openai.validation import check_response

if TYPE_CHECKING:
    from monitor.sandbox.openai.connection import Line
    from monitor.sandbox.openai.session import Session

MOST_WORDS = 4096  # about as many as the live models may say
NOT_HEARD = "I did not catch that."
_SECOND_OF_SOUND = base64.b64encode(bytes(4800)).decode()


class ResponseStrand:
    """The response strand of one session; at most one response at a time."""

    def __init__(self, session: Session, line: Line, sandbox: Sandbox) -> None:
        self._session = session
        self._line = line
        self._sandbox = sandbox
        self._active: _Response | None = None
        self.has_spoken = False  # aloud, after which the voice is settled
        self._conversation = sandbox.ids.draw("conv")

    def create(self, event: dict[str, Any]) -> Complaint | None:
        """Answers `response.create`."""
        if self._active is not None:
            message = f"Conversation already has an active response in progress: {self._active.id}"
            return Complaint("conversation_already_has_active_response", message)
        wanted = event.get("response")
        if wanted is not None and not isinstance(wanted, dict):
            return json_checks.wrong_type(wanted, "response", "an object")
        wanted = wanted or {}
        complaint = check_response(self._session.settings.dialect)(wanted, "response")
        if complaint is None:
            self.begin(wanted)
        return complaint

    def cancel(self, _event: dict[str, Any]) -> Complaint | None:
        """Answers `response.cancel`."""
        if self._active is None:
            return Complaint("response_cancel_not_active", "Cancellation failed: no active response found")
        self._stop("client_cancelled")
        return None

    def interrupt(self) -> None:
        """Stops an answer because somebody speaks."""
        if self._active is not None:
            self._stop("turn_detected")

    def begin(self, wanted: dict[str, Any]) -> None:
        """Starts a response, unless one is under way."""
        if self._active is not None:
            return
        conversation = self._session.conversation
        fault = self._session.strike(
            FaultMoment.RESPONSE, "dual" if conversation.last_came_as == "text" else None
        )
        name = fault.fault if fault else ""
        if name == "drop":
            self._line.cut()
        if name in ("drop", "silent") or conversation.is_abandoned:
            return
        self._active = response = self._new(wanted, fault)
        if name != "response_failed_at_once":
            self._send(self._session.speaker.say("response.created", response=response.shown("in_progress")))
        delay = self._sandbox.script.latency.response
        if fault is not None and name == "slow":
            delay += float(fault.extras.get("delay", 10))
        self._line.later(delay, lambda: self._speak(response))

    def _new(self, wanted: dict[str, Any], fault: ActiveFault | None) -> _Response:
        settings = self._session.settings
        is_ga = settings.dialect == "ga"
        key = "output_modalities" if is_ga else "modalities"
        words = tuple((self._session.conversation.last_words or NOT_HEARD).split())[:MOST_WORDS]
        return _Response(
            name=self._sandbox.ids.draw("resp"),
            item_id=self._sandbox.ids.draw("item"),
            conversation=self._conversation,
            modalities=wanted.get(key) or settings.shown[key],
            is_ga=is_ga,
            text=" ".join(transcripts.altered(words, fault)),
            fault=fault,
        )

    def _stop(self, reason: str) -> None:
        response, self._active = self._active, None
        if response is not None:
            self._send_done(response, "cancelled", {"type": "cancelled", "reason": reason})

    def _send_done(self, response: _Response, status: str, details: dict[str, Any]) -> None:
        shown = response.shown(status) | {"status_details": details}
        self._send(self._session.speaker.say("response.done", response=shown))

    def _send(self, *events: bytes) -> None:
        for event in events:
            self._line.send(event)

    def _speak(self, response: _Response) -> None:
        if self._active is not response:
            return
        ending = self._ending(response)
        if ending is not None:
            self._active = None
            self._send_done(response, *ending)
            return
        events = self._events(response, self._session.speaker.say)
        if response.fault_name == "deltas_stop":
            self._send(*events[: 3 + max(1, len(response.text.split()) // 2)])
            return
        self._send(*events)
        self.has_spoken = self.has_spoken or response.speaks
        self._session.conversation.add(response.item("completed"))
        self._active = None

    def _ending(self, response: _Response) -> tuple[str, dict[str, Any]] | None:
        """How a fault ends the response, as status and details; None where it is spoken."""
        fault, name = response.fault, response.fault_name
        if fault is None:
            return None
        settings = self._session.settings
        if name.startswith("response_failed") or name[0].isdigit():
            identity = str(settings.shown["id"])
            error = refusals.response_failure(self._session.endpoint, fault, identity, settings.host)
            return "failed", {"type": "failed", "error": error}
        if name == "response_incomplete":
            reason = fault.extras.get("reason", "max_output_tokens")
            return "incomplete", {"type": "incomplete", "reason": reason}
        if name == "response_cancelled":
            return "cancelled", {"type": "cancelled", "reason": "turn_detected"}
        return None

    def _events(self, response: _Response, say: Callable[..., bytes]) -> list[bytes]:
        speaker, previous = self._session.speaker, self._session.conversation.last_item
        whole, part = {"response_id": response.id, "output_index": 0}, response.place
        opened, done = response.item("in_progress"), response.item("completed")
        done_item = [speaker.item_done(done, previous)] if response.is_ga else []
        limit = {"name": "tokens", "limit": 15_000_000, "remaining": 14_999_936, "reset_seconds": 0.001}
        return [
            say("response.output_item.added", **whole, item=opened),
            speaker.item_added(opened, previous),
            say("response.content_part.added", **part, part=response.part("")),
            *self._content(response, say),
            say("response.content_part.done", **part, part=response.part(response.text)),
            *done_item,
            say("response.output_item.done", **whole, item=done),
            say("response.done", response=response.shown("completed")),
            say("rate_limits.updated", rate_limits=[limit]),
        ]

    def _content(self, response: _Response, say: Callable[..., bytes]) -> list[bytes]:
        place = response.place
        kind = "output_audio_transcript" if response.speaks else "output_text"
        said = [
            say(f"response.{kind}.delta", **place, delta=piece, **self._padding(response))
            for piece in deltas(tuple(response.text.split()))
        ]
        if not response.speaks:
            return [*said, say("response.output_text.done", **place, text=response.text)]
        return [
            *said,
            say("response.output_audio.delta", **place, delta=_SECOND_OF_SOUND),
            say("response.output_audio.done", **place),
            say("response.output_audio_transcript.done", **place, transcript=response.text),
        ]

    def _padding(self, response: _Response) -> dict[str, str]:
        return {"obfuscation": self._sandbox.ids.padding()} if response.is_ga else {}


class _Response:
    """One response and its shapes on the wire."""

    def __init__(
        self,
        *,
        name: str,
        item_id: str,
        conversation: str,
        modalities: list[str],
        is_ga: bool,
        text: str,
        fault: ActiveFault | None,
    ) -> None:
        self.id = name
        self.item_id = item_id
        self.is_ga = is_ga
        self.text = text
        self._conversation = conversation
        self._modalities = modalities
        self.speaks = "audio" in modalities
        self.fault = fault
        self.fault_name = fault.fault if fault else ""

    @property
    def place(self) -> dict[str, Any]:
        """Where a piece of content belongs."""
        return {"response_id": self.id, "item_id": self.item_id, "output_index": 0, "content_index": 0}

    def part(self, text: str) -> dict[str, Any]:
        """The content part as the `content_part` events show it."""
        return {"type": "audio", "transcript": text} if self.speaks else {"type": "text", "text": text}

    def item(self, status: str) -> dict[str, Any]:
        """The assistant's item, empty until it is completed."""
        content = [self._finished_part()] if status == "completed" else []
        shape = {} if self.is_ga else {"object": "realtime.item"}
        return {
            "id": self.item_id,
            **shape,
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": content,
        }

    def _finished_part(self) -> dict[str, Any]:
        prefix = "output_" if self.is_ga else ""
        if self.speaks:
            return {"type": f"{prefix}audio", "transcript": self.text}
        return {"type": f"{prefix}text", "text": self.text}

    def shown(self, status: str) -> dict[str, Any]:
        """The response object."""
        is_done = status == "completed"
        limit = "max_output_tokens" if self.is_ga else "max_response_output_tokens"
        sound = {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "marin"}
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": None,
            "output": [self.item(status)] if is_done else [],
            "conversation_id": self._conversation,
            "output_modalities" if self.is_ga else "modalities": self._modalities,
            limit: "inf",
            **({"audio": {"output": sound}} if self.is_ga else {}),
            "usage": self._usage() if is_done else None,
            "metadata": None,
        }

    def _usage(self) -> dict[str, Any]:
        heard, said = 52, len(self.text) // LETTERS_A_TOKEN + 1
        cached = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
        return {
            "total_tokens": heard + said,
            "input_tokens": heard,
            "output_tokens": said,
            "input_token_details": {
                "text_tokens": heard,
                "audio_tokens": 0,
                "image_tokens": 0,
                "cached_tokens": 0,
                "cached_tokens_details": cached,
            },
            "output_token_details": {"text_tokens": said, "audio_tokens": 0},
        }
