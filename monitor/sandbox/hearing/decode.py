"""Uploaded files as samples: WAV by itself, other formats where a decoder is installed.

The decoder (soundfile, of the extra `audio`) is imported when the first such file comes, and not before.
"""

from __future__ import annotations

import importlib
import io
from typing import Any

import numpy as np

from monitor.sandbox.hearing.audio import UnreadableAudio, UploadedAudio, read_wav, recording

QUICK_BYTES = 1024 * 1024  # larger files are better read beside the event loop
LONGEST = 4 * 3600.0  # seconds; a small file of silence may unpack to days
_BLOCK = 1_000_000  # frames that are decoded at once


def read_upload(content: bytes) -> UploadedAudio:
    """The samples of a file in any format that can be decoded here; raises UnreadableAudio."""
    try:
        return read_wav(content)
    except UnreadableAudio:
        return _decoded(content)


def _decoded(content: bytes) -> UploadedAudio:
    try:
        library: Any = importlib.import_module("soundfile")
    except (ImportError, OSError) as error:
        raise UnreadableAudio("no decoder is installed; it comes with the extra audio") from error
    try:
        with library.SoundFile(io.BytesIO(content)) as file:
            if not 0 < file.frames <= LONGEST * file.samplerate:
                raise UnreadableAudio(f"{file.frames} frames at {file.samplerate} Hz")
            blocks = [
                block.mean(axis=1).astype(np.int16)
                for block in file.blocks(_BLOCK, dtype="int16", always_2d=True)
            ]
            return recording(np.concatenate(blocks), int(file.samplerate))
    except (library.LibsndfileError, RuntimeError, ValueError) as error:
        raise UnreadableAudio(str(error)) from error
