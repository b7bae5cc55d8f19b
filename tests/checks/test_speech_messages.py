"""The framing of Azure AI Speech's messages, both ways."""

from __future__ import annotations

import json
import struct
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from monitor.checks.speech_messages import audio_messages, config_message, read_message
from monitor.clips import load_clip, wav_at

NOW = datetime(2026, 10, 5, 8, 30, tzinfo=UTC)
REQUEST = "0" * 32


def split(message: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body of a binary message."""
    (length,) = struct.unpack(">H", message[:2])
    lines = message[2 : 2 + length].decode("ascii").split("\r\n")
    assert lines[-1] == ""
    headers = dict(line.split(": ", 1) for line in lines[:-1])
    return headers, message[2 + length :]


def test_the_turn_opens_with_who_is_asking() -> None:
    """Headers, a blank line, JSON."""
    head, _, body = config_message(REQUEST, NOW).partition("\r\n\r\n")
    assert head.split("\r\n") == [
        "Path: speech.config",
        f"X-RequestId: {REQUEST}",
        "X-Timestamp: 2026-10-05T08:30:00Z",
        "Content-Type: application/json",
    ]
    assert json.loads(body)["context"]["audio"]["source"]["samplerate"] == 16_000


def test_the_audio_is_a_header_chunks_and_an_end() -> None:
    """Together the messages carry the WAV file at 16 kHz, and the last one nothing."""
    clip = load_clip("amiable")
    parts = [split(message) for message in audio_messages(clip, REQUEST, NOW, 0.1)]

    assert b"".join(body for _, body in parts) == wav_at(clip, 16_000)
    assert parts[0][1][:4] == b"RIFF"
    assert len(parts[0][1]) == 44
    assert parts[0][0]["Content-Type"] == "audio/x-wav"
    assert [headers["Path"] for headers, _ in parts] == ["audio"] * len(parts)
    assert parts[-1][1] == b""
    assert {len(body) for _, body in parts[1:-2]} == {3200}
    assert parts[11][0]["X-Timestamp"] == "2026-10-05T08:30:01Z"


def test_headers_are_read_however_they_are_written() -> None:
    """Names without regard to case; a body may be empty."""
    message = read_message('PATH:Speech.Phrase\r\nX-RequestId:1\r\n\r\n{"RecognitionStatus":"Success"}', 1.0)
    assert (message.path, message.fields) == ("speech.phrase", {"RecognitionStatus": "Success"})
    assert read_message("Path: turn.end\r\n\r\n", 1.0).path == "turn.end"


@given(st.text(max_size=80))
def test_any_text_is_read(text: str) -> None:
    """Nothing raises; what names no path has none."""
    assert isinstance(read_message(text, 0.0).path, str)
