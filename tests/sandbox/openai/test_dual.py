"""What a dual run meets in a conversation: text in, text out, and every way in which that breaks."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.sandbox import Script
from monitor.sandbox.common.script import Latency
from tests.support.sandbox_sessions import AMIABLE, QUICK, Caller, broken, complaint, fault, kinds, sandbox

TEXT = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": AMIABLE}]}
HALVES = {
    "ga": {"output_modalities": ["text"]},
    "preview": {"modalities": ["text"]},
}


def conversation(script: Script = QUICK, dialect: Any = "ga") -> Caller:
    """A conversation without turn detection, configured in its dialect."""
    caller = Caller(script, purpose="realtime", dialect=dialect)
    session: dict[str, Any] = {"modalities": ["text"], "turn_detection": None}
    if dialect == "ga":
        inputs = {"input": {"turn_detection": None}}
        session = {"type": "realtime", "output_modalities": ["text"], "audio": inputs}
    assert kinds(caller.say("session.update", session=session)) == ["session.updated"]
    return caller


def asked(caller: Caller, dialect: str = "ga", wait: float = 0) -> list[dict[str, Any]]:
    """Sends the text and asks for an answer; everything said from then on."""
    before = len(caller.line.sent)
    caller.say("conversation.item.create", item=TEXT)
    caller.say("response.create", response=HALVES[dialect])
    caller.line.wait(wait)
    return caller.line.events()[before:]


def ending(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The response of the single `response.done`."""
    (done,) = [event["response"] for event in events if event["type"] == "response.done"]
    found: dict[str, Any] = done
    return found


@pytest.mark.parametrize("dialect", ["ga", "preview"])
def test_the_text_comes_back(dialect: str) -> None:
    """In both dialects the completed response carries the text that was sent."""
    done = ending(asked(conversation(dialect=dialect), dialect))
    assert done["status"] == "completed"
    assert done["output"][0]["content"][0]["text"] == AMIABLE


