"""The `rest_stream` pathway: one upload, one answer in events; the run is over when the text is final.

Servers differ: events with `type`, with `choices` or with neither, an end by event, by `[DONE]`, or no
stream at all. What is not tolerated is a stream that ends before anything says that the text is whole.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace

from monitor.checks.rest import LONGEST_TRANSCRIPT, drift_of, read_answer, upload_of
from monitor.checks.sse import EventStream
from monitor.clips import Clip
from monitor.core.classification.error_bodies import bounded, mapping, read_error, read_json
from monitor.core.conversation import (
    Answer,
    Answering,
    Ask,
    Conversation,
    End,
    Enter,
    Fault,
    Finding,
    Finished,
    Piece,
    Receive,
    Responded,
    Silent,
)
from monitor.core.model import Stage, Target
from monitor.providers import PROVIDERS

MOST_EVENTS = 10_000
_BARE_END = "[DONE]"
_EVENTS = "text/event-stream"


@dataclass(slots=True, kw_only=True)
class _Heard:
    """What the stream has said so far; `final` is the text once something says that it is whole."""

    text: str = ""
    final: str | None = None
    events: int = 0
    pieces: int = 0
    bytes: int = 0
    last: float = 0.0
    marks: dict[str, float] = field(default_factory=lambda: {"commit": 0.0})
    notes: list[str] = field(default_factory=list)


class _Over(Exception):
    """The stream is over; `finding` says how."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.end)


def rest_stream(target: Target, clip: Clip, correlation: str) -> Conversation:
    """Post the clip, hear the text come, and wait until it is final."""
    provider = PROVIDERS[target.endpoint.provider]
    upload = upload_of(target, clip, correlation, (("stream", "true"),))
    answer = yield replace(upload, streamed=True)
    if isinstance(answer, Answering):
        yield Enter(stage=Stage.TRANSCRIBE)
        until = target.timeout.total_seconds()
        finding = yield from (_follow(until) if _is_stream(answer) else _gather(answer, until))
        finding = replace(finding, http_status=answer.status, headers=answer.headers)
    else:
        finding = read_answer(answer)
    ids = {**provider.ids_in(finding.headers), "client_request_id": correlation}
    return replace(finding, url=upload.url, ids=ids, drift=drift_of(target, finding.headers))


def _is_stream(answer: Answering) -> bool:
    kind = next((value for name, value in answer.headers if name.lower() == "content-type"), "")
    return 200 <= answer.status < 300 and kind.lower().startswith(_EVENTS)


def _gather(answer: Answering, until: float) -> Generator[Ask, Answer, Finding]:
    """An answer that is no stream: an error, or the JSON of a server that does not know `stream`."""
    body = b""
    told = yield Receive(until=until)
    while isinstance(told, Piece):
        body += told.data
        told = yield Receive(until=until)
    if not isinstance(told, Finished):
        return read_answer(told)
    whole = Responded(
        at=told.at, status=answer.status, headers=answer.headers, body=body, truncated=told.truncated
    )
    finding = read_answer(whole)
    notes = ("the server did not stream, although it was asked to",) if finding.end is End.TEXT else ()
    return replace(finding, notes=notes)


def _follow(until: float) -> Generator[Ask, Answer, Finding]:
    """Hear one event after the other until the text is final or the stream is over."""
    heard, stream = _Heard(), EventStream()
    try:
        while heard.final is None:
            told = yield Receive(until=until)
            match told:
                case Piece():
                    heard.bytes += len(told.data)
                    for data in stream.feed(told.data):
                        _take_in(heard, data, told.at)
                case Finished():
                    for data in stream.finish():
                        _take_in(heard, data, told.at)
                    _ended(heard, told)
                case Silent():
                    detail = f"no further event until {told.at:.1f} s; {_so_far(heard)}"
                    return _finding(heard, End.SILENT, detail)
                case Fault():
                    return replace(_finding(heard, End.FAULT, told.detail), fault=told.kind)
                case _:
                    detail = f"{type(told).__name__} came where a piece of the stream was due"
                    return _finding(heard, End.MALFORMED, detail)
    except _Over as over:
        return over.finding
    return _succeeded(heard, heard.final)


