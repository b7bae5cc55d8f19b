"""Events that come wrong, in the wrong order, or not as events at all."""

from __future__ import annotations

import orjson
import pytest

from monitor import clips
from monitor.sandbox.faults.active import FaultError
from monitor.sandbox.faults.payloads import BROKEN_JSON, INVALID_UTF8
from tests.support.sandbox_sessions import (
    ACKNOWLEDGED,
    AMIABLE,
    TRANSCRIPTION,
    Caller,
    broken,
    complaint,
    fault,
    kinds,
)

COMPLETED, DELTA = TRANSCRIPTION + "completed", TRANSCRIPTION + "delta"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("completed_only", [COMPLETED]),
        ("duplicates", [*[DELTA] * 8, COMPLETED, COMPLETED]),
        ("out_of_order", [COMPLETED, *[DELTA] * 8]),
        ("unknown_events", ["sandbox.weather", *[DELTA] * 8, TRANSCRIPTION + "mood", COMPLETED]),
        ("wrong_item", [COMPLETED]),
        ("bare_completed", [COMPLETED]),
        ("error_event", ["error"]),
    ],
)
def test_an_item_ends_as_its_fault_wants(name: str, expected: list[str]) -> None:
    """After the acknowledgement, and with the line left open."""
    caller = Caller(broken(fault(name)))
    events = caller.transcribe()
    assert kinds(events) == [*ACKNOWLEDGED, *expected]
    assert caller.line.closed is None
    if name != "error_event":
        words = [event["transcript"] for event in events if event["type"] == COMPLETED]
        assert set(words) == {AMIABLE}


def test_a_wrong_item_is_not_the_committed_one() -> None:
    """Everything else about the event is right."""
    events = Caller(broken(fault("wrong_item"))).transcribe()
    assert events[-1]["item_id"] != events[0]["item_id"]
    assert events[-1]["usage"]["type"] == "tokens"


def test_a_bare_event_has_two_members() -> None:
    """Neither ids nor usage."""
    assert set(Caller(broken(fault("bare_completed"))).transcribe()[-1]) == {"type", "transcript"}


def test_an_error_event_says_what_it_is_told() -> None:
    """By default that of a server error, with no client event named."""
    error = complaint(Caller(broken(fault("error_event"))).transcribe())
    assert (error["type"], error["code"], error["event_id"]) == ("server_error", None, None)
    script = broken(fault("error_event", code="rate_limit_exceeded", type="requests", message="Slow down."))
    error = complaint(Caller(script).transcribe())
    assert (error["type"], error["code"], error["message"]) == (
        "requests",
        "rate_limit_exceeded",
        "Slow down.",
    )


@pytest.mark.parametrize("variant", BROKEN_JSON)
def test_broken_json_comes_in_many_ways(variant: str) -> None:
    """Each is sent as a text, exactly as it stands in the catalogue."""
    caller = Caller(broken(fault("invalid_json", variant=variant)))
    caller.configure()
    caller.speak(clips.load_clip("amiable").pcm)
    caller.session.receive(b'{"type": "input_audio_buffer.commit"}')
    assert caller.line.sent[-1] == BROKEN_JSON[variant]


def test_no_variant_of_broken_json_is_an_event() -> None:
    """Whoever reads one finds no JSON, no object, or no usable type."""
    for name, content in BROKEN_JSON.items():
        try:
            found = orjson.loads(content)
        except orjson.JSONDecodeError:
            continue
        assert not isinstance(found, dict) or name in ("duplicate", "wrong_types")


def test_an_unknown_variant_is_refused_by_name() -> None:
    """The sentence lists the right ones."""
    with pytest.raises(FaultError, match="variant: expected one of: cut, empty, null"):
        fault("invalid_json", variant="weird")


