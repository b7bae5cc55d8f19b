"""The `realtime` pathway: a conversation session whose input is transcribed; no answer is wanted."""

from __future__ import annotations

from monitor.checks.realtime_session.conversation import (
    begin,
    converse,
    transcription_settings,
    turn_detection,
)
from monitor.checks.realtime_session.dialects import Update
from monitor.clips import Clip
from monitor.core.conversation import Conversation
from monitor.core.model import Target


def realtime(target: Target, clip: Clip, correlation: str) -> Conversation:
    """Speak into a session of a speech model and wait for the transcript of what was said."""
    preview = target.endpoint.dialect == "preview"
    update = preview_update(target) if preview else ga_update(target)
    return converse(begin(target, correlation), clip, correlation, update)


def ga_update(target: Target) -> Update:
    """The nested form; a turn must not start a response, which would cost tokens."""
    silent = (("create_response", False), ("interrupt_response", False))
    audio = {
        "format": {"type": "audio/pcm", "rate": target.endpoint.sample_rate},
        "transcription": transcription_settings(target),
        "turn_detection": turn_detection(target, silent),
    }
    session = {"type": "realtime", "output_modalities": ["text"], "audio": {"input": audio}}
    return {"type": "session.update", "event_id": "cfg-1", "session": session}


def preview_update(target: Target) -> Update:
    """The flat form of the preview dialect."""
    session = {
        "modalities": ["text"],
        "input_audio_format": "pcm16",
        "input_audio_transcription": transcription_settings(target),
        "turn_detection": turn_detection(target, (("create_response", False),)),
    }
    return {"type": "session.update", "event_id": "cfg-1", "session": session}
