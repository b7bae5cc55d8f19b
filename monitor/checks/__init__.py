"""Pathways and their scenarios: a family of conversations by name; nothing here opens a socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitor.checks.dual import dual
from monitor.checks.realtime import realtime
from monitor.checks.realtime_transcription import realtime_transcription
from monitor.checks.rest import rest
from monitor.checks.rest_stream import rest_stream
from monitor.checks.speech_rest import speech_rest
from monitor.checks.speech_ws import speech_ws
from monitor.clips import Clip
from monitor.core.conversation import Conversation
from monitor.core.model import Target

__all__ = ["CHECKS", "Check"]

# Target, clip, and the correlation id that the provider is told; nothing is sent until it is run.
Check = Callable[[Target, Clip, str], Conversation]

CHECKS: Mapping[str, Check] = {
    "rest": rest,
    "rest_stream": rest_stream,
    "realtime": realtime,
    "realtime_transcription": realtime_transcription,
    "dual": dual,
    "speech_rest": speech_rest,
    "speech_ws": speech_ws,
}
