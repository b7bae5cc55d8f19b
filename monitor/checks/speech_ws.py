"""The `speech_ws` pathway: one turn of recognition over Azure AI Speech's WebSocket.

The run passes with `speech.phrase` and the `turn.end` after it; nothing is ever tried twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from datetime import UTC, datetime

from monitor.checks.realtime_session.conversation import SEND_MARGIN, Step, connect, put
from monitor.checks.realtime_session.handlers import MOST_MESSAGES
from monitor.checks.realtime_session.state import COMPLETED_WITHIN, Ended, SessionState
from monitor.checks.rest import LONGEST_TRANSCRIPT
from monitor.checks.speech_messages import (
    CHUNK_MS,
    ServiceMessage,
    audio_messages,
    config_message,
    read_message,
)
from monitor.checks.speech_rest import NOTHING_HEARD, SUCCESS, failed_status, phrase_text
from monitor.clips import Clip, speech_seconds
from monitor.core.classification.error_bodies import mapping, text_of
from monitor.core.conversation import Answer, Ask, Close, Conversation, End, Enter, Receive, Send, Sent, Text
from monitor.core.model import Stage, Target
from monitor.providers import PROVIDERS

# A phrase with one of these statuses ends the run at once; the others may stand beside phrases with words.
_FATAL = frozenset({"error", "toomanyrequests", "badrequest", "forbidden"})
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # a transport that does not tell the time


class _RecognitionTurn:
    """What the service has said in the turn so far."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.status: str | None = None
        self.is_over = False
        self.awaited = "turn.start"


def speech_ws(target: Target, clip: Clip, correlation: str) -> Conversation:
    """Speak the clip and wait until the service says that the turn is over."""
    run = SessionState(target=target, url=PROVIDERS[target.endpoint.provider].realtime_url(target))
    connection = correlation.replace("-", "")
    run.ids["client_request_id"] = connection
    turn = _RecognitionTurn()
    try:
        yield from connect(run, connection)
        yield from _speak(run, turn, clip, hashlib.sha256(correlation.encode()).hexdigest()[:32])
        yield from _listen(run, turn)
        finding = run.heard(_text(run, turn, silent=not clip.text))
    except Ended as ended:
        finding = ended.finding
    if run.is_open:
        yield Close(until=run.until(2.0))
    return finding


def _speak(run: SessionState, turn: _RecognitionTurn, clip: Clip, request: str) -> Step:
    """Say what is coming, send it, end the stream; the service may speak meanwhile."""
    now = run.opened_at or _NEVER
    spacing = CHUNK_MS / 1000 if run.target.pace == "realtime" else 0.0
    yield Enter(stage=run.enter(Stage.CONFIGURE))
    run.marks["ready"] = run.at
    yield from _send(run, turn, Send(frames=(config_message(request, now),), until=run.until(SEND_MARGIN)))
    yield Enter(stage=run.enter(Stage.SEND))
    frames = tuple(audio_messages(clip, request, now, spacing))
    run.say_until(speech_seconds(clip), CHUNK_MS, spacing)
    until = run.until(len(frames) * spacing + SEND_MARGIN)
    yield from _send(run, turn, Send(frames=frames, until=until, spacing=spacing, audio=True))
    run.marks["commit"] = run.at


def _send(run: SessionState, turn: _RecognitionTurn, send: Send) -> Step:
    heard = yield from _ask(run, turn, send)
    while not isinstance(heard, Sent):
        if heard is None:
            raise run.silent("end of our sending (the server reads no more)")
        heard = yield from _ask(run, turn, Receive(until=send.until))


def _listen(run: SessionState, turn: _RecognitionTurn) -> Step:
    yield Enter(stage=run.enter(Stage.TRANSCRIBE))
    until = run.until(COMPLETED_WITHIN)
    while not turn.is_over:
        heard = yield from _ask(run, turn, Receive(until=until))
        if heard is None:
            raise run.silent(turn.awaited)


def _ask(
    run: SessionState, turn: _RecognitionTurn, question: Ask
) -> Generator[Ask, Answer, ServiceMessage | Sent | None]:
    told = yield from put(run, question)
    return _hear(run, turn, told) if isinstance(told, Text) else told


def _hear(run: SessionState, turn: _RecognitionTurn, told: Text) -> ServiceMessage:
    """Take in one message; raises Ended where it ends the run."""
    message = read_message(told.text, told.at)
    run.messages += 1
    if run.messages > MOST_MESSAGES:
        raise run.ended(End.MALFORMED, detail=f"more than {MOST_MESSAGES} messages")
    match message.path:
        case "turn.start":
            run.marks.setdefault("created", message.at)
            tag = mapping(message.fields.get("context")).get("serviceTag")
            run.ids["service_tag"] = text_of(tag)
            turn.awaited = "speech.phrase"
        case "speech.hypothesis" | "speech.fragment":
            if message.fields.get("Text"):
                run.marks.setdefault("first_text", message.at)
        case "speech.phrase":
            _take_phrase(run, turn, message)
        case "turn.end":
            turn.is_over = True
        case "":
            raise run.ended(End.MALFORMED, detail="a message without a path")
    return message


def _take_phrase(run: SessionState, turn: _RecognitionTurn, message: ServiceMessage) -> None:
    status = text_of(message.fields.get("RecognitionStatus"))
    if status is None:
        raise run.ended(End.MALFORMED, detail="a phrase without a RecognitionStatus")
    turn.awaited = "turn.end"
    if status.lower() in _FATAL:
        raise run.ended(End.ERROR, error=failed_status(status))
    text = phrase_text(message.fields)
    if status.lower() == SUCCESS and text.strip():
        turn.texts.append(text[:LONGEST_TRANSCRIPT])
        run.marks.setdefault("first_text", message.at)
        run.marks["final"] = message.at
    elif status.lower() != "endofdictation":
        turn.status = status
        run.marks.setdefault("final", message.at)


def _text(run: SessionState, turn: _RecognitionTurn, *, silent: bool) -> str:
    """The words of the turn; a turn without words ends as its status says, unless nothing was spoken."""
    nothing = turn.status is not None and turn.status.lower() in NOTHING_HEARD
    if turn.texts or (silent and nothing) or turn.status in (None, "Success"):
        return " ".join(turn.texts)[:LONGEST_TRANSCRIPT]
    raise run.ended(End.ERROR, error=failed_status(str(turn.status)))
