"""A recognition over the WebSocket protocol of Azure AI Speech, from configuration to the end of a turn.

The socket, its handshake and time are on the other side of `SpeechLine`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from monitor.sandbox.azure_speech import results
from monitor.sandbox.azure_speech.messages import BadMessage, ClientMessage, read_binary, read_text, write
from monitor.sandbox.common import transcripts
from monitor.sandbox.common.broken_connection import EndingLine, break_connection
from monitor.sandbox.common.script import SPEECH_MODEL, ServedEndpoint
from monitor.sandbox.common.state import Sandbox
from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.faults.catalogue import FaultMoment
from monitor.sandbox.hearing.audio import (
    BYTES_PER_MS,
    Resampler,
    StreamHeader,
    UnreadableAudio,
    read_stream_header,
)
from monitor.sandbox.hearing.recogniser import Heard
from monitor.sandbox.hearing.turn_detection import AudioBuffer, Turn, TurnDetector

HYPOTHESIS_MS = 500
SILENCE_MS = 800
LONGEST_PHRASE_MS = 60_000  # who speaks on is given one phrase for each minute
_MUTE = ("silent", "no_created")


class SpeechLine(EndingLine, Protocol):
    """The connection as a recognition sees it."""

    def cut(self) -> None:
        """Ends the connection without a close frame."""

    def stop_reading(self) -> None:
        """Reads nothing more of what the client sends."""

    def later(self, seconds: float, step: Callable[[], None]) -> None:
        """Does *step* after so many seconds, at once for none, never once the line is closed."""

    def resume(self, step: Callable[[], None]) -> None:
        """Does *step* now, on behalf of work that went on elsewhere."""


class Wanted(NamedTuple):
    """What the address asks for."""

    mode: str  # interactive, conversation, dictation or universal
    detailed: bool


class SpeechSession:
    """One connection: configured once, then one turn after the other."""

    def __init__(self, sandbox: Sandbox, endpoint: ServedEndpoint, wanted: Wanted, line: SpeechLine) -> None:
        self._sandbox = sandbox
        self._endpoint = endpoint
        self._wanted = wanted
        self._line = line
        self._is_configured = False
        self._has_context = False
        self._turn: _RequestTurn | None = None

    def receive(self, frame: bytes) -> None:
        """Takes a text frame."""
        self._take(read_text, frame)

    def receive_binary(self, frame: bytes) -> None:
        """Takes a binary frame."""
        self._take(read_binary, frame)

    def _take(self, read: Callable[[bytes], ClientMessage], frame: bytes) -> None:
        try:
            message = read(frame)
            self._handle(message)
        except (BadMessage, UnreadableAudio) as error:
            self._line.close(1007, str(error)[:120])

    def _handle(self, message: ClientMessage) -> None:
        match message.path:
            case "speech.config":
                self._is_configured = isinstance(message.json().get("context"), dict)
                if not self._is_configured:
                    raise BadMessage("speech.config has no context")
            case "speech.context":
                message.json()
                self._has_context = True
            case "audio":
                self._audio(message)
            case "telemetry" | "speech.event":
                pass
            case _:
                raise BadMessage(f"unknown Path '{message.path[:40]}'")

    def _audio(self, message: ClientMessage) -> None:
        if not self._is_configured:
            raise BadMessage("speech.config must come before audio")
        if self._wanted.mode == "universal" and not self._has_context:
            raise BadMessage("speech.context must come before audio on universal/v2")
        identity = message.request_id
        if self._turn is None or self._turn.identity != identity:
            self._turn = self._begin(identity, message)
            return
        self._turn.take(message.body)

    def _begin(self, identity: str, message: ClientMessage) -> _RequestTurn:
        if not message.headers.get("content-type", "").lower().startswith(("audio/x-wav", "audio/wav")):
            raise BadMessage("the first audio message needs Content-Type: audio/x-wav")
        header = read_stream_header(message.body)
        fault = self._sandbox.faults.strike(
            FaultMoment.COMMIT, endpoint=self._endpoint.name, pathway="speech_ws", models=(SPEECH_MODEL,)
        )
        turn = _RequestTurn(self._sandbox, self._wanted, self._line, identity, header, fault)
        turn.begin()
        if len(message.body) > header.size:
            turn.take(message.body[header.size :])
        return turn


class _RequestTurn:
    """What is recognised under one request id."""

    def __init__(
        self,
        sandbox: Sandbox,
        wanted: Wanted,
        line: SpeechLine,
        identity: str,
        header: StreamHeader,
        fault: ActiveFault | None,
    ) -> None:
        self.identity = identity
        self._sandbox = sandbox
        self._wanted = wanted
        self._line = line
        self._listener = sandbox.listener(line)
        self._fault = fault
        self._name = fault.fault if fault else ""
        self._resampler = Resampler(header.rate)
        self._buffer = AudioBuffer()
        self._detector = TurnDetector({"silence_duration_ms": SILENCE_MS})
        self._speaking_since: int | None = None
        self._shown_ms = 0.0
        self._said = ""
        self._taken_ms = 0.0
        self._phrases = 0
        self._is_over = False
        self._is_broken = False

    def begin(self) -> None:
        """Says that the turn has begun, with the tag that support asks for."""
        if self._name == "never_reads":
            self._line.stop_reading()
        if self._name != "no_created":
            self._say("turn.start", {"context": {"serviceTag": self._sandbox.ids.hexadecimal(32)}})

    def take(self, raw: bytes) -> None:
        """Takes audio; none at all ends the stream."""
        if self._is_over:
            return
        if not raw:
            self._finish()
            return
        pcm = self._resampler.feed(raw)
        self._buffer.append(pcm)
        self._taken_ms += len(pcm) / BYTES_PER_MS
        if self._name == "drop_in_audio" and self._taken_ms >= HYPOTHESIS_MS:
            self._line.cut()
            return
        for turn in self._detector.feed(pcm):
            self._take_turn(turn)
        if self._speaking_since is None:
            if self._buffer.milliseconds > LONGEST_PHRASE_MS:
                self._buffer.keep(LONGEST_PHRASE_MS // 2)
        elif self._taken_ms - self._speaking_since > LONGEST_PHRASE_MS:
            self._take_turn(Turn("stopped", int(self._taken_ms), self._detector.restart()))
        else:
            self._suppose()

    def _take_turn(self, turn: Turn) -> None:
        if turn.event == "started":
            self._speaking_since = turn.begun_ms
            if self._name == "initial_silence":
                return
            self._say("speech.startDetected", {"Offset": results.ticks(turn.begun_ms)})
            return
        self._conclude(self._buffer.take_span(turn.begun_ms, turn.at_ms), turn.begun_ms, turn.at_ms)
        if self._wanted.mode == "interactive":
            self._end()

    def _suppose(self) -> None:
        """Says the words so far, as often as new audio makes it worth while."""
        # The longer it gets, the rarer: the whole work must not grow with the square of the length.
        step = max(HYPOTHESIS_MS, self._shown_ms / 10)
        if self._buffer.milliseconds - self._shown_ms < step or self._listener.is_busy:
            return
        self._shown_ms = self._buffer.milliseconds
        if self._name != "initial_silence":  # a service that heard nothing supposes nothing
            self._listener.ask(self._buffer.chunks, self._show)

    def _show(self, heard: Heard) -> None:
        words = transcripts.altered(heard.words, self._fault)
        text = results.lexical(words[:1] if self._name == "deltas_stop" else words)
        if text and text != self._said and self._speaking_since is not None:
            self._said = text
            begin = results.ticks(self._speaking_since)
            length = results.ticks(self._buffer.milliseconds)
            self._say("speech.hypothesis", {"Text": text, "Offset": begin, "Duration": length})

    def _finish(self) -> None:
        """The client has sent all: what is left of its speech is concluded."""
        waiting = self._buffer.milliseconds
        since, spoke = self._speaking_since, self._speaking_since is not None
        if spoke or not self._phrases:
            self._conclude(self._buffer.take(), since or 0, (since or 0) + waiting, spoken=spoke)
        self._end()

    def _conclude(
        self, chunks: tuple[bytes, ...], begin_ms: float, end_ms: float, *, spoken: bool = True
    ) -> None:
        self._speaking_since, self._shown_ms, self._said = None, 0.0, ""
        self._phrases += 1
        if self._name == "drop":
            self._line.cut()
            return
        if spoken and self._name != "initial_silence":
            self._say("speech.endDetected", {"Offset": results.ticks(end_ms)})

        def phrase(heard: Heard) -> None:
            words = self._sandbox.answer(heard.words, self._fault)
            status = results.status_of(words, self._fault, spoken=spoken)
            body = results.phrase(words, status, begin_ms, end_ms - begin_ms, detailed=self._wanted.detailed)
            self._say_later("speech.phrase", body)

        self._listener.ask(chunks, phrase)

    def _end(self) -> None:
        self._is_over = True
        # The ear keeps order: the turn ends behind the phrase that is still being recognised.
        self._listener.ask((), lambda _heard: self._say_later("turn.end", {}))

    def _say_later(self, path: str, body: dict[str, Any]) -> None:
        if self._name == "deltas_stop":
            return
        delay = self._sandbox.script.latency.transcription
        if self._fault is not None and self._name == "slow":
            delay += float(self._fault.extras.get("delay", 10))
        self._line.later(delay, lambda: self._say(path, body))

    def _say(self, path: str, body: dict[str, Any]) -> None:
        message = write(path, self.identity, body)
        if self._fault is not None and path == "speech.phrase":
            self._is_broken = self._is_broken or break_connection(self._line, self._fault, message)
        if self._is_broken:
            return
        if self._name not in _MUTE or path == "turn.start":
            self._line.send(message)
