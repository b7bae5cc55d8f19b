"""Connections that break instead of giving an answer."""

from __future__ import annotations

from typing import Protocol

from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.faults.payloads import BROKEN_JSON, INVALID_UTF8


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


def break_connection(line: EndingLine, fault: ActiveFault, event: bytes) -> bool:
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
