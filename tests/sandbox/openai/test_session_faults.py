"""Faults of realtime sessions: each shows what its name says and nothing else."""

from __future__ import annotations

import pytest

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

FAILED = {
    "failed": ("server_error", None),
    "failed_audio": ("transcription_error", "audio_unintelligible"),
    "failed_model_not_found": ("invalid_request_error", "model_not_found"),
    "failed_rate_limit": ("server_error", None),
    "failed_quota": ("server_error", "rate_limit_exceeded"),
}


@pytest.mark.parametrize(("name", "inside"), FAILED.items())
def test_failed_faults_end_the_item_and_nothing_else(name: str, inside: tuple[str, str | None]) -> None:
    """A failed event in place of deltas and completed, no error event, the line stays open."""
    caller = Caller(broken(fault(name)))
    events = caller.transcribe()
    assert kinds(events) == [*ACKNOWLEDGED, TRANSCRIPTION + "failed"]
    assert list(events[-1]) == ["type", "event_id", "item_id", "content_index", "error"]
    assert (events[-1]["error"]["type"], events[-1]["error"]["code"]) == inside
    assert caller.line.closed is None


def test_a_failed_event_can_be_given_any_code() -> None:
    """For payloads that are not in the list."""
    script = broken(fault("failed_code", code="insufficient_quota", type="x", message="m"))
    error = Caller(script).transcribe()[-1]["error"]
    assert (error["type"], error["code"], error["message"]) == ("x", "insufficient_quota", "m")


@pytest.mark.parametrize(
    ("name", "text"),
    [("429", "429 Too Many Requests"), ("429_quota", "exceeded your current quota")],
)
def test_a_quota_fault_of_one_model_hides_in_the_failed_event(name: str, text: str) -> None:
    """The session opens; the limit shows only in the message of the item."""
    error = Caller(broken(fault(name, model="gpt-4o-transcribe"))).transcribe()[-1]["error"]
    assert text in error["message"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("empty", ""),
        ("truncated", "He might even have"),
        ("wrong", "Thank you for watching and see you in the next video."),
    ],
)
def test_wrong_words_complete_like_right_ones(name: str, text: str) -> None:
    """Only the words tell."""
    assert Caller(broken(fault(name))).transcribe()[-1]["transcript"] == text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("silent", ACKNOWLEDGED),
        ("no_committed", []),
        ("deltas_stop", [*ACKNOWLEDGED, *[TRANSCRIPTION + "delta"] * 4]),
    ],
)
def test_silences_break_off_where_they_should(name: str, expected: list[str]) -> None:
    """Nothing more comes, and the line stays open."""
    caller = Caller(broken(fault(name)))
    assert kinds(caller.transcribe()) == expected
    assert not caller.line.is_cut
    assert caller.line.closed is None


def test_slow_is_right_but_late() -> None:
    """The words come after the delay, not before."""
    caller = Caller(broken(fault("slow", delay=7)))
    assert kinds(caller.transcribe()) == ACKNOWLEDGED
    caller.line.wait(6.9)
    assert caller.line.kinds()[-1] == TRANSCRIPTION + "delta"
    caller.line.wait(0.2)
    assert caller.line.last()["transcript"] == AMIABLE


def test_drop_cuts_the_line() -> None:
    """No event and no close frame."""
    caller = Caller(broken(fault("drop")))
    assert caller.transcribe() == []
    assert caller.line.is_cut


def test_an_expired_session_says_so_and_closes() -> None:
    """An error session_expired, close 1001 with the text as reason."""
    caller = Caller(broken(fault("session_expired")))
    assert complaint(caller.transcribe())["code"] == "session_expired"
    assert caller.line.closed == (1001, "Your session hit the maximum duration of 60 minutes.")


def test_drift_shows_a_session_without_transcription() -> None:
    """The answer does not echo what was asked, and yet words come."""
    caller = Caller(broken(fault("drift")))
    (updated,) = caller.configure()
    assert updated["session"]["audio"]["input"]["transcription"] is None
    assert caller.configure("whisper-1")[0]["type"] == "session.updated"


def test_an_update_can_go_unanswered() -> None:
    """Silence, and the settings hold."""
    caller = Caller(broken(fault("no_updated")))
    assert caller.configure() == []


def test_a_fault_of_another_pathway_does_not_strike() -> None:
    """The pathways realtime and realtime_transcription are told apart."""
    assert Caller(broken(fault("failed", pathway="realtime"))).transcribe()[-1]["transcript"] == AMIABLE


def test_a_fault_begins_and_ends_with_the_clock_of_the_day() -> None:
    """Outside its times the same session works."""
    morning = {"from": "08:30", "until": "11:59:59"}
    assert Caller(broken(fault("failed", **morning))).transcribe()[-1]["transcript"] == AMIABLE
