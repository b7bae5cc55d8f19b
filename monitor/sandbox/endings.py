"""The ways in which the events at the end of an item can go wrong.

When an item ends, and which fault strikes it, is decided by the session.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import orjson

from monitor.sandbox.faults import Fault
from monitor.sandbox.hostile import BROKEN_JSON, INVALID_UTF8
from monitor.sandbox.refusals import Complaint
from monitor.sandbox.speaker import TRANSCRIPTION, Speaker


class EndingLine(Protocol):
    """What is needed of a connection to end an item badly."""

    def send(self, event: bytes) -> None:
        """Puts an event on its way."""

    def send_binary(self, data: bytes) -> None:
        """Puts a binary frame on its way."""

    def close(self, code: int, reason: str) -> None:
        """Ends the connection with a close frame."""

    def half_close(self) -> None:
        """Shuts the sending side without a close frame."""


def break_connection(line: EndingLine, fault: Fault, event: bytes) -> bool:
    """Shows *fault* in place of *event*, if it is one of broken bytes or of a lost connection."""
    match fault.fault:
        case "invalid_json":
            line.send(BROKEN_JSON[str(fault.extras.get("variant", "cut"))])
        case "invalid_utf8":
            line.send(INVALID_UTF8)
        case "binary_frame":
            line.send_binary(event)
        case "close":
            line.close(int(fault.extras.get("close", 1011)), str(fault.extras.get("reason", "")))
        case "half_close":
            line.half_close()
        case _:
            return False
    return True


class Ending:
    """The end of one item: its deltas, then its transcript, unless a fault has it otherwise."""

    def __init__(
        self, line: EndingLine, speaker: Speaker, deltas: Callable[[], None], completed: Callable[[], bytes]
    ) -> None:
        self._line = line
        self._speaker = speaker
        self._deltas = deltas
        self._completed = completed

    def show(self, fault: Fault) -> bool:
        """Ends the item as *fault* wants it; False where it is none of those known here."""
        if break_connection(self._line, fault, self._completed()):
            return True
        match fault.fault:
            case "completed_only":
                self._line.send(self._completed())
            case "error_event":
                self._line.send(self._speaker.complain(_complaint(fault), None))
            case "wrong_item":
                self._line.send(self._changed(item_id="item_ofSomebodyElse00000"))
            case "duplicates":
                self._deltas()
                self._line.send(self._completed())
                self._line.send(self._completed())
            case "out_of_order":
                self._line.send(self._completed())
                self._deltas()
            case "unknown_events":
                self._line.send(self._speaker.say("sandbox.weather", temperature=21))
                self._deltas()
                self._line.send(self._speaker.say(TRANSCRIPTION + "mood", item_id=None, mood="good"))
                self._line.send(self._completed())
            case "bare_completed":
                event = orjson.loads(self._completed())
                self._line.send(orjson.dumps({key: event[key] for key in ("type", "transcript")}))
            case _:
                return False
        return True

    def _changed(self, **fields: Any) -> bytes:
        return orjson.dumps(orjson.loads(self._completed()) | fields)


def _complaint(fault: Fault) -> Complaint:
    message = "The server had an error while processing your request. Sorry about that!"
    said = fault.extras
    return Complaint(said.get("code"), said.get("message", message), type=said.get("type", "server_error"))
