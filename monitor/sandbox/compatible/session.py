"""What sessions of compatible servers have in common: audio in, turns, recognition, and faults on the way.

How each server says it stands in `dialects`. Everything here transcribes; nothing answers.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import orjson

from monitor.sandbox.common import transcripts
from monitor.sandbox.common.broken_connection import EndingLine, break_connection
from monitor.sandbox.common.script import ServedEndpoint
from monitor.sandbox.common.state import Sandbox
from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.faults.catalogue import FaultMoment
from monitor.sandbox.hearing.audio import BYTES_PER_MS, RATE, Resampler
from monitor.sandbox.hearing.queue import Asking
from monitor.sandbox.hearing.recogniser import Heard
from monitor.sandbox.hearing.turn_detection import AudioBuffer, Turn, TurnDetector

LONGEST_MS = 20 * 60_000
FAILED = "Internal error while transcribing the audio."
TRANSCRIPTION = "conversation.item.input_audio_transcription."


class CompatibleLine(EndingLine, Asking, Protocol):
    """The connection as a session sees it."""

    def stop_reading(self) -> None:
        """Reads nothing more of what the client sends."""

    def later(self, seconds: float, step: Any) -> None:
        """Does *step* after so many seconds, at once for none, never once the line is closed."""


class Item(NamedTuple):
    """A piece of audio that is to be transcribed; `id` is what the server calls it."""

    id: str
    fault: ActiveFault | None
    seconds: float

    @property
    def fault_name(self) -> str:
        """The name of the fault that hits it; empty for none."""
        return self.fault.fault if self.fault else ""


class BadEvent(Exception):
    """A client event that the server refuses, with its code."""

    def __init__(self, message: str, code: str | None = None) -> None:
        self.message, self.code = message, code
        super().__init__(message)


class CompatibleSession:
    """One session from its first event on; a server's dialect is a class of its own."""

    rate = RATE  # of the samples that the server takes
    takes_model_from_address = True

    def __init__(
        self, sandbox: Sandbox, endpoint: ServedEndpoint, query: Mapping[str, str], line: CompatibleLine
    ) -> None:
        self._sandbox, self._endpoint, self._line = sandbox, endpoint, line
        self._listener = sandbox.listener(line)
        self.id = sandbox.ids.draw("sess")
        self.model = query.get("model") if self.takes_model_from_address else None
        self._resampler = Resampler(self.rate)
        self._buffer = AudioBuffer()
        self._detector: TurnDetector | None = None
        self._next_item = sandbox.ids.draw("item")
        self._received_ms = 0.0

    def begin(self) -> None:
        """Says the first event."""
        raise NotImplementedError

    def handle(self, kind: str, event: Mapping[str, Any]) -> None:
        """Take one client event that is no audio; raises BadEvent."""
        raise NotImplementedError

    def complain(self, error: BadEvent) -> None:
        """Says that an event is refused."""
        raise NotImplementedError

    def say_words(self, item: Item, words: tuple[str, ...]) -> Sequence[bytes]:
        """The events with the words, the last of them the final one."""
        raise NotImplementedError

    def say_failed(self, item: Item) -> bytes:
        """The event of a transcription that failed."""
        raise NotImplementedError

    def acknowledge(self, item: Item) -> None:
        """Says that an item was made of the audio; nothing where the server names none."""

    def take_turn(self, turn: Turn) -> None:
        """Says that speech began or ended."""

    def expire(self) -> None:
        """Ends the session for its age."""
        self._line.close(1001, "session expired")

    def refuse_binary(self) -> None:
        """Complains about a binary frame."""
        self.complain(BadEvent("expected a text message", "invalid_event"))

    def receive(self, frame: bytes) -> None:
        """Takes one text frame of the client."""
        try:
            event = _read(frame)
            kind = str(event.get("type"))
            if kind == "input_audio_buffer.append":
                self._append(event.get("audio"))
            else:
                self.handle(kind, event)
        except BadEvent as error:
            self.complain(error)

    def send(self, kind: str, **fields: Any) -> None:
        """Puts an event with an id of its own on its way."""
        self._line.send(self.event(kind, **fields))

    def event(self, kind: str, **fields: Any) -> bytes:
        """One event with an id of its own."""
        return orjson.dumps({"event_id": self._sandbox.ids.draw("event"), "type": kind, **fields})

    def strike(self, stage: FaultMoment) -> ActiveFault | None:
        """The fault that hits this session now."""
        served = self._endpoint.deployments.get(self.model or "")
        return self._sandbox.faults.strike(
            stage,
            endpoint=self._endpoint.name,
            pathway="realtime_transcription",
            models=(self.model, served),
        )

    def update_is_lost(self) -> bool:
        """Whether a fault swallows the answer to an update, or the client's further words."""
        fault = self.strike(FaultMoment.UPDATE)
        name = fault.fault if fault else ""
        if name == "no_turns":
            self._detector = None
        if name == "never_reads":
            self._line.stop_reading()
        return name == "no_updated"

    def detect_turns(self, settings: Mapping[str, Any] | None) -> None:
        """Listens for turns from here on; with None it is the client that ends them."""
        heard = int(self._received_ms)
        self._detector = None if settings is None else TurnDetector(dict(settings), heard_ms=heard)

    def _append(self, audio: object) -> None:
        try:
            raw = base64.b64decode(audio if isinstance(audio, str) else "!", validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadEvent("the audio is no base64", "invalid_audio") from error
        if self._buffer.milliseconds > LONGEST_MS:
            raise BadEvent("the audio buffer is full", "buffer_size_exceeded")
        pcm = self._resampler.feed(raw)
        self._buffer.append(pcm)
        self._received_ms += len(pcm) / BYTES_PER_MS
        for turn in self._detector.feed(pcm) if self._detector else ():
            self.take_turn(turn)
            if turn.event == "stopped":
                self.conclude(self._buffer.take_span(turn.begun_ms, turn.at_ms))

    @property
    def waiting_ms(self) -> float:
        """How much audio waits for its end."""
        return self._buffer.milliseconds

    def conclude_all(self) -> None:
        """Transcribes all that waits."""
        if self._detector is not None:
            self._detector.restart()
        self.conclude(self._buffer.take())

    def conclude(self, chunks: tuple[bytes, ...]) -> None:
        """Transcribes a piece of audio, unless a fault says otherwise."""
        fault = self.strike(FaultMoment.COMMIT)
        item = Item(self._next_item, fault, sum(map(len, chunks)) / BYTES_PER_MS / 1000)
        self._next_item = self._sandbox.ids.draw("item")
        if item.fault_name == "drop":
            self._line.cut()
            return
        if item.fault_name == "no_committed":
            return
        self.acknowledge(item)
        if item.fault_name == "session_expired":
            self.expire()
        elif item.fault_name != "silent":
            self._listener.ask(chunks, lambda heard: self._answer(item, heard))

    def _answer(self, item: Item, heard: Heard) -> None:
        fault, delay = item.fault, self._sandbox.script.latency.transcription
        if fault is not None and fault.fault == "slow":
            delay += float(fault.extras.get("delay", 10))
        words = self._sandbox.answer(heard.words, fault)
        self._line.later(delay, lambda: self._say(item, words))

    def _say(self, item: Item, words: tuple[str, ...]) -> None:
        name = item.fault_name
        if name.startswith("failed") or name[:1].isdigit() or name == "error_event":
            self._line.send(self.say_failed(item))
            return
        *pieces, final = self.say_words(item, words)
        for piece in pieces[: max(1, len(pieces) // 2)] if name == "deltas_stop" else pieces:
            self._line.send(piece)
        if name == "deltas_stop" or (item.fault and break_connection(self._line, item.fault, final)):
            return
        self._line.send(final)
        if name == "duplicates":
            self._line.send(final)


def _read(frame: bytes) -> Mapping[str, Any]:
    try:
        event = orjson.loads(frame)
    except orjson.JSONDecodeError as error:
        raise BadEvent("the message is no JSON", "invalid_json") from error
    if not isinstance(event, dict):
        raise BadEvent("the message is no object", "invalid_event")
    return event


def pieces_of(words: tuple[str, ...]) -> list[str]:
    """The words as increments."""
    return transcripts.deltas(words)
