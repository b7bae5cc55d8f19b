"""The ways in which the events at the end of an item can go wrong.

When an item ends, and which fault strikes it, is decided by the session.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from monitor.sandbox.common.broken_connection import EndingLine, break_connection
from monitor.sandbox.common.refusals import Complaint
from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.openai.server_events import TRANSCRIPTION, ServerEvents


class ItemEnding:
    """The end of one item: its deltas, then its transcript, unless a fault has it otherwise."""

    def __init__(
        self,
        line: EndingLine,
        speaker: ServerEvents,
        deltas: Callable[[], None],
        completed: Callable[[], bytes],
    ) -> None:
        self._line = line
        self._speaker = speaker
        self._deltas = deltas
        self._completed = completed

    def show(self, fault: ActiveFault) -> bool:
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


def _complaint(fault: ActiveFault) -> Complaint:
    message = "The server had an error while processing your request. Sorry about that!"
    said = fault.extras
    return Complaint(said.get("code"), said.get("message", message), type=said.get("type", "server_error"))
