"""Audio as it comes over the wire, turned into 24 kHz mono signed 16-bit little-endian samples.

Of files only WAV with 16-bit PCM inside is opened here; what else may be uploaded is decoded in `uploads`.
"""

from __future__ import annotations

import io
import struct
import wave
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RATE = 24_000
BYTES_PER_MS = 48
TELEPHONE_RATE = 8_000
_KEPT_UPLOAD = 1024 * 1024  # what is read once and remembered, in bytes
_KEPT_OCTETS = 2_000
_BLOCK = 240_000  # samples that are resampled at once


class UnreadableAudio(ValueError):
    """An upload that is no PCM WAV file."""


class UploadedAudio(NamedTuple):
    """An upload: its samples at 24 kHz, and how long it is."""

    pcm: bytes
    seconds: float


def read_wav(content: bytes) -> UploadedAudio:
    """The samples of a WAV file of any rate and number of channels; raises UnreadableAudio."""
    return _recalled_wav(content) if len(content) <= _KEPT_UPLOAD else _read_wav(content)


def _read_wav(content: bytes) -> UploadedAudio:
    try:
        with wave.open(io.BytesIO(content)) as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError, ValueError) as error:
        raise UnreadableAudio(str(error)) from error
    if width != 2 or not 4_000 <= rate <= 192_000:
        raise UnreadableAudio(f"{8 * width} bits at {rate} Hz")
    samples = np.frombuffer(raw[: len(raw) // (2 * channels) * 2 * channels], "<i2").reshape(-1, channels)
    return recording(samples[:, 0] if channels == 1 else samples.mean(axis=1), rate)


def recording(mono: NDArray[np.generic], rate: int) -> UploadedAudio:
    """Samples of 16 bits at any rate as a recording."""
    return UploadedAudio(_at_24_khz(mono, rate), len(mono) / rate)


_recalled_wav = lru_cache(maxsize=32)(_read_wav)


def _at_24_khz(samples: NDArray[np.generic], rate: int) -> bytes:
    if rate == RATE or not len(samples):
        return samples.astype("<i2").tobytes()
    count, last = len(samples) * RATE // rate, len(samples) - 1
    made = np.empty(count, "<i2")
    for begin in range(0, count, _BLOCK):  # hours of audio must not take gigabytes
        moments = np.minimum(np.arange(begin, min(count, begin + _BLOCK)) * rate, last * RATE)
        first, end = int(moments[0]) // RATE, int(moments[-1]) // RATE + 2
        made[begin : begin + _BLOCK] = _between(samples[first:end].astype(np.int64), moments - first * RATE)
    return made.tobytes()


def _between(samples: NDArray[np.int64], moments: NDArray[np.int64]) -> NDArray[np.int16]:
    """The values at some moments, counted in RATE parts of a sample, on straight lines between the samples.

    In whole numbers, since what rounding gives would depend on where a piece begins.
    """
    before = moments // RATE
    part = moments - before * RATE
    after = np.minimum(before + 1, len(samples) - 1)
    made: NDArray[np.int16] = (samples[before] * (RATE - part) + samples[after] * part) // RATE
    return made.astype("<i2")


def from_telephone(law: str, octets: bytes) -> bytes:
    """G.711 at 8 kHz (*law* is ``audio/pcmu`` or ``audio/pcma``) as 24 kHz samples."""
    is_short = len(octets) <= _KEPT_OCTETS
    return _recalled_octets(law, octets) if is_short else _from_telephone(law, octets)


def _from_telephone(law: str, octets: bytes) -> bytes:
    table = _MU_LAW if law == "audio/pcmu" else _A_LAW
    return _at_24_khz(table[np.frombuffer(octets, np.uint8)], TELEPHONE_RATE)


_recalled_octets = lru_cache(maxsize=1024)(_from_telephone)


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


def is_silent(pcm: bytes) -> bool:
    """Whether *pcm* never gets louder than the noise of an empty room (-50 dB below full scale)."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2")
    return samples.size == 0 or int(np.abs(samples.astype(np.int32)).max()) < 104


class StreamHeader(NamedTuple):
    """The head of a WAV stream: its rate, and how many bytes it takes."""

    rate: int
    size: int


def read_stream_header(content: bytes) -> StreamHeader:
    """The head of a mono 16-bit WAV stream whose lengths may be zero; raises UnreadableAudio."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise UnreadableAudio("the audio must begin with a RIFF header")
    at, rate = 12, 0
    while len(content) >= at + 8:
        name, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name == b"data":
            break
        if name == b"fmt ":
            kind, channels, rate = struct.unpack_from("<HHI", content, at + 8)
            (bits,) = struct.unpack_from("<H", content, at + 22)
            if (kind, channels, bits) != (1, 1, 16) or not 8_000 <= rate <= 48_000:
                raise UnreadableAudio("the audio must be PCM, mono, 16 bits, 8 to 48 kHz")
        at += 8 + length
    if not rate:
        raise UnreadableAudio("the RIFF header has no format")
    return StreamHeader(rate, min(at + 8, len(content)))


class Resampler:
    """Brings a stream of 16-bit samples of any rate to 24 kHz, whatever the pieces in which it comes."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._left = b""
        self._moment = 0  # of the next sample out, in parts of `_left`'s samples: RATE parts are one

    def feed(self, raw: bytes) -> bytes:
        """The samples at 24 kHz that *raw* completes."""
        data = self._left + raw
        samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int64)
        last = len(samples) - 1
        if last * RATE < self._moment:
            self._left = data
            return b""
        moments = np.arange(self._moment, last * RATE + 1, self._rate)
        made = _between(samples, moments)
        following = self._moment + len(moments) * self._rate
        kept = min(following // RATE, last)
        self._left, self._moment = data[2 * kept :], following - kept * RATE
        return made.tobytes()
