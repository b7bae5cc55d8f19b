"""Uploaded files as samples: WAV by itself, other formats where a decoder is installed.

The decoders (soundfile, of the extra `audio`, and PyAV, of the extra `m4a`) are imported when the first such
file comes, and not before.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from monitor.sandbox.hearing.audio import UnreadableAudio, UploadedAudio, read_wav, recording

QUICK_BYTES = 1024 * 1024  # larger files are better read beside the event loop
LONGEST = 4 * 3600.0  # seconds; a small file of silence may unpack to days
_BLOCK = 1_000_000  # frames that are decoded at once
# The endings of files, in the order in which the live services list them, with the library that decodes them.
_DECODERS: Mapping[str, str | None] = {
    "flac": "soundfile", "m4a": "av", "mp3": "soundfile", "mp4": "av", "mpeg": "soundfile",
    "mpga": "soundfile", "oga": "soundfile", "ogg": "soundfile", "wav": None, "webm": "av",
}  # fmt: skip


@cache
def known_formats() -> tuple[str, ...]:
    """The endings of the files that can be decoded here; what cannot be is not offered."""
    return tuple(name for name, library in _DECODERS.items() if library is None or find_spec(library))


def read_upload(content: bytes) -> UploadedAudio:
    """The samples of a file in any format that can be decoded here; raises UnreadableAudio."""
    try:
        return read_wav(content)
    except UnreadableAudio:
        return _decoded(content)


def _decoded(content: bytes) -> UploadedAudio:
    try:
        return _by_soundfile(content)
    except _OtherFormat:
        if "m4a" not in known_formats():
            raise
    return _by_av(content)


def _check_length(frames: int, rate: int) -> None:
    if not 0 < frames <= LONGEST * rate:
        raise UnreadableAudio(f"{frames} frames at {rate} Hz")


class _OtherFormat(UnreadableAudio):
    """The file is of no format that this decoder knows."""


def _by_av(content: bytes) -> UploadedAudio:
    library: Any = importlib.import_module("av")
    blocks: list[Any] = []
    length = 0
    try:
        with library.open(io.BytesIO(content), metadata_errors="ignore") as container:
            stream = container.streams.audio[0]
            rate = int(stream.rate)
            resampler = library.AudioResampler(format="s16", layout="mono", rate=rate)
            for frame in container.decode(stream):
                made = [part.to_ndarray()[0] for part in resampler.resample(frame)]
                blocks += made
                length += sum(map(len, made))
                if length:
                    _check_length(length, rate)
            blocks += [part.to_ndarray()[0] for part in resampler.resample(None)]
    except UnreadableAudio:
        raise
    except (library.FFmpegError, IndexError, ValueError, OSError) as error:
        raise UnreadableAudio(str(error)) from error
    _check_length(length, rate)
    return recording(np.concatenate(blocks), rate)


def _by_soundfile(content: bytes) -> UploadedAudio:
    try:
        library: Any = importlib.import_module("soundfile")
    except (ImportError, OSError) as error:
        raise _OtherFormat("no decoder is installed; it comes with the extra audio") from error
    try:
        with library.SoundFile(io.BytesIO(content)) as file:
            _check_length(file.frames, file.samplerate)
            blocks = [
                block.mean(axis=1).astype(np.int16)
                for block in file.blocks(_BLOCK, dtype="int16", always_2d=True)
            ]
            return recording(np.concatenate(blocks), int(file.samplerate))
    except UnreadableAudio:
        raise
    except (library.LibsndfileError, RuntimeError, ValueError) as error:
        raise _OtherFormat(str(error)) from error
