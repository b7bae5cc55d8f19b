"""The kinds of realtime sessions, in the words of the protocol."""

from __future__ import annotations

from typing import Literal

Dialect = Literal["ga", "preview"]


Purpose = Literal["realtime", "transcription"]