def test_the_preview_keeps_its_own_order() -> None:
    """Created stands for added and done, and no conversation.item.done follows."""
    names = [name for name in kinds(asked(conversation(dialect="preview"), "preview")) if "delta" not in name]
    assert names == [
        "conversation.item.created",
        "response.created",
        "response.output_item.added",
        "conversation.item.created",
        "response.content_part.added",
        "response.text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]


@pytest.mark.parametrize(
    ("dialect", "response", "param"),
    [
        ("ga", {"modalities": ["text"]}, "response.modalities"),
        ("preview", {"output_modalities": ["text"]}, "response.output_modalities"),
        ("ga", {"output_modalities": ["text", "audio"]}, "response.output_modalities"),
        ("ga", {"conversation": "nowhere"}, "response.conversation"),
        ("ga", [], "response"),
    ],
)
def test_a_response_of_the_other_dialect_is_refused(dialect: str, response: object, param: str) -> None:
    """The complaint names the field."""
    caller = conversation(dialect=dialect)
    assert complaint(caller.say("response.create", response=response))["param"] == param


@pytest.mark.parametrize("kind", ["response.create", "conversation.item.create"])
def test_a_transcription_session_has_no_conversation(kind: str) -> None:
    """Neither texts nor responses are taken there."""
    assert complaint(Caller().say(kind))["code"] == "invalid_parameter"


@pytest.mark.parametrize(
    ("name", "extras", "status", "details"),
    [
        ("response_incomplete", {}, "incomplete", {"type": "incomplete", "reason": "max_output_tokens"}),
        (
            "response_incomplete",
            {"reason": "content_filter"},
            "incomplete",
            {"type": "incomplete", "reason": "content_filter"},
        ),
        ("response_cancelled", {}, "cancelled", {"type": "cancelled", "reason": "turn_detected"}),
    ],
)
def test_a_response_can_end_otherwise(
    name: str, extras: dict[str, str], status: str, details: dict[str, str]
) -> None:
    """Status and details say how; there is no output."""
    done = ending(asked(conversation(broken(fault(name, **extras)))))
    assert (done["status"], done["status_details"], done["output"]) == (status, details, [])


def test_a_failed_response_asks_for_the_session_id() -> None:
    """server_error with the text of the live service, which names the session."""
    done = ending(asked(conversation(broken(fault("response_failed")))))
    error = done["status_details"]["error"]
    assert (done["status"], error["type"], error["code"]) == ("failed", "server_error", None)
    assert "(Please include the session ID sess_test in your message.)" in error["message"]


def test_a_response_can_fail_before_it_was_created() -> None:
    """response.done is then the only event of the response."""
    events = asked(conversation(broken(fault("response_failed_at_once"))))
    assert [kind for kind in kinds(events) if kind.startswith("response")] == ["response.done"]


@pytest.mark.parametrize(
    ("name", "endpoint", "code"),
    [
        ("429", "openai-us", "rate_limit_exceeded"),
        ("429_quota", "openai-us", "insufficient_quota"),
        ("429", "azure-sweden", "429"),
        ("404", "azure-sweden", "DeploymentNotFound"),
        ("500", "azure-sweden", "InternalServerError"),
        ("502", "azure-sweden", None),
    ],
)
def test_a_status_shows_as_the_error_of_the_response(name: str, endpoint: str, code: str | None) -> None:
    """Named for dual, a refusal hides in status_details, since the socket already stands."""
    caller = Caller(broken(fault(name, pathway="dual")), purpose="realtime", endpoint=endpoint)
    error = ending(asked(caller))["status_details"]["error"]
    assert error["code"] == code


@pytest.mark.parametrize(
    ("name", "text"), [("empty", ""), ("truncated", "He might even have"), ("wrong", "Thank you for")]
)
def test_an_answer_can_have_other_words(name: str, text: str) -> None:
    """It is completed all the same."""
    done = ending(asked(conversation(broken(fault(name, pathway="dual")))))
    assert done["status"] == "completed"
    assert done["output"][0]["content"][0]["text"].startswith(text)


def test_an_answer_can_be_missing() -> None:
    """The text is acknowledged and nothing follows."""
    events = asked(conversation(broken(fault("silent", pathway="dual"))))
    assert kinds(events) == ["conversation.item.added", "conversation.item.done"]


def test_an_answer_can_break_off() -> None:
    """Some words, then nothing, and no response.done."""
    names = kinds(asked(conversation(broken(fault("deltas_stop", pathway="dual")))))
    assert names[-1] == "response.output_text.delta"
    assert names.count("response.output_text.delta") == 4


def test_an_answer_can_be_late() -> None:
    """It comes after the delay and not before."""
    caller = conversation(broken(fault("slow", pathway="dual", delay=5)))
    assert kinds(asked(caller, wait=4.9))[-1] == "response.created"
    caller.line.wait(0.2)
    assert "response.done" in caller.line.kinds()


def test_the_line_can_be_cut_in_place_of_an_answer() -> None:
    """Nobody says goodbye."""
    caller = conversation(broken(fault("drop", pathway="dual")))
    asked(caller)
    assert caller.line.is_cut


def test_a_text_can_be_refused() -> None:
    """An error event with the id of the client's own; the session stays open."""
    caller = conversation(broken(fault("item_refused", code="content_filter")))
    error = complaint(caller.say("conversation.item.create", item=TEXT))
    assert (error["code"], error["event_id"]) == ("content_filter", "mine")
    assert caller.line.closed is None


def test_a_text_can_go_unanswered() -> None:
    """Neither acknowledged nor answered."""
    assert asked(conversation(broken(fault("item_unanswered")))) == []


def test_a_fault_of_dual_leaves_the_spoken_answer_alone() -> None:
    """What is asked by voice belongs to the pathway realtime."""
    caller = Caller(broken(fault("response_failed", pathway="dual")), purpose="realtime")
    caller.transcribe()
    caller.say("response.create")
    assert ending(caller.line.events())["status"] == "completed"


def test_a_fault_of_one_transcription_model_never_hits_a_text() -> None:
    """A dual session names no transcription model."""
    script = broken(fault("response_failed", model="gpt-4o-transcribe"))
    assert ending(asked(conversation(script)))["status"] == "completed"
    hit = broken(fault("response_failed", model="gpt-realtime"))
    assert ending(asked(conversation(hit)))["status"] == "failed"


def test_only_one_answer_is_given_at_a_time() -> None:
    """While one is awaited a second is refused, whatever it asks for."""
    caller = conversation(Script(latency=Latency(response=1)))
    asked(caller)
    assert complaint(caller.say("response.create"))["code"] == "conversation_already_has_active_response"


def test_an_upgrade_fault_cannot_be_had_for_dual_alone() -> None:
    """The sandbox cannot tell then: the sentence names what can be had."""
    with pytest.raises(ValueError, match="'no_created' is a fault of realtime"):
        sandbox(broken(fault("no_created", pathway="dual")))


def part(**fields: Any) -> dict[str, Any]:
    """A user's message with one part."""
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x", **fields}]}


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({**TEXT, "id": ["x"]}, "item.id"),
        ({**TEXT, "id": "x" * 33}, "item.id"),
        ({**TEXT, "colour": "red"}, "item.colour"),
        ({**TEXT, "content": []}, "item.content"),
        ({"type": "message", "role": "user"}, "item.content"),
        ({**TEXT, "role": "nobody"}, "item.role"),
        ({**TEXT, "role": ["user"]}, "item.role"),
        (part(text=5), "item.content[0].text"),
        (part(text="x" * 300_000), "item.content[0].text"),
        (part(font="bold"), "item.content[0].font"),
        (part(type="output_text"), "item.content[0].type"),
        ({**TEXT, "content": [{"type": "input_text"}]}, "item.content[0].text"),
        ({**TEXT, "content": ["x"]}, "item.content[0]"),
    ],
)
def test_an_item_that_is_wrong_is_refused_by_its_place(item: dict[str, Any], param: str) -> None:
    """The error names the field; nothing joins the conversation."""
    caller = conversation()
    assert complaint(caller.say("conversation.item.create", item=item))["param"] == param


