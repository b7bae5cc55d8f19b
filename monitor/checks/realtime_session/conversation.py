"""What both realtime pathways share: open, configure, speak, listen, hang up; a conversation without I/O.

Nothing is ever tried twice, and nothing the peer sends raises out of here: every run ends in a finding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

from monitor.checks.realtime_session.dialects import Update
from monitor.checks.realtime_session.events import (
    Event,
    NoEvent,
    What,
    echoed_rate,
    echoed_transcription,
    echoed_turn_detection,
    read_event,
)
from monitor.checks.realtime_session.handlers import take_in
from monitor.checks.realtime_session.state import (
    COMMITTED_WITHIN,
    CREATED_WITHIN,
    REFUSED_WITHIN,
    UPDATED_WITHIN,
    Ended,
    SessionState,
)
from monitor.clips import Clip, append_frames, speech_seconds
from monitor.core.classification.error_bodies import error_in, mapping
from monitor.core.conversation import (
    Answer,
    Ask,
    Binary,
    Close,
    Closed,
    Conversation,
    End,
    Enter,
    Fault,
    Open,
    Opened,
    Receive,
    Refused,
    Send,
    Sent,
    Silent,
    Text,
)
from monitor.core.model import Stage, Target
from monitor.providers import PROVIDERS
from monitor.providers.provider import MODELS_OF_MANY_LANGUAGES, deployment_name, host_name

CHUNK_MS = 100
TRAILING_SILENCE_MS = 2_000  # longer than any server's `silence_duration_ms` that was seen
SEND_MARGIN = 10.0
_DATE = re.compile(r"(-[0-9]{4}-?[0-9]{2}-?[0-9]{2})?")

Step = Generator[Ask, Answer, None]
Heard = Event | Sent | None


def begin(target: Target, correlation: str) -> SessionState:
    """A run that has heard nothing yet."""
    run = SessionState(target=target, url=PROVIDERS[target.endpoint.provider].realtime_url(target))
    run.ids["client_request_id"] = correlation
    return run


def converse(run: SessionState, clip: Clip, correlation: str, update: Update) -> Conversation:
    """Open the session, configure it, speak the clip, wait for its text, hang up."""
    try:
        yield from open_session(run, correlation)
        yield from configure(run, update)
        yield from speak(run, clip)
        yield from listen(run)
        finding = run.succeeded()
    except Ended as ended:
        finding = ended.finding
    if run.is_open:
        yield Close(until=run.until(2.0))
    return finding


def open_session(run: SessionState, correlation: str) -> Step:
    """Connect and wait for the first session event: the upgrade alone proves nothing."""
    yield from connect(run, correlation)
    yield Enter(stage=run.enter(Stage.SESSION))
    until = run.until(CREATED_WITHIN)
    created = yield from await_event(run, What.CREATED, Receive(until=until), until)
    compare_host(run, created)


def connect(run: SessionState, correlation: str) -> Step:
    """Open the WebSocket; the run ends here where it is refused."""
    provider = PROVIDERS[run.target.endpoint.provider]
    answer = yield Open(
        url=run.url,
        headers=provider.upgrade_headers(run.target, correlation),
        until=run.until(CREATED_WITHIN),
        credential=run.credential or provider.credential(run.target.endpoint),
    )
    run.at = answer.at
    match answer:
        case Opened():
            run.is_open = True
            run.headers = answer.headers
            run.opened_at = answer.wall
        case Refused():
            raise refusal(run, answer)
        case Fault():
            raise run.broken(answer)
        case _:
            raise run.silent("answer to the upgrade")
    run.ids.update(provider.ids_in(answer.headers))


def configure(run: SessionState, update: Update, *, transcribes: bool = True) -> Step:
    """Say what the session is for, and see whether it says that it will."""
    yield Enter(stage=run.enter(Stage.CONFIGURE))
    frame = json.dumps(update, separators=(",", ":"))
    if not run.dialect.answers:
        yield from unrefused(run, frame)
        return
    until = run.until(UPDATED_WITHIN)
    updated = yield from await_event(run, What.UPDATED, Send(frames=(frame,), until=until), until)
    run.marks["ready"] = updated.at
    if transcribes:
        compare_echo(run, updated)


def unrefused(run: SessionState, frame: str) -> Step:
    """Say what the session is for to a server that speaks up only if it refuses; it gets a moment to."""
    yield from deliver(run, Send(frames=(frame,), until=run.until(SEND_MARGIN)))
    run.marks["ready"] = run.at
    until = run.until(REFUSED_WITHIN)
    while (yield from ask(run, Receive(until=until))) is not None:
        pass


def deliver(run: SessionState, send: Send) -> Step:
    """Send frames and hear what is said meanwhile, until all of them are on their way."""
    heard = yield from ask(run, send)
    while not isinstance(heard, Sent):
        if heard is None:
            raise run.silent("end of our sending (the server reads no more)")
        heard = yield from ask(run, Receive(until=send.until))


def speak(run: SessionState, clip: Clip) -> Step:
    """Send the clip in chunks, and end the turn: by a commit, or by silence for the server's ear."""
    silence = 0 if run.commits_itself else TRAILING_SILENCE_MS
    rate = run.target.endpoint.sample_rate
    frames = append_frames(clip, rate=rate, chunk_ms=CHUNK_MS, silence_ms=silence)
    spacing = CHUNK_MS / 1000 if run.target.pace == "realtime" else 0.0
    yield Enter(stage=run.enter(Stage.SEND))
    if run.dialect.begin:
        yield from deliver(run, Send(frames=run.dialect.begin, until=run.until(SEND_MARGIN)))
    if not run.commits_itself:
        run.say_until(speech_seconds(clip), CHUNK_MS, spacing)
    until = run.until(len(frames) * spacing + SEND_MARGIN)
    yield from deliver(run, Send(frames=frames, until=until, spacing=spacing, audio=True))
    yield Enter(stage=run.enter(Stage.COMMIT))
    if run.commits_itself:
        run.owed = len(run.items) + 1
        if not run.dialect.commits:
            run.items.expect()
        end = Send(frames=(run.dialect.end,), until=run.until(COMMITTED_WITHIN))
        if (yield from ask(run, end)) is None:
            raise run.silent("end of our commit (the server reads no more)")
    run.marks.setdefault("commit", run.at)


