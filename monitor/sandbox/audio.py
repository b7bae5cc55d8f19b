"""Audio as it comes over the wire, turned into 24 kHz mono signed 16-bit little-endian samples.

Only WAV files with PCM inside are opened; the sandbox carries no decoder for compressed formats.
"""

from __future__ import annotations

import io
import wave
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RATE = 24_000
BYTES_PER_MS = 48
TELEPHONE_RATE = 8_000


class UnreadableAudio(ValueError):
    """An upload that is no PCM WAV file."""


class Recording(NamedTuple):
    """An upload: its samples at 24 kHz, and how long it is."""

    pcm: bytes
    seconds: float


@lru_cache(maxsize=32)
def read_wav(content: bytes) -> Recording:
    """The samples of a WAV file of any rate and number of channels; raises UnreadableAudio."""
    try:
        with wave.open(io.BytesIO(content)) as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError, ValueError) as error:
        raise UnreadableAudio(str(error)) from error
    if width != 2 or not 4_000 <= rate <= 192_000:
        raise UnreadableAudio(f"{8 * width} bits at {rate} Hz")
    samples = np.frombuffer(raw[: len(raw) // (2 * channels) * 2 * channels], "<i2").reshape(-1, channels)
    mono = samples[:, 0] if channels == 1 else samples.mean(axis=1)
    return Recording(_at_24_khz(mono, rate), len(mono) / rate)


def _at_24_khz(samples: NDArray[np.generic], rate: int) -> bytes:
    if rate == RATE:
        return samples.astype("<i2").tobytes()
    moments = np.arange(len(samples) * RATE // rate) * (rate / RATE)
    resampled = np.interp(moments, np.arange(len(samples)), samples.astype(np.float64))
    return bytes(resampled.astype("<i2").tobytes())


@lru_cache(maxsize=1024)
def from_telephone(law: str, octets: bytes) -> bytes:
    """G.711 at 8 kHz (*law* is ``audio/pcmu`` or ``audio/pcma``) as 24 kHz samples."""
    table = _MU_LAW if law == "audio/pcmu" else _A_LAW
    return _at_24_khz(table[np.frombuffer(octets, np.uint8)], TELEPHONE_RATE)


def _mu_law() -> NDArray[np.int16]:
    """ITU-T G.711, table 2: complemented octet, three bits of segment, four of step, bias 132."""
    octets = ~np.arange(256, dtype=np.uint8)
    segment, step = (octets >> 4) & 7, octets & 15
    size = (((step.astype(np.int32) << 3) + 132) << segment) - 132
    return np.where(octets & 128, -size, size).astype(np.int16)


def _a_law() -> NDArray[np.int16]:
    """ITU-T G.711, table 1: even bits inverted, three bits of segment, four of step."""
    octets = np.arange(256, dtype=np.uint8) ^ np.uint8(0x55)
    segment, step = ((octets >> 4) & 7).astype(np.int32), (octets & 15).astype(np.int32)
    size = np.where(segment == 0, (step << 4) + 8, ((step << 4) + 264) << np.maximum(segment - 1, 0))
    return np.where(octets & 128, size, -size).astype(np.int16)


_MU_LAW, _A_LAW = _mu_law(), _a_law()
