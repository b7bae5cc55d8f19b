"""The `realtime_transcription` pathway: a session that only transcribes and never answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitor.checks.realtime_session.client_secret import mint
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


def realtime_transcription(target: Target, clip: Clip, correlation: str) -> Conversation:
    """Speak into a transcription session and wait for the transcript."""
    run = begin(target, correlation)
    update = (run.dialect.update or _UPDATES[target.endpoint.dialect])(target)
    if target.client_secret:
        failed = yield from mint(run, correlation, update)
        if failed is not None:
            return failed
    return (yield from converse(run, clip, correlation, update))


def ga_update(target: Target) -> Update:
    """The nested form; noise reduction is off, so that what is measured is the model."""
    audio = {
        "format": {"type": "audio/pcm", "rate": target.endpoint.sample_rate},
        "transcription": transcription_settings(target),
        "noise_reduction": None,
        "turn_detection": turn_detection(target),
    }
    session = {"type": "transcription", "audio": {"input": audio}}
    return {"type": "session.update", "event_id": "cfg-1", "session": session}


def preview_update(target: Target) -> Update:
    """The flat form of the preview dialect, with an event name of its own."""
    session = {
        "input_audio_format": "pcm16",
        "input_audio_transcription": transcription_settings(target),
        "turn_detection": turn_detection(target),
    }
    return {"type": "transcription_session.update", "event_id": "cfg-1", "session": session}


_UPDATES: Mapping[str, Callable[[Target], Update]] = {"ga": ga_update, "preview": preview_update}