def listen(run: SessionState) -> Step:
    """Wait until every committed item has its text; a server that decides about turns may add one.

    A response that nobody asked for is given a moment to say what it cost.
    """
    while not (run.is_settled() and run.commits_itself and not run.unasked):
        if run.stage is Stage.COMMIT and len(run.items) >= run.owed:
            yield Enter(stage=run.enter(Stage.TRANSCRIBE))
        heard = yield from ask(run, Receive(until=run.patience()))
        if heard is None and run.is_settled():
            return
        if heard is None:
            waits_for_text = run.stage is Stage.TRANSCRIBE
            raise run.silent("transcript" if waits_for_text else "input_audio_buffer.committed")


def await_event(run: SessionState, what: What, first: Ask, until: float) -> Generator[Ask, Answer, Event]:
    """Ask *first*, then wait for one kind of event; everything else is heard on the way."""
    heard = yield from ask(run, first)
    while not (isinstance(heard, Event) and heard.what is what):
        if heard is None:
            raise run.silent(f"session {what} event")
        heard = yield from ask(run, Receive(until=until))
    return heard


def ask(run: SessionState, question: Ask) -> Generator[Ask, Answer, Heard]:
    """Put one question; returns the event heard, `Sent`, or None for silence, else the run ends."""
    told = yield from put(run, question)
    return hear(run, told) if isinstance(told, Text) else told


