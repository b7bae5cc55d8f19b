"""The `dual` pathway: REST makes the text, a conversation session answers it; each step may fail alone.

It is the way around a session whose own transcription fails, and must be known to work before it is
needed. The words that REST gave are judged elsewhere; of the answer only that there is one.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import replace
from typing import Any

from monitor.checks.realtime_session.conversation import Step, ask, await_event, configure, open_session
from monitor.checks.realtime_session.dialects import Update
from monitor.checks.realtime_session.events import What
from monitor.checks.realtime_session.state import ANSWERED_WITHIN, COMMITTED_WITHIN, Ended, SessionState
from monitor.checks.rest import rest
from monitor.clips import Clip
from monitor.core.conversation import Answer, Ask, Close, Conversation, End, Enter, Finding, Receive, Send
from monitor.core.model import Stage, Target
from monitor.providers import PROVIDERS

REST_STEP = "REST step"
SESSION_STEP = "session step"
INSTRUCTIONS = "Repeat the user's text exactly."


def dual(target: Target, clip: Clip, correlation: str) -> Conversation:
    """Transcribe by REST, then have a session answer the text.

    Times count from the start of the upload: `first_text` is REST's text, `final` the whole answer.
    """
    heard = yield from rest(target, clip, correlation)
    if heard.end is not End.TEXT or not (heard.transcript or "").strip():
        return replace(heard, step=REST_STEP)
    return (yield from _answer(target, correlation, heard))


def _answer(target: Target, correlation: str, heard: Finding) -> Generator[Ask, Answer, Finding]:
    run = SessionState(target=target, url=PROVIDERS[target.endpoint.provider].realtime_url(target))
    run.at = heard.marks["final"]
    run.marks |= {"commit": 0.0, "first_text": run.at}
    run.ids |= heard.ids
    run.notes.extend(heard.notes)
    run.drift.extend(heard.drift)
    for name in ("apim_request_id", "request_id"):
        if heard.ids.get(name):
            run.note(f"the REST step was {name} {heard.ids[name]}")
    try:
        yield from open_session(run, correlation)
        yield from configure(run, update(target), transcribes=False)
        yield from respond(run, heard.transcript or "")
        finding = replace(run.answered(), transcript=heard.transcript, step=REST_STEP)
    except Ended as ended:
        finding = replace(ended.finding, transcript=heard.transcript, step=SESSION_STEP)
    if run.is_open:
        yield Close(until=run.until(2.0))
    return finding


def update(target: Target) -> Update:
    """A session that hears nothing and answers in text."""
    session: dict[str, Any] = {"instructions": INSTRUCTIONS}
    if target.endpoint.dialect == "preview":
        session |= {"modalities": ["text"], "turn_detection": None}
    else:
        audio = {"input": {"turn_detection": None}}
        session |= {"type": "realtime", "output_modalities": ["text"], "audio": audio}
    return {"type": "session.update", "event_id": "cfg-1", "session": session}


def respond(run: SessionState, text: str) -> Step:
    """Put the text into the session, wait until it is there, ask for an answer, wait for all of it."""
    yield Enter(stage=run.enter(Stage.RESPOND))
    until = run.until(COMMITTED_WITHIN)
    yield from await_event(run, What.ITEM, Send(frames=(_item(text),), until=until), until)
    run.wants_answer = True
    until = run.until(ANSWERED_WITHIN)
    heard = yield from ask(run, Send(frames=(_create(run.target),), until=until))
    while not run.is_answered:
        if heard is None:
            raise run.silent("response.done")
        heard = yield from ask(run, Receive(until=until))


def _item(text: str) -> str:
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    return json.dumps({"type": "conversation.item.create", "event_id": "item-1", "item": item})


def _create(target: Target) -> str:
    key = "modalities" if target.endpoint.dialect == "preview" else "output_modalities"
    return json.dumps({"type": "response.create", "event_id": "resp-1", "response": {key: ["text"]}})
