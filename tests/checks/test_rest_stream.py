"""The streamed upload, driven by hand: no socket, no clock."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.checks.rest_stream import MOST_EVENTS
from monitor.core.conversation import (
    Answer,
    Answering,
    End,
    Fault,
    FaultKind,
    Finding,
    Finished,
    Piece,
    Silent,
    Text,
    Upload,
)
from monitor.core.model import Blame, Failure, Stage, Verdict
from tests.support.captured_servers import EVENTS, JSON, stream
from tests.support.scripted_peer import hold, judge, target

WORDS = "He might even have been made amiable himself."
STREAM = target("rest_stream")
BEGUN = Answering(at=0.3, status=200, headers=EVENTS)


def data(event: Any, at: float = 0.0) -> Piece:
    body = event if isinstance(event, str) else json.dumps(event)
    return Piece(at=at, data=f"data: {body}\n\n".encode())


def delta(text: Any, at: float = 0.0) -> Piece:
    return data({"type": "transcript.text.delta", "delta": text}, at)


def done(text: Any, at: float = 0.0) -> Piece:
    return data({"type": "transcript.text.done", "text": text}, at)


def found(*answers: Answer) -> Finding:
    return hold([BEGUN, *answers], STREAM)[0]


def test_the_run_is_over_with_the_event_that_says_so() -> None:
    """First text and final text are timed from the start of the upload; nothing after it is waited for."""
    finding, player = hold([BEGUN, delta("He might", 0.9), delta(WORDS[8:], 1.2), done(WORDS, 1.4)], STREAM)
    judged = judge(finding, STREAM)

    assert (finding.end, finding.transcript, finding.notes) == (End.TEXT, WORDS, ())
    assert judged.verdict is Verdict.PASSED
    assert (judged.timings_ms["first_text"], judged.timings_ms["final"]) == (900.0, 1400.0)
    upload = player.asks[0]
    assert isinstance(upload, Upload)
    assert upload.streamed
    assert b'name="stream"\r\n\r\ntrue\r\n' in upload.body
    assert player.stages == ["transcribe"]


@pytest.mark.parametrize(
    ("name", "bare_end", "notes"),
    [
        ("speaches.rest", False, ("the final text is empty; the pieces joined are taken",)),
        ("vllm.rest", True, ()),
        ("vllm.rest", False, ()),
        ("whisperlive.rest", True, ()),
    ],
)
def test_recorded_streams_pass(name: str, *, bare_end: bool, notes: tuple[str, ...]) -> None:
    """With `type`, with `choices`, with neither; with `[DONE]` or without; with an empty last text."""
    finding, _ = hold(stream(name, bare_end=bare_end), STREAM)
    judged = judge(finding, STREAM)

    assert (judged.verdict, finding.notes) == (Verdict.PASSED, notes)
    assert 0 < finding.marks["first_text"] <= finding.marks["final"]


def test_a_server_that_does_not_stream_is_understood() -> None:
    """Plain JSON in one piece is a text like any other, and noted."""
    body = json.dumps({"text": f" {WORDS}\n"}).encode()
    answers: list[Answer] = [
        Answering(at=0.3, status=200, headers=JSON),
        Piece(at=1.0, data=body[:20]),
        Piece(at=1.1, data=body[20:]),
        Finished(at=1.2),
    ]
    finding, _ = hold(answers, STREAM)
    assert judge(finding, STREAM).verdict is Verdict.PASSED
    assert finding.notes == ("the server did not stream, although it was asked to",)


def test_a_gateway_that_hands_on_the_raw_stream_gave_no_transcript() -> None:
    """JSON whose text is an unread stream is not understood, whatever words are in it."""
    body = json.dumps({"text": f'data: {{"type":"transcript.text.done","text":"{WORDS}"}}'}).encode()
    answers: list[Answer] = [
        Answering(at=0.3, status=200, headers=JSON),
        Piece(at=1.0, data=body),
        Finished(at=1.2),
    ]
    assert hold(answers, STREAM)[0].end is End.MALFORMED


@pytest.mark.parametrize(
    "error", [{"type": "server_error", "message": "Sorry about that!"}, "Sorry about that!"]
)
def test_an_error_in_mid_stream_ends_the_run(error: Any) -> None:
    """Status 200 and half a text do not make a success."""
    finding = found(delta("He might"), data({"error": error}), done(WORDS))
    judged = judge(finding, STREAM)

    assert (finding.end, judged.message) == (End.ERROR, "Sorry about that!")
    assert (judged.verdict, judged.stage) == (Verdict.FAILED, Stage.TRANSCRIBE)
    assert judged.http_status == 200


def test_an_event_of_type_error_is_an_error() -> None:
    """Gateways send the fields of the error beside the type."""
    finding = found(data({"type": "error", "code": "model_not_found", "message": "no such model"}))
    assert judge(finding, STREAM).failure is Failure.CONFIG


def test_a_stream_that_ends_before_its_text_is_lost_by_the_server() -> None:
    """A clean end of the connection is no end of the text."""
    finding = found(delta("He might even"), Finished(at=2.0))
    judged = judge(finding, STREAM)

    assert (judged.failure, judged.stage, judged.blame) == (
        Failure.SERVER,
        Stage.TRANSCRIBE,
        Blame.PROVIDER,
    )
    assert "pieces of text until then: 1," in (judged.message or "")
    assert judge(found(Finished(at=2.0)), STREAM).message == (
        "the stream ended before the text was final; no event had come"
    )


def test_a_stream_that_stops_is_silent() -> None:
    """Deltas, then nothing until the deadline, with the connection open."""
    judged = judge(found(delta("He might", 1.0), Silent(at=30.0)), STREAM)
    assert (judged.failure, judged.stage, judged.blame) == (
        Failure.SILENT,
        Stage.TRANSCRIBE,
        Blame.PROVIDER,
    )
    assert judged.timings_ms["first_text"] == 1000.0


def test_a_connection_that_breaks_in_mid_stream_is_the_servers() -> None:
    """It had begun to answer."""
    fault = Fault(at=2.0, stage=Stage.RESPOND, kind=FaultKind.RESET, detail="reset by peer")
    judged = judge(found(delta("He"), fault), STREAM)
    assert (judged.failure, judged.blame, judged.message) == (
        Failure.SERVER,
        Blame.PROVIDER,
        "reset by peer",
    )


def test_an_error_status_is_read_whole() -> None:
    """The error in the body decides, as without a stream."""
    body = b'{"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}}'
    answers: list[Answer] = [
        Answering(at=0.3, status=404, headers=JSON),
        Piece(at=0.4, data=body),
        Finished(at=0.5),
    ]
    judged = judge(hold(answers, STREAM)[0], STREAM)
    assert (judged.failure, judged.http_status, judged.code) == (Failure.CONFIG, 404, "DeploymentNotFound")


def test_a_failure_before_any_answer_is_judged_as_without_a_stream() -> None:
    """The connection that was never made, and the silence before the head."""
    fault = Fault(at=0.1, stage=Stage.CONNECT, kind=FaultKind.REFUSED, detail="refused")
    assert judge(hold([fault], STREAM)[0], STREAM).failure is Failure.CONNECT
    assert judge(hold([Silent(at=30.0)], STREAM)[0], STREAM).failure is Failure.SILENT


@pytest.mark.parametrize(
    ("answers", "piece"),
    [
        ([data("half a {"), done(WORDS)], "no JSON"),
        ([done(None)], "without a text"),
        ([done(7)], "without a text"),
        ([Finished(at=1.0, truncated=True)], "longer than we read"),
        ([Text(at=1.0, text="{}")], "Text came"),
        ([Piece(at=1.0, data=b"data: {}\n\n" * (MOST_EVENTS + 1))], "more than"),
    ],
)
def test_what_cannot_be_understood_ends_the_run(answers: list[Answer], piece: str) -> None:
    """It is a protocol failure with the reason in words."""
    finding = found(*answers)
    assert (finding.end, judge(finding, STREAM).failure) == (End.MALFORMED, Failure.PROTOCOL)
    assert piece in (finding.detail or "")


def test_deltas_that_do_not_join_to_the_text_are_noted() -> None:
    """The final text counts."""
    finding = found(delta("He mite"), done(WORDS))
    assert (finding.transcript, finding.notes) == (WORDS, ("the deltas joined are not the final text",))


def test_no_words_at_all_are_wrong_words() -> None:
    """An empty stream that ends properly is judged by what it says: nothing."""
    assert judge(found(done("")), STREAM).failure is Failure.QUALITY


ODD = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"data: [DONE]\n\n", b"data: null\n\n", b'data: {"choices": [7]}\n\n', b"data: []\n\n"]),
    st.builds(
        lambda kind, value: f"data: {json.dumps({'type': kind, 'text': value, 'delta': value})}\n\n".encode(),
        st.sampled_from([None, "transcript.text.delta", "transcript.text.done", "error", 3]),
        st.one_of(st.none(), st.integers(), st.text(max_size=5), st.lists(st.text(max_size=2))),
    ),
)


@settings(deadline=None)
@given(st.lists(ODD, max_size=6), st.booleans())
def test_whatever_the_stream_says_the_run_ends_in_a_judgement(pieces: list[bytes], ends: bool) -> None:  # noqa: FBT001
    """No event raises anything."""
    answers: list[Answer] = [Piece(at=1.0, data=piece) for piece in pieces]
    judged = judge(found(*answers, *([Finished(at=2.0)] if ends else [])), STREAM)
    assert judged.verdict in Verdict