def put(run: SessionState, question: Ask) -> Generator[Ask, Answer, Text | Sent | None]:
    """The same for any protocol of text messages: the message is not read yet."""
    answer = yield question
    run.at = max(run.at, answer.at)
    match answer:
        case Text() | Sent():
            return answer
        case Silent():
            return None
        case Closed():
            raise run.lost(answer)
        case Fault():
            raise run.broken(answer)
        case Binary():
            raise run.ended(End.MALFORMED, detail="a binary message came where text is due")
        case _:
            raise run.ended(End.MALFORMED, detail=f"{type(answer).__name__} came in mid-session")


def hear(run: SessionState, message: Text) -> Event:
    """The event in a message, taken in."""
    try:
        event = read_event(message.text, message.at)
    except NoEvent as error:
        raise run.ended(End.MALFORMED, detail=str(error)) from None
    take_in(run, event)
    return event


def refusal(run: SessionState, refused: Refused) -> Ended:
    """The upgrade was answered by a status and, as a rule, a body that says why."""
    provider = PROVIDERS[run.target.endpoint.provider]
    run.headers = refused.headers
    run.ids.update(provider.ids_in(refused.headers))
    ended = run.ended(End.REFUSED, error=error_in(refused.body))
    return Ended(replace(ended.finding, http_status=refused.status))


def compare_host(run: SessionState, created: Event) -> None:
    """Note a session that runs on another model than the one asked for."""
    model, asked = created.session.get("model"), run.target.session_model
    if not isinstance(model, str) or not asked or run.target.pathway not in ("realtime", "dual"):
        return
    endpoint = run.target.endpoint
    if PROVIDERS[endpoint.provider].has_deployments and asked not in endpoint.deployments:
        return  # a deployment of any name: nothing says which model is behind it
    # Azure names the deployment or the model behind it, and either may carry a date.
    if not any(_is_same(model, name) for name in (asked, host_name(run.target))):
        run.drifted(f"the session runs on {model}, {asked} was asked for")


def _is_same(model: str, name: str) -> bool:
    return model.startswith(name) and _DATE.fullmatch(model, len(name)) is not None


def compare_echo(run: SessionState, updated: Event) -> None:
    """Compare what the session says with what was asked; no transcription at all ends the run."""
    asked = deployment_name(run.target)
    says, transcription = echoed_transcription(updated.session)
    if says and transcription is None:
        detail = f"{updated.name} echoes no transcription, {asked} was asked for"
        raise run.ended(End.MALFORMED, event=updated, detail=detail)
    model = mapping(transcription).get("model")
    if not says or model is None:
        run.note(f"{updated.name} does not say which model transcribes")
    elif model not in (asked, run.target.model):
        run.drifted(f"the session transcribes with {model}, {asked} was asked for")
    says, turn = echoed_turn_detection(updated.session)
    if says and (turn is None) is not run.commits_itself:
        run.drifted(f"turn detection is {'off' if turn is None else 'on'}, the opposite was asked for")
    rate = echoed_rate(updated.session)
    if rate is not None and rate != run.target.endpoint.sample_rate:
        run.drifted(f"the session hears {rate} Hz, {run.target.endpoint.sample_rate} Hz is sent")


def transcription_settings(target: Target) -> dict[str, Any]:
    """The `transcription` object of both dialects: the model by its deployed name, and the language."""
    settings: dict[str, Any] = {"model": deployment_name(target)}
    if target.language and target.model in MODELS_OF_MANY_LANGUAGES:
        return {**settings, "languages": [target.language]}
    return {**settings, "language": target.language} if target.language else settings


def turn_detection(target: Target, extra: Sequence[tuple[str, Any]] = ()) -> dict[str, Any] | None:
    """The `turn_detection` to send explicitly: the server's default is on in every kind of session."""
    if target.turn != "server_vad":
        return None
    common = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500}
    return {**common, **dict(extra)}
