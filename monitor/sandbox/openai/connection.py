"""What a session needs of its connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from monitor.sandbox.common.broken_connection import EndingLine


class Line(EndingLine, Protocol):
    """The connection as a session sees it."""

    def cut(self) -> None:
        """Ends the connection without a close frame."""

    def stop_reading(self) -> None:
        """Reads nothing more of what the client sends."""

    def later(self, seconds: float, step: Callable[[], None]) -> None:
        """Does *step* after so many seconds, at once for none, never once the line is closed."""

    def resume(self, step: Callable[[], None]) -> None:
        """Does *step* now, on behalf of work that went on elsewhere."""
