"""The messages of Azure AI Speech's WebSocket: made and read; nothing is asked here, nothing ever raised.

The protocol is that of the open JavaScript SDK (2026-07-13); it is not documented for others.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor.clips import Clip, wav_at
from monitor.core.classification.error_bodies import mapping, read_json
from monitor.core.timefmt import rfc3339

RATE = 16_000
CHUNK_MS = 100
_CHUNK = 2 * RATE * CHUNK_MS // 1000
_RIFF = 44  # bytes of the header that the first message carries alone
CONFIG: Mapping[str, Any] = {
    "context": {
        "system": {"name": "earwitness", "version": "1", "build": "python", "lang": "Python"},
        "os": {"platform": "server", "name": "earwitness", "version": "1"},
        "audio": {"source": {"samplerate": RATE, "bitspersample": 16, "channelcount": 1, "type": "File"}},
    }
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceMessage:
    """One message of the service: its path in lower case, and its body's fields, if it has any."""

    at: float
    path: str
    fields: Mapping[str, object]


def read_message(text: str, at: float) -> ServiceMessage:
    """The message in a text; the path is empty where it names none."""
    head, _, body = text.partition("\r\n\r\n")
    pairs = [line.partition(":") for line in head[:4_000].split("\r\n")]
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    try:
        fields = mapping(read_json(body)) if body.strip() else {}
    except ValueError:
        fields = {}
    return ServiceMessage(at=at, path=headers.get("path", "").lower(), fields=fields)


def config_message(request: str, now: datetime) -> str:
    """What opens the turn: who is asking, and what the audio is."""
    head = f"Path: speech.config\r\n{_common(request, now)}Content-Type: application/json\r\n\r\n"
    return head + json.dumps(CONFIG, separators=(",", ":"))


def audio_messages(clip: Clip, request: str, now: datetime, spacing: float) -> Iterator[bytes]:
    """The clip at 16 kHz: its RIFF header, its samples, and the empty message that ends the stream."""
    wav = wav_at(clip, RATE)
    yield _audio(request, now, wav[:_RIFF], "Content-Type: audio/x-wav\r\n")
    for number, start in enumerate(range(_RIFF, len(wav), _CHUNK)):
        then = now + timedelta(seconds=number * spacing)
        yield _audio(request, then, wav[start : start + _CHUNK])
    yield _audio(request, now, b"")


def _audio(request: str, now: datetime, data: bytes, more: str = "") -> bytes:
    head = f"Path: audio\r\n{_common(request, now)}{more}".encode("ascii")
    return struct.pack(">H", len(head)) + head + data


def _common(request: str, now: datetime) -> str:
    return f"X-RequestId: {request}\r\nX-Timestamp: {rfc3339(now)}\r\n"
