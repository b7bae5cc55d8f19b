"""A realtime session: what the client says, checked strictly, and what the service answers.

Sockets, handshakes and time are on the other side of `Line`; which fault strikes is asked, not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from monitor.sandbox.common import refusals, transcripts
from monitor.sandbox.common.refusals import Complaint
from monitor.sandbox.common.script import ServedEndpoint
from monitor.sandbox.common.state import Sandbox
from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.faults.catalogue import FaultMoment
from monitor.sandbox.hearing.audio import BYTES_PER_MS, from_telephone
from monitor.sandbox.hearing.recogniser import Heard
from monitor.sandbox.hearing.turn_detection import AudioBuffer, Turn, TurnDetector
from monitor.sandbox.model_abilities import abilities
from monitor.sandbox.openai import client_events
from monitor.sandbox.openai.broken_endings import ItemEnding
from monitor.sandbox.openai.connection import Line
from monitor.sandbox.openai.conversation_items import ConversationItems
from monitor.sandbox.openai.responses import ResponseStrand
from monitor.sandbox.openai.server_events import ServerEvents, user_audio_item
from monitor.sandbox.openai.session_settings import Identity, SessionSettings, drifted

SHORTEST_COMMIT_MS = 100
LIVE_STEP_MS = 500
CUT_AFTER_MS = 500
LONGEST_PAUSE_MS = 60_000
LARGEST_BUFFER_MS = 20 * 60_000
WITHOUT_DEPLOYMENT = "whisper-1"  # Azure's realtime transcribes with it though nobody deployed it


class Session:
    """One session from `session.created` on."""

    def __init__(self, sandbox: Sandbox, endpoint: ServedEndpoint, identity: Identity, line: Line) -> None:
        self._sandbox = sandbox
        self.endpoint = endpoint
        self._identity = identity
        self._line = line
        self._listener = sandbox.listener(line)
        self.settings = SessionSettings(identity, endpoint)
        self.speaker = ServerEvents(sandbox.ids, identity.dialect)
        self._buffer = AudioBuffer()
        self._received_ms = 0.0
        self._detector: TurnDetector | None = TurnDetector(self.settings.turn_detection or {})
        self._live = _Live()
        self._updated = ""  # the fault that struck the latest update
        self._next_item = sandbox.ids.draw("item")
        self._fault: tuple[ActiveFault | None] | None = None  # that of the item in progress, once asked for
        strike = partial(self.strike, FaultMoment.ITEM, "dual")
        self.conversation = ConversationItems(self.speaker, sandbox.ids, line.send, strike)
        self.answering = ResponseStrand(self, line, sandbox)
        self._events: dict[str, Callable[[dict[str, Any]], Complaint | None]] = {
            "input_audio_buffer.commit": self._commit_asked,
            "input_audio_buffer.clear": self._clear,
            **self.conversation.handlers(),
            "response.create": self.answering.create,
            "response.cancel": self.answering.cancel,
            "session.close": self._hang_up,
        }
        if identity.purpose == "transcription":
            self._events |= {"conversation.item.create": self._not_here, "response.create": self._not_here}

    def begin(self) -> None:
        """Says `session.created`."""
        preview = self._identity.dialect == "preview" and self._identity.purpose == "transcription"
        kind = "transcription_session.created" if preview else "session.created"
        self._line.send(self.speaker.say(kind, session=self.settings.shown))

    def expire(self) -> None:
        """Ends the session for its age."""
        minutes = round(self._sandbox.script.session / 60)
        message = f"Your session hit the maximum duration of {minutes} minutes."
        self._line.send(self.speaker.complain(Complaint("session_expired", message), None))
        self._line.close(1001, message)

    def refuse_binary(self) -> None:
        """Complains about a binary frame."""
        message = "Expected a text WebSocket message; binary frames are not supported."
        self._line.send(self.speaker.complain(Complaint("invalid_event", message), None))

    def receive(self, frame: bytes) -> None:
        """Takes one text frame of the client."""
        append = client_events.read_append(frame)
        if append is not None:
            self._complain(self._append(append.audio), append.event_id)
            return
        event = client_events.read_event(frame, preview=self._identity.dialect == "preview")
        if isinstance(event, Complaint):
            self._complain(event, client_events.event_id(frame))
            return
        own = event.get("event_id")
        if event["type"].endswith("session.update"):
            self._complain(self._update(event), own)
        else:
            self._complain(self._events[event["type"]](event), own)

    def _complain(self, complaint: Complaint | None, event_id: str | None) -> None:
        if complaint is not None:
            self._line.send(self.speaker.complain(complaint, event_id))

    def strike(self, stage: FaultMoment, pathway: str | None = None) -> ActiveFault | None:
        """The fault that hits this session now; what is said in a `dual` run has no transcription model."""
        own = "realtime" if self._identity.purpose == "realtime" else "realtime_transcription"
        named = () if pathway == "dual" else (self.settings.model_name, self.settings.model)
        return self._sandbox.faults.strike(
            stage,
            endpoint=self.endpoint.name,
            pathway=pathway or own,
            models=(*named, self._identity.host),
        )

    def _update(self, event: dict[str, Any]) -> Complaint | None:
        preview_transcription = self._identity[1:3] == ("preview", "transcription")
        expected = "transcription_session.update" if preview_transcription else "session.update"
        if event["type"] != expected:
            return client_events.wrong_update(self._identity.purpose)
        turns, has_spoken = self.settings.turn_detection, self.answering.has_spoken
        complaint = self.settings.change(event.get("session"), keeps_voice=has_spoken)
        if complaint:
            return complaint
        if self.settings.turn_detection != turns:
            self._detect_turns()
        fault = self.strike(FaultMoment.UPDATE)
        self._updated = fault.fault if fault else ""
        if self._updated == "no_updated":
            return None
        if self._updated == "no_turns":
            self._detector = None
        shown = drifted(self.settings.shown, self._updated)
        self._line.send(self.speaker.say(f"{expected}d", session=shown))
        if self._updated == "never_reads":
            self._line.stop_reading()
        return None

    def _detect_turns(self) -> None:
        turns = self.settings.turn_detection
        self._detector = TurnDetector(turns, heard_ms=int(self._received_ms)) if turns else None

    def _append(self, audio: bytes | Complaint) -> Complaint | None:
        if isinstance(audio, Complaint):
            return audio
        form = self.settings.audio_format
        pcm = audio if form == "audio/pcm" else from_telephone(form, audio)
        if self._buffer.milliseconds > LARGEST_BUFFER_MS:
            return Complaint("invalid_value", "The input audio buffer is full; commit or clear it.", "audio")
        self._buffer.append(pcm)
        self._received_ms += len(pcm) / BYTES_PER_MS
        if self._updated == "drop_in_audio" and self._received_ms >= CUT_AFTER_MS:
            self._line.cut()
            return None
        if self._detector is not None:
            for turn in self._detector.feed(pcm):
                self._take_turn(turn)
            if not self._detector.is_speaking and self._buffer.milliseconds > LONGEST_PAUSE_MS:
                self._buffer.keep(LONGEST_PAUSE_MS // 2)  # hours of silence are no reason to run full
        elif abilities(self.settings.model).live:
            self._transcribe_live()
        return None

    def _take_turn(self, turn: Turn) -> None:
        kind = f"input_audio_buffer.speech_{turn.event}"
        edge = "audio_start_ms" if turn.event == "started" else "audio_end_ms"
        self._line.send(self.speaker.say(kind, **{edge: turn.at_ms}, item_id=self._next_item))
        if turn.event == "started":
            if (self.settings.turn_detection or {}).get("interrupt_response"):
                self.answering.interrupt()
            return
        self._commit(self._buffer.take_span(turn.begun_ms, turn.at_ms), by_turn=True)

    def _commit_asked(self, event: dict[str, Any]) -> Complaint | None:
        waiting = self._buffer.milliseconds
        if waiting < SHORTEST_COMMIT_MS:
            complaint = client_events.too_short(waiting)
            say = partial(self._complain, complaint, event.get("event_id"))
            self._line.later(self._sandbox.script.latency.empty_commit, say)
            return None
        if self._detector is not None:
            self._detector.restart()
        self._commit(self._buffer.take(), by_turn=False)
        return None

    def _commit(self, chunks: tuple[bytes, ...], *, by_turn: bool) -> None:
        item_id, self._next_item = self._next_item, self._sandbox.ids.draw("item")
        fault, self._fault = self._item_fault(), None
        live, self._live = self._live, _Live()
        name = fault.fault if fault else ""
        if name == "drop":
            self._line.cut()
            return
        if name == "no_committed":
            return
        latency = self._sandbox.script.latency
        turns = self.settings.turn_detection or {}

        def acknowledge() -> None:
            self._acknowledge(item_id)
            if name == "session_expired":
                self.expire()
                return
            self._listener.ask(chunks, heard)

        def heard(found: Heard) -> None:
            self.conversation.heard(found.text)
            rest = max(0.0, latency.transcription - latency.committed)
            self._transcribe(item_id, chunks, found, fault, live.said, rest)
            if by_turn and turns.get("create_response", self._identity.purpose == "realtime"):
                self.answering.begin({})

        self._line.later(latency.committed, acknowledge)

    def _item_fault(self) -> ActiveFault | None:
        if self._fault is None:
            self._fault = (self.strike(FaultMoment.COMMIT),)
        return self._fault[0]

    def _acknowledge(self, item_id: str) -> None:
        previous, item = self.conversation.last_item, user_audio_item(item_id)
        self._line.send(
            self.speaker.say("input_audio_buffer.committed", previous_item_id=previous, item_id=item_id)
        )
        self.conversation.add(item)
        for event in self.speaker.item(item, previous):
            self._line.send(event)

    def _transcribe(
        self,
        item_id: str,
        chunks: tuple[bytes, ...],
        heard: Heard,
        fault: ActiveFault | None,
        said: int,
        rest: float,
    ) -> None:
        """Starts the side job that transcribes an item; *said* words went out while it was spoken."""
        name = fault.fault if fault else ""
        if self.settings.transcription is None or name == "silent":
            return
        error = self._failure(item_id, fault)
        if error is not None:
            self._line.later(rest, lambda: self._line.send(self.speaker.failed(item_id, error)))
            return
        if fault is not None and name == "slow":
            rest += float(fault.extras.get("delay", 10))
        prompt = str((self.settings.transcription or {}).get("prompt") or "")
        words = self._sandbox.answer(heard.words, fault, prompt)
        seconds = sum(map(len, chunks)) / BYTES_PER_MS / 1000
        spoken = transcripts.Spoken(words, seconds, self.settings.model)
        self._line.later(rest * 0.6, lambda: self._finish(item_id, spoken, fault, said, rest * 0.4))

    def _failure(self, item_id: str, fault: ActiveFault | None) -> Mapping[str, Any] | None:
        name = self.settings.model_name
        if fault is not None and (fault.fault.startswith("failed") or fault.fault[0].isdigit()):
            return refusals.item_failure(fault, item_id, name)
        if name in self.endpoint.deployments:
            return None
        if self.endpoint.kind == "azure":
            return None if name == WITHOUT_DEPLOYMENT else refusals.generic_item_failure(item_id)
        missing = ActiveFault(fault="failed_model_not_found")
        return refusals.item_failure(missing, item_id, name)

    def _finish(
        self, item_id: str, spoken: transcripts.Spoken, fault: ActiveFault | None, said: int, rest: float
    ) -> None:
        name = fault.fault if fault else ""
        say_deltas = partial(self._say_deltas, item_id, spoken, name, said)
        completed = partial(self._completed, item_id, spoken)
        if fault is not None and ItemEnding(self._line, self.speaker, say_deltas, completed).show(fault):
            return
        say_deltas()
        if name == "deltas_stop":
            return
        self._line.later(rest, lambda: self._line.send(completed()))
        if name == "unasked_response":
            self._line.later(rest, lambda: self.answering.begin({}))

    def _say_deltas(self, item_id: str, spoken: transcripts.Spoken, name: str, said: int) -> None:
        pieces = transcripts.deltas(spoken.words)
        if not abilities(spoken.model).partials:
            pieces = [spoken.text] if spoken.words else []
        if name == "deltas_stop":
            pieces = pieces[: max(1, len(pieces) // 2)]
        for piece in pieces[said:]:
            logprobs = transcripts.logprobs((piece,)) if self.settings.wants_logprobs else None
            self._line.send(self.speaker.delta(item_id, piece, logprobs))
        if abilities(spoken.model).diarizes and spoken.words and name != "deltas_stop":
            self._line.send(self.speaker.segment(item_id, transcripts.segment(spoken)))

    def _completed(self, item_id: str, spoken: transcripts.Spoken) -> bytes:
        rest: dict[str, Any] = {"usage": transcripts.item_usage(spoken)}
        if self.settings.wants_logprobs:
            rest = {"logprobs": transcripts.logprobs(spoken.words), **rest}
        if abilities(spoken.model).names_languages:
            asked = (self.settings.transcription or {}).get("languages") or ["en"]
            rest["languages"] = [{"code": code} for code in asked[:1]]
        self.conversation.set_transcript(item_id, spoken.text)
        return self.speaker.completed(item_id, spoken.text, **rest)

    def _transcribe_live(self) -> None:
        """Says the words of the audio so far, as streaming models do before any commit."""
        waiting = self._buffer.milliseconds
        # The longer it gets, the rarer: the whole work must not grow with the square of the length.
        step = max(LIVE_STEP_MS, self._live.heard_ms / 10)
        if waiting - self._live.heard_ms < step or self._listener.is_busy:
            return
        self._live.heard_ms = waiting
        fault = self._item_fault()
        if fault is not None and fault.fault not in ("slow", "drop", "deltas_stop"):
            return
        live, item_id = self._live, self._next_item
        only_one = fault is not None and fault.fault == "deltas_stop"

        def say(heard: Heard) -> None:
            if live is self._live:
                self._say_live(live, item_id, heard.words[:1] if only_one else heard.words)

        self._listener.ask(self._buffer.chunks, say)

    def _say_live(self, live: _Live, item_id: str, words: tuple[str, ...]) -> None:
        for piece in transcripts.deltas(words)[live.said :]:
            self._line.send(self.speaker.delta(item_id, piece, None))
        live.said = max(live.said, len(words))

    def _clear(self, _event: dict[str, Any]) -> Complaint | None:
        self._buffer.take()
        self._live = _Live()
        self._detect_turns()
        self._line.send(self.speaker.say("input_audio_buffer.cleared"))
        return None

    def _not_here(self, event: dict[str, Any]) -> Complaint | None:
        return client_events.not_in_transcription(event["type"])

    def _hang_up(self, _event: dict[str, Any]) -> Complaint | None:
        self._line.close(1000, "")
        return None


class _Live:
    """How far a streaming model has come in the item in progress."""

    def __init__(self) -> None:
        self.heard_ms = 0.0
        self.said = 0