def _take_in(heard: _Heard, data: str, at: float) -> None:
    """What one event changes; raises _Over where it ends the run with less than a text."""
    heard.events += 1
    heard.last = at
    if heard.events > MOST_EVENTS:
        raise _Over(_finding(heard, End.MALFORMED, f"more than {MOST_EVENTS} events"))
    if heard.final is not None:
        return
    if data.strip() == _BARE_END:
        _complete(heard, None, at)
        return
    try:
        event = mapping(read_json(data))
    except ValueError:
        detail = f"an event that is no JSON: {bounded(data, 200)}"
        raise _Over(_finding(heard, End.MALFORMED, detail)) from None
    if event.get("error") or event.get("type") == "error":
        error = read_error(event.get("error") or {**event, "type": None})
        raise _Over(replace(_finding(heard, End.ERROR, None), error=error))
    _read(heard, event, at)


def _read(heard: _Heard, event: Mapping[str, object], at: float) -> None:
    """A piece of text or the end of it, in any of the forms that servers were seen to send."""
    kind, text = event.get("type"), event.get("text")
    if kind == "transcript.text.delta":
        _add(heard, event.get("delta"), at)
    elif kind == "transcript.text.done":
        if not isinstance(text, str):
            raise _Over(_finding(heard, End.MALFORMED, "transcript.text.done came without a text"))
        _complete(heard, text, at)
    elif kind is None and isinstance(event.get("choices"), list):  # vLLM
        _read_choice(heard, event["choices"], at)
    elif kind is None and isinstance(text, str):  # WhisperLive: whole segments, without a space between
        _add(heard, f" {text}" if heard.text else text, at)


def _read_choice(heard: _Heard, choices: object, at: float) -> None:
    first = mapping(choices[0]) if isinstance(choices, list) and choices else {}
    _add(heard, mapping(first.get("delta")).get("content"), at)
    if isinstance(first.get("finish_reason"), str):
        _complete(heard, None, at)


def _add(heard: _Heard, piece: object, at: float) -> None:
    if not isinstance(piece, str) or not piece:
        return
    heard.pieces += 1
    heard.marks.setdefault("first_text", at)
    if len(heard.text) < LONGEST_TRANSCRIPT:
        heard.text = (heard.text + piece)[:LONGEST_TRANSCRIPT]


def _complete(heard: _Heard, text: str | None, at: float) -> None:
    """The text is whole: *text* where the event carries one, else what the pieces make together."""
    heard.marks["final"] = at
    said = (text or "")[:LONGEST_TRANSCRIPT]
    if text is not None and not said.strip() and heard.text.strip():  # speaches
        heard.notes.append("the final text is empty; the pieces joined are taken")
        said = heard.text
    elif text is None:
        said = heard.text
    elif heard.pieces and said.split() != heard.text.split():
        heard.notes.append("the deltas joined are not the final text")
    if said.strip():
        heard.marks.setdefault("first_text", at)
    heard.final = said


def _ended(heard: _Heard, told: Finished) -> None:
    """The server ended the response; without an end of the text that is a loss of it."""
    if heard.final is not None:
        return
    if told.truncated:
        raise _Over(_finding(heard, End.MALFORMED, "the stream is longer than we read"))
    if heard.bytes and not heard.events:
        raise _Over(_finding(heard, End.MALFORMED, f"{heard.bytes} bytes of a stream and no event in them"))
    raise _Over(_finding(heard, End.CLOSED, f"the stream ended before the text was final; {_so_far(heard)}"))


def _so_far(heard: _Heard) -> str:
    if not heard.events:
        return "no event had come"
    return f"pieces of text until then: {heard.pieces}, the last event at {heard.last:.1f} s"


def _succeeded(heard: _Heard, text: str) -> Finding:
    return replace(_finding(heard, End.TEXT, None), stage=Stage.VERIFY, transcript=text)


def _finding(heard: _Heard, end: End, detail: str | None) -> Finding:
    return Finding(
        stage=Stage.TRANSCRIBE, end=end, detail=detail, marks=dict(heard.marks), notes=tuple(heard.notes)
    )
