"""The reference recordings: loading, checking, and encoding once for the wire.

Nothing here judges what a model heard, and nothing here opens a socket.
"""

from __future__ import annotations

from monitor.clips.encoding import append_frames, multipart, speech_seconds, wav_at
from monitor.clips.recording import (
    BYTES_PER_SECOND,
    SAMPLE_RATE,
    SILENCE,
    Clip,
    load_clip,
    names,
    silence_clip,
)

__all__ = [
    "BYTES_PER_SECOND",
    "SAMPLE_RATE",
    "SILENCE",
    "Clip",
    "append_frames",
    "load_clip",
    "multipart",
    "names",
    "silence_clip",
    "speech_seconds",
    "wav_at",
]
