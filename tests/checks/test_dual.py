"""REST text sent into a session, driven by hand: which step failed, and why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.core.conversation import Answer, Closed, End, Fault, FaultKind, Finding, Refused, Responded, Text
from monitor.core.model import Blame, Deployment, Failure, Stage, Verdict
from tests.support.realtime_events import WORDS, created, error, opened, text
from tests.support.scripted_peer import hold, judge, target

DUAL = target("dual")
REST = Responded(
    at=1.5,
    status=200,
    headers=(("x-request-id", "req_rest"), ("content-type", "application/json")),
    body=json.dumps({"text": WORDS}).encode(),
)


def updated() -> Text:
    return text(type="session.updated", event_id="event_2", session={"id": "sess_1"})


def item() -> Text:
    return text(type="conversation.item.added", item={"id": "item_1", "role": "user"})


def part(words: Any, kind: str = "output_text") -> dict[str, Any]:
    return {"id": "item_2", "role": "assistant", "content": [{"type": kind, "text": words}]}


def answered(status: str = "completed", output: Any = None, at: float = 0.0, **details: Any) -> Text:
    response = {"status": status, "output": output, "status_details": details or None}
    return text(at, type="response.done", event_id="event_9", response=response)


READY: list[Answer] = [REST, opened(), created(), updated(), item()]


def found(*answers: Answer) -> Finding:
    return hold(answers, DUAL)[0]


def test_both_steps_pass() -> None:
    """The words are REST's, the end is the answer's, and every frame goes out in its order."""
    finding, player = hold([*READY, answered(output=[part("Fine.")], at=4.0)], DUAL)
    judged = judge(finding, DUAL)

    assert (finding.end, judged.verdict, judged.transcript) == (End.TEXT, Verdict.PASSED, WORDS)
    assert (judged.timings_ms["first_text"], judged.timings_ms["final"]) == (1500.0, 4000.0)
    assert player.stages == ["session", "configure", "respond"]
    update, create, respond = player.frames
    assert update["session"]["audio"] == {"input": {"turn_detection": None}}
    assert create["item"]["content"] == [{"type": "input_text", "text": WORDS}]
    assert respond == {
        "type": "response.create",
        "event_id": "resp-1",
        "response": {"output_modalities": ["text"]},
    }
    assert "the REST step was request_id req_rest" in finding.notes
    assert not any("nobody asked for" in note for note in finding.notes)


def test_the_preview_dialect_has_its_own_words() -> None:
    """Flat session, `modalities`, and the older names of item and text."""
    preview = target("dual", "azure_openai", endpoint={"dialect": "preview"})
    created_item = text(type="conversation.item.created", item={"id": "item_1"})
    told = text(type="response.text.done", text="Fine.")
    answers: list[Answer] = [REST, opened(), created(), updated(), created_item, told, answered()]
    finding, player = hold(answers, preview)

    assert finding.end is End.TEXT
    update, _, respond = player.frames
    assert update["session"]["modalities"] == ["text"]
    assert "type" not in update["session"]
    assert respond["response"] == {"modalities": ["text"]}


@pytest.mark.parametrize("output", [[part("Fine.", "text")], [{}, part("Fine.")], [part("Fine."), 7]])
def test_the_answer_is_found_under_either_name(output: Any) -> None:
    """Content type `output_text` or `text`, beside items without any."""
    assert found(*READY, answered(output=output)).end is End.TEXT


def test_a_rest_step_that_fails_ends_the_run() -> None:
    """No session is opened; stage, status and message are REST's, which is named."""
    refused = Responded(at=0.5, status=503, headers=(), body=b'{"error": {"message": "overloaded"}}')
    finding, player = hold([refused], DUAL)
    judged = judge(finding, DUAL)

    assert len(player.asks) == 1
    assert (judged.failure, judged.stage, judged.http_status) == (Failure.SERVER, Stage.TRANSCRIBE, 503)
    assert judged.message == "REST step: overloaded"