def test_a_text_may_be_no_utf_8() -> None:
    """The bytes go out as they are."""
    caller = Caller(broken(fault("invalid_utf8")))
    caller.configure()
    caller.speak(clips.load_clip("amiable").pcm)
    caller.session.receive(b'{"type": "input_audio_buffer.commit"}')
    assert caller.line.sent[-1] == INVALID_UTF8
    with pytest.raises(UnicodeDecodeError):
        INVALID_UTF8.decode()


def test_the_transcript_may_come_in_a_binary_frame() -> None:
    """The right event in the wrong kind of frame, and no text after it."""
    caller = Caller(broken(fault("binary_frame")))
    assert kinds(caller.transcribe()) == ACKNOWLEDGED
    (data,) = caller.line.binaries
    assert orjson.loads(data)["transcript"] == AMIABLE


@pytest.mark.parametrize(
    ("extras", "closed"),
    [
        ({}, (1011, "")),
        ({"close": 4001, "reason": "enough"}, (4001, "enough")),
        ({"close": 1000}, (1000, "")),
        ({"close": 1012}, (1012, "")),
    ],
)
def test_a_close_frame_can_take_the_place_of_the_words(
    extras: dict[str, object], closed: tuple[int, str]
) -> None:
    """With any code that may be sent."""
    caller = Caller(broken(fault("close", **extras)))
    assert kinds(caller.transcribe()) == ACKNOWLEDGED
    assert caller.line.closed == closed


@pytest.mark.parametrize("code", [999, 1004, 1005, 1006, 1015, 2999, 5000, "1000", True])
def test_a_code_that_may_not_be_sent_is_refused(code: object) -> None:
    """1006 is what `drop` shows, since no frame may carry it."""
    with pytest.raises(FaultError, match="close: expected a close code"):
        fault("close", close=code)


def test_the_sending_side_can_be_shut_alone() -> None:
    """No close frame."""
    caller = Caller(broken(fault("half_close")))
    caller.transcribe()
    assert caller.line.is_half_closed
    assert caller.line.closed is None


def test_the_line_can_be_cut_while_audio_is_sent() -> None:
    """After half a second of it, before any commit."""
    caller = Caller(broken(fault("drop_in_audio")))
    caller.configure()
    caller.speak(bytes(48 * 400))
    assert not caller.line.is_cut
    caller.speak(bytes(48 * 200))
    assert caller.line.is_cut


def test_speech_can_go_unnoticed() -> None:
    """No turn begins or ends, yet a commit by hand still works."""
    caller = Caller(broken(fault("no_turns")))
    caller.configure(turn_detection={"type": "server_vad"})
    caller.speak(clips.load_clip("amiable").pcm + bytes(96_000))
    assert caller.line.kinds() == ["session.created", "session.updated"]
    assert caller.say("input_audio_buffer.commit")[-1]["transcript"] == AMIABLE


@pytest.mark.parametrize(
    ("asked", "shown"),
    [("gpt-4o-transcribe", "gpt-4o-mini-transcribe"), ("gpt-4o-mini-transcribe", "whisper-1")],
)
def test_a_session_can_show_another_model(asked: str, shown: str) -> None:
    """The echo differs from what was asked, in the GA dialect and in the preview."""
    caller = Caller(broken(fault("drift_model")))
    (updated,) = caller.configure(asked)
    assert updated["session"]["audio"]["input"]["transcription"]["model"] == shown
    preview = Caller(broken(fault("drift_model")), dialect="preview", purpose="realtime")
    (updated,) = preview.say("session.update", session={"input_audio_transcription": {"model": asked}})
    assert updated["session"]["input_audio_transcription"]["model"] == shown


def test_an_answer_can_come_that_nobody_asked_for() -> None:
    """In a conversation without automatic answers."""
    caller = Caller(broken(fault("unasked_response")), purpose="realtime")
    names = kinds(caller.transcribe())
    assert names.index(COMPLETED) < names.index("response.created") < names.index("response.done")


def test_a_session_can_stop_reading() -> None:
    """Once it has been configured."""
    caller = Caller(broken(fault("never_reads")))
    assert kinds(caller.configure()) == ["session.updated"]
    assert caller.line.is_deaf
