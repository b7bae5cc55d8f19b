"""What the sandbox's tests share: a line without a socket, ready frames, and ways to begin a session."""

from __future__ import annotations

import base64
import io
import random
import struct
import wave
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson

from monitor import clips
from monitor.sandbox import ActiveFault, Sandbox, Script, ServedEndpoint
from monitor.sandbox.common.script import NO_LATENCY
from monitor.sandbox.common.session_kind import Dialect, Purpose
from monitor.sandbox.faults.active import parse_fault
from monitor.sandbox.openai.session import Session
from monitor.sandbox.openai.session_settings import Identity

NOON = datetime(2025, 11, 17, 12, 0, tzinfo=UTC)
QUICK = Script(latency=NO_LATENCY)
AMIABLE = "He might even have been made amiable himself."
KEY = "sandbox-key"
TRANSCRIPTION = "conversation.item.input_audio_transcription."
ACKNOWLEDGED = ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]


def fault(name: str | int, **rest: Any) -> ActiveFault:
    """A fault of that name."""
    return parse_fault({"fault": name, **rest})


def broken(*faults: ActiveFault, script: Script = QUICK) -> Script:
    """A script without latency and with these faults."""
    return Script(endpoints=script.endpoints, latency=NO_LATENCY, faults=faults)


def sandbox(script: Script = QUICK) -> Sandbox:
    """A sandbox at noon of the reference day, with settled randomness."""
    return Sandbox(script, clock=lambda: NOON, rng=random.Random(7))


class RecordedLine:
    """A line that keeps what is sent and has a clock of its own."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed: tuple[int, str] | None = None
        self.is_cut = False
        self.is_half_closed = False
        self.is_deaf = False
        self.binaries: list[bytes] = []
        self._now = 0.0
        self._plans: list[tuple[float, int, Callable[[], None]]] = []

    def send(self, event: bytes) -> None:
        assert self.closed is None
        self.sent.append(event)

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    def cut(self) -> None:
        self.is_cut = True

    def later(self, seconds: float, step: Callable[[], None]) -> None:
        if seconds <= 0:
            step()
        else:
            self._plans.append((self._now + seconds, len(self._plans), step))

    def send_binary(self, data: bytes) -> None:
        assert self.closed is None
        self.binaries.append(data)

    def half_close(self) -> None:
        self.is_half_closed = True

    def stop_reading(self) -> None:
        self.is_deaf = True

    def resume(self, step: Callable[[], None]) -> None:
        step()

    def wait(self, seconds: float) -> None:
        """Lets time pass and does what was planned for it."""
        end = self._now + seconds
        while due := sorted((plan for plan in self._plans if plan[0] <= end), key=lambda plan: plan[:2]):
            self._now = due[0][0]
            self._plans.remove(due[0])
            due[0][2]()
        self._now = end

    def events(self) -> list[dict[str, Any]]:
        """What was said so far."""
        return [orjson.loads(event) for event in self.sent]

    def kinds(self) -> list[str]:
        """The types of what was said so far."""
        return [event["type"] for event in self.events()]

    def last(self) -> dict[str, Any]:
        """The latest event."""
        return self.events()[-1]


class Caller:
    """A client of a session without a socket."""

    def __init__(
        self,
        script: Script = QUICK,
        *,
        endpoint: str = "azure-sweden",
        dialect: Dialect = "ga",
        purpose: Purpose = "transcription",
    ) -> None:
        self.sandbox = sandbox(script)
        self.line = RecordedLine()
        host = "gpt-realtime" if purpose == "realtime" else None
        identity = Identity("sess_test", dialect, purpose, host, 1_763_384_400)
        self.session = Session(self.sandbox, script.endpoints[endpoint], identity, self.line)
        self.session.begin()
        self._purpose = purpose

    def say(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Sends one event and returns what it brought about at once."""
        before = len(self.line.sent)
        self.session.receive(orjson.dumps({"type": kind, "event_id": "mine", **fields}))
        return self.line.events()[before:]

    def configure(self, model: str = "gpt-4o-transcribe", **inputs: Any) -> list[dict[str, Any]]:
        """Sends a GA `session.update` with manual commit unless told otherwise."""
        audio = {"transcription": {"model": model}, "turn_detection": None, **inputs}
        return self.say("session.update", session={"type": self._purpose, "audio": {"input": audio}})

    def speak(self, pcm: bytes, chunk: int = 4800) -> None:
        """Appends audio in chunks."""
        for event in appends(pcm, chunk):
            self.session.receive(event)

    def transcribe(self, model: str = "gpt-4o-transcribe", clip: str = "amiable") -> list[dict[str, Any]]:
        """One whole turn; returns everything said from the commit on."""
        self.configure(model)
        self.speak(clips.load_clip(clip).pcm)
        return self.say("input_audio_buffer.commit")


def appends(pcm: bytes, chunk: int = 4800) -> Iterable[bytes]:
    """The audio as `append` frames."""
    for start in range(0, len(pcm), chunk):
        audio = base64.b64encode(pcm[start : start + chunk]).decode()
        yield orjson.dumps({"type": "input_audio_buffer.append", "audio": audio})


def complaint(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The inside of the single `error` event among *events*."""
    (event,) = [event for event in events if event["type"] == "error"]
    inside: dict[str, Any] = event["error"]
    return inside


def kinds(events: list[dict[str, Any]]) -> list[str]:
    """The types of events."""
    return [event["type"] for event in events]


SPEECH = Script(
    endpoints={"speech-sweden": ServedEndpoint(name="speech-sweden", kind="speech", region="swedencentral")},
    latency=NO_LATENCY,
)
REQUEST_ID = "0123456789abcdef0123456789abcdef"


def wav(pcm: bytes, rate: int = 24_000, channels: int = 1, width: int = 2) -> bytes:
    """Samples as a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(pcm)
    return buffer.getvalue()


def at_16_khz(pcm: bytes) -> bytes:
    """24 kHz samples at the rate that Azure AI Speech is fed with."""
    samples = np.frombuffer(pcm or bytes(2), "<i2").astype(np.float64)
    moments = np.arange(len(samples) * 2 // 3) * 1.5
    return bytes(np.interp(moments, np.arange(len(samples)), samples).astype("<i2").tobytes())


def speech_text(path: str, body: Any, request_id: str = REQUEST_ID) -> bytes:
    """A text message of a client of Azure AI Speech."""
    head = f"Path: {path}\r\nX-RequestId: {request_id}\r\nContent-Type: application/json\r\n\r\n"
    return head.encode() + orjson.dumps(body)


def speech_audio(data: bytes, *, media: str = "", request_id: str = REQUEST_ID) -> bytes:
    """A binary message with audio."""
    lines = [f"path: audio\r\nx-requestid: {request_id}\r\n", f"content-type: {media}\r\n" if media else ""]
    head = "".join(lines).encode()
    return struct.pack(">H", len(head)) + head + data


def speech_frames(pcm: bytes, request_id: str = REQUEST_ID) -> Iterable[bytes]:
    """24 kHz samples as a client sends them: header, chunks of 100 ms, an empty message."""
    stream = at_16_khz(pcm)
    yield speech_audio(wav(b"", 16_000), media="audio/x-wav", request_id=request_id)
    for start in range(0, len(stream), 3200):
        yield speech_audio(stream[start : start + 3200], request_id=request_id)
    yield speech_audio(b"", request_id=request_id)