def test_without_words_there_is_nothing_to_send() -> None:
    """An empty text is wrong words of the REST step, and no session is opened for it."""
    empty = Responded(at=0.5, status=200, headers=(), body=b'{"text": " "}')
    finding, player = hold([empty], DUAL)
    judged = judge(finding, DUAL)

    assert len(player.asks) == 1
    assert (judged.failure, judged.stage) == (Failure.QUALITY, Stage.VERIFY)
    assert (judged.message or "").startswith("REST step: no words came back")


def test_wrong_words_are_the_rest_steps_even_if_they_are_answered() -> None:
    """The session only sees what REST gave it."""
    wrong = Responded(at=0.5, status=200, headers=(), body=b'{"text": "Something else was said here"}')
    judged = judge(found(wrong, *READY[1:], answered(output=[part("Fine.")])), DUAL)
    assert (judged.failure, judged.stage) == (Failure.QUALITY, Stage.VERIFY)
    assert (judged.message or "").startswith("REST step: word error rate")


@pytest.mark.parametrize(
    ("answers", "failure", "stage", "blame"),
    [
        (
            [Refused(at=2.0, status=404, headers=(), body=b'{"error": {"code": "DeploymentNotFound"}}')],
            Failure.CONFIG,
            Stage.HANDSHAKE,
            Blame.ACCOUNT,
        ),
        (
            [Fault(at=2, stage=Stage.CONNECT, kind=FaultKind.REFUSED, detail="no")],
            "connect",
            "connect",
            "unknown",
        ),
        ([opened()], Failure.SILENT, Stage.SESSION, Blame.PROVIDER),
        ([opened(), created()], Failure.SILENT, Stage.CONFIGURE, Blame.PROVIDER),
        ([*READY[1:4]], Failure.SILENT, Stage.RESPOND, Blame.PROVIDER),
        ([*READY[1:]], Failure.SILENT, Stage.RESPOND, Blame.PROVIDER),
        (
            [*READY[1:4], error("item-1", code="invalid_value", message="no")],
            Failure.CONFIG,
            Stage.RESPOND,
            Blame.ACCOUNT,
        ),
        (
            [*READY[1:], error("resp-1", code="rate_limit_exceeded", message="no")],
            Failure.QUOTA,
            Stage.RESPOND,
            "account",
        ),
        ([*READY[1:], Closed(at=3, code=1011, reason="")], Failure.SERVER, Stage.RESPOND, Blame.PROVIDER),
        ([*READY[1:], answered("failed")], Failure.SERVER, Stage.RESPOND, Blame.PROVIDER),
        (
            [*READY[1:], answered("failed", error={"type": "server_error", "message": "Sorry"})],
            Failure.SERVER,
            Stage.RESPOND,
            Blame.PROVIDER,
        ),
        (
            [*READY[1:], answered("failed", error={"code": "insufficient_quota"})],
            Failure.QUOTA,
            Stage.RESPOND,
            Blame.ACCOUNT,
        ),
        ([*READY[1:], answered("incomplete", reason="content_filter")], "content", "respond", "provider"),
        ([*READY[1:], answered("cancelled", reason="turn_detected")], "unknown", "respond", "unknown"),
        ([*READY[1:], answered(output=[part("  ")])], Failure.QUALITY, Stage.RESPOND, Blame.PROVIDER),
    ],
)
def test_a_session_step_that_fails_is_named(
    answers: list[Answer], failure: str, stage: str, blame: str
) -> None:
    """The stage says how far the session came, the message that it was the session; REST's words are kept."""
    finding = found(REST, *answers)
    judged = judge(finding, DUAL)

    assert (judged.failure, judged.stage, judged.blame) == (failure, stage, blame)
    assert (judged.message or "").startswith("session step: ")
    assert finding.transcript == WORDS


def test_the_host_is_a_deployment_of_the_realtime_pathway() -> None:
    """A name that holds for realtime sessions holds for this session too."""
    host = Deployment(model="gpt-realtime", name="gpt-realtime", names={"realtime": "rt-host"})
    azure = target("dual", "azure_openai", deployments={"gpt-realtime": host})
    finding, _ = hold([REST, opened()], azure)
    assert finding.url == "wss://contoso.openai.azure.com/openai/v1/realtime?model=rt-host"
