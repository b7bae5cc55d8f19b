"""What each realtime event changes in the facts of a run; nothing is asked here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from monitor.checks.realtime_session.events import Event, What, answer_text
from monitor.checks.realtime_session.state import Ended, SessionState
from monitor.core.classification.error_bodies import mapping, read_error, text_of
from monitor.core.conversation import End, ProviderError
from monitor.core.model import Stage

MOST_MESSAGES = 3_000  # a long session of a streaming model has hundreds; a flood costs what we take of it
_MOST_DELTAS = 8_192  # characters kept to compare with the final text
_OURS = re.compile(r"cfg-1|commit-1|item-1|resp-1|a-[0-9]+")
_NOTHING_TO_COMMIT = "input_audio_buffer_commit_empty"


def take_in(run: SessionState, event: Event) -> None:
    """Take in an event; raises Ended where it ends the run."""
    run.messages += 1
    if run.messages > MOST_MESSAGES:
        raise run.ended(End.MALFORMED, detail=f"more than {MOST_MESSAGES} messages")
    handle = _HANDLERS.get(event.what)
    if handle is not None:
        handle(run, event)


def _created(run: SessionState, event: Event) -> None:
    run.marks.setdefault("created", event.at)
    run.ids["session_id"] = text_of(event.session.get("id") or event.fields.get("id"))


def _speech_started(run: SessionState, event: Event) -> None:
    run.speaking = event.item_id or ""


def _speech_stopped(run: SessionState, event: Event) -> None:
    if not run.commits_itself:
        run.marks["commit"] = event.at
        if not run.dialect.commits:
            run.items.open(event.item_id)


def _response(run: SessionState, _event: Event) -> None:
    if not run.wants_answer:
        run.unasked += 1
        run.note("the server began a response that nobody asked for")


def _answer(run: SessionState, event: Event) -> None:
    if run.wants_answer:
        run.answer = event.transcript or run.answer


def _answered(run: SessionState, event: Event) -> None:
    """A response is over: the one we wait for, or one that only costs."""
    response = event.response
    if not run.wants_answer:
        run.unasked = max(0, run.unasked - 1)
        usage = mapping(response.get("usage"))
        total = text_of(usage.get("total_tokens")) or "an unknown number of"
        run.note(f"the response that nobody asked for cost {total} tokens")
        return
    run.ids["event_id"] = event.event_id
    status = text_of(response.get("status")) or "completed"
    if status != "completed":
        raise _unanswered(run, event, status)
    run.answer = answer_text(response) or run.answer
    if not run.answer.strip():
        raise run.ended(End.UNANSWERED, event=event, detail="the response was completed without words")
    run.marks["final"] = event.at
    run.is_answered = True


def _unanswered(run: SessionState, event: Event, status: str) -> Ended:
    """A response that failed, was cut short or called off; `status_details` says why."""
    details = mapping(event.response.get("status_details"))
    error = read_error(details.get("error"))
    if status == "failed":
        said = replace(error, message=error.message or "the response failed without an explanation")
        return run.ended(End.UNANSWERED, event=event, error=said)
    reason = text_of(details.get("reason"))
    message = f"the response was {status}, the reason given is {reason}"
    said = ProviderError(type=error.type or status, code=error.code or reason, message=message)
    return run.ended(End.ERROR, event=event, error=said)


def _committed(run: SessionState, event: Event) -> None:
    run.items.open(event.item_id)
    run.speaking = None
    run.ids.setdefault("item_id", event.item_id)
    if event.item_id is None:
        run.note("committed came without an item_id")
    if not run.commits_itself:
        run.marks["commit"] = event.at


def _delta(run: SessionState, event: Event) -> None:
    piece = event.fields.get("delta")
    said = piece if isinstance(piece, str) else event.transcript
    if not said:
        return
    run.marks.setdefault("first_text", event.at)
    run.last_delta = event.at
    if event.name.endswith(".delta") and len(run.deltas) < _MOST_DELTAS:
        run.deltas += said[:_MOST_DELTAS]


def _completed(run: SessionState, event: Event) -> None:
    text = event.transcript
    if text is None:
        raise run.ended(End.MALFORMED, event=event, detail="completed came without a transcript")
    odd = run.items.complete(event.item_id, text)
    if odd:
        run.note(odd)
    if run.speaking in ("", event.item_id):
        run.speaking = None
    if text.strip():
        run.marks.setdefault("first_text", event.at)
    run.marks["final"] = event.at
    run.ids["item_id"] = event.item_id or run.ids.get("item_id")
    run.ids["event_id"] = event.event_id


def _failed(run: SessionState, event: Event) -> None:
    if run.items.is_done(event.item_id):
        run.note(f"item {event.item_id} failed after it was completed")
        return
    run.ids["item_id"] = event.item_id or run.ids.get("item_id")
    raise run.ended(End.ITEM_FAILED, event=event, error=event.error)


def _error(run: SessionState, event: Event) -> None:
    """Fatal only if it is about an event of ours; else it may explain a silence or a close to come."""
    error = event.error
    if _came_too_late(run, error):
        run.owed = max(1, len(run.items))
        run.note("the server had committed the audio already")
    elif _is_about_us(run, event):
        raise run.ended(End.ERROR, event=event, error=error)
    else:
        run.complain(event)


def _is_about_us(run: SessionState, event: Event) -> bool:
    """Whether it refuses what we sent: by our event's id, or because nothing else was sent but the update."""
    if _OURS.fullmatch(event.answers or ""):
        return True
    return event.answers is None and (run.stage is Stage.CONFIGURE or not run.dialect.forgives)


def _came_too_late(run: SessionState, error: ProviderError) -> bool:
    """Whether our commit found nothing left, because the server's voice detection was faster."""
    return error.code == _NOTHING_TO_COMMIT and len(run.items) > 0


_HANDLERS: Mapping[What, Callable[[SessionState, Event], None]] = {
    What.CREATED: _created,
    What.SPEECH_STARTED: _speech_started,
    What.SPEECH_STOPPED: _speech_stopped,
    What.COMMITTED: _committed,
    What.DELTA: _delta,
    What.COMPLETED: _completed,
    What.FAILED: _failed,
    What.ERROR: _error,
    What.RESPONSE: _response,
    What.ANSWER: _answer,
    What.ANSWERED: _answered,
}