def test_items_are_placed_where_they_are_wanted() -> None:
    """At the end, behind another, or at the root; the acknowledgement names the item before."""
    caller = conversation()

    def put(name: str, **fields: Any) -> str | None:
        events = caller.say("conversation.item.create", item={**TEXT, "id": name}, **fields)
        assert kinds(events) == ["conversation.item.added", "conversation.item.done"]
        previous: str | None = events[0]["previous_item_id"]
        return previous

    assert put("a") is None
    assert put("b") == "a"
    assert put("c", previous_item_id="a") == "a"
    assert put("d", previous_item_id="root") is None
    assert put("e") == "b"


def test_an_unknown_place_and_a_taken_name_are_refused() -> None:
    """Nothing is put behind an item that is not there, and no name is given twice."""
    caller = conversation()
    unknown = caller.say("conversation.item.create", item=TEXT, previous_item_id="nowhere")
    assert complaint(unknown)["param"] == "previous_item_id"
    caller.say("conversation.item.create", item={**TEXT, "id": "a"})
    assert complaint(caller.say("conversation.item.create", item={**TEXT, "id": "a"}))["param"] == "item.id"


def test_a_long_conversation_forgets_its_beginning() -> None:
    """A session holds a bounded number of items."""
    caller = conversation()
    for number in range(502):
        caller.say("conversation.item.create", item={**TEXT, "id": f"n{number}"})
    gone = caller.say("conversation.item.retrieve", item_id="n0")
    assert complaint(gone)["code"] == "item_not_found"
    assert kinds(caller.say("conversation.item.retrieve", item_id="n501")) == ["conversation.item.retrieved"]


def test_an_unknown_voice_is_refused() -> None:
    """A voice is one of the service's, or an object that names one's own."""

    def asked_for(voice: object) -> list[dict[str, Any]]:
        session = {"type": "realtime", "audio": {"output": {"voice": voice}}}
        return Caller(purpose="realtime").say("session.update", session=session)

    assert complaint(asked_for("robot"))["param"] == "session.audio.output.voice"
    assert kinds(asked_for("cedar")) == kinds(asked_for({"id": "voice_1"})) == ["session.updated"]
