"""Clips as they go over the wire, encoded once and kept: audio frames and upload bodies."""

from __future__ import annotations

import base64
import hashlib
import io
import sys
import wave
from array import array
from functools import lru_cache

from monitor.clips.recording import SAMPLE_RATE, Clip


@lru_cache(maxsize=64)
def append_frames(
    clip: Clip, *, rate: int = SAMPLE_RATE, chunk_ms: int = 100, silence_ms: int = 0
) -> tuple[str, ...]:
    """The clip as `input_audio_buffer.append` events, in JSON text, with ids `a-0001`, `a-0002`, ….

    Each carries *chunk_ms* of audio (the last one what is left) at *rate* samples a second;
    *silence_ms* of silence follow, without which a server's voice detection never ends the turn.
    Raises ValueError for a rate or chunk that is not positive.
    """
    if rate <= 0 or chunk_ms <= 0 or silence_ms < 0:
        raise ValueError("rate and chunk_ms must be positive, silence_ms not negative")
    samples = clip.pcm if rate == SAMPLE_RATE else _resample(clip.pcm, rate)
    samples += bytes(2 * (rate * silence_ms // 1000))
    step = 2 * max(1, rate * chunk_ms // 1000)
    return tuple(
        f'{{"type":"input_audio_buffer.append","event_id":"a-{number:04d}",'
        f'"audio":"{base64.b64encode(samples[start : start + step]).decode()}"}}'
        for number, start in enumerate(range(0, len(samples), step), 1)
    )


@lru_cache(maxsize=256)
def multipart(clip: Clip, fields: tuple[tuple[str, str], ...], *, part: str = "file") -> tuple[str, bytes]:
    """Content type and body of an upload: the fields in order, the recording last (RFC 7578).

    The file is always called `probe.wav`: providers judge the format by the name. The boundary
    follows from clip and fields, so that the same run sends the same bytes.
    """
    seed = repr((clip.sha256, fields)).encode() + (b"" if part == "file" else part.encode())
    boundary = f"earwitness-{hashlib.sha256(seed).hexdigest()[:32]}"
    parts = [_part(boundary, f'name="{_quoted(name)}"', value.encode()) for name, value in fields]
    disposition = f'name="{_quoted(part)}"; filename="probe.wav"\r\nContent-Type: audio/wav'
    parts.append(_part(boundary, disposition, clip.wav))
    parts.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(parts)


_WINDOW = SAMPLE_RATE // 50  # 20 ms
_QUIET = 0.02  # of the loudest sample: about 34 dB below it


@lru_cache(maxsize=256)
def speech_seconds(clip: Clip) -> float:
    """How long after its beginning the clip's last sound ends; 0 for a silent one."""
    samples = array("h", clip.pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    loudest = max((abs(sample) for sample in samples), default=0)
    for start in range(len(samples) - len(samples) % _WINDOW, -1, -_WINDOW):
        if any(abs(sample) > _QUIET * loudest for sample in samples[start : start + _WINDOW]):
            return min(start + _WINDOW, len(samples)) / SAMPLE_RATE
    return 0.0


@lru_cache(maxsize=64)
def wav_at(clip: Clip, rate: int) -> bytes:
    """The whole WAV file at *rate* samples a second: a header of 44 bytes, then mono 16-bit samples."""
    samples = clip.pcm if rate == SAMPLE_RATE else _resample(clip.pcm, rate)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples)
    return buffer.getvalue()


def _part(boundary: str, disposition: str, content: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def _quoted(name: str) -> str:
    # RFC 7578 leaves the escaping to the form's sender; every browser does it this way.
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _resample(pcm: bytes, rate: int) -> bytes:
    """The samples at another rate, by cutting or padding their spectrum (no aliasing)."""
    import numpy as np  # noqa: PLC0415 - 0.1 s to import, and only for servers with a rate of their own

    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    wanted = round(len(samples) * rate / SAMPLE_RATE)
    spectrum = np.fft.rfft(samples)
    kept = np.zeros(wanted // 2 + 1, dtype=spectrum.dtype)
    common = min(len(kept), len(spectrum))
    kept[:common] = spectrum[:common]
    resampled = np.fft.irfft(kept, wanted) * (wanted / len(samples))
    return np.clip(np.rint(resampled), -32768, 32767).astype("<i2").tobytes()
