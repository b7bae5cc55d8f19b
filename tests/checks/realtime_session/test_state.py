"""The facts of a run: patience, stages, notes."""

from __future__ import annotations

import pytest

from monitor.checks.realtime_session.state import COMMITTED_WITHIN, COMPLETED_WITHIN, LINGER, SessionState
from monitor.core.conversation import Closed, End, Fault, FaultKind
from monitor.core.model import Stage
from tests.support.scripted_peer import seconds, target


def run(**settings: object) -> SessionState:
    return SessionState(target=target(**settings), url="wss://stt.test/v1/realtime")  # type: ignore[arg-type]


def test_patience_grows_once_the_item_is_there() -> None:
    """5 s for the commit to be taken, 25 s for its text, both counted from the commit."""
    one = run()
    one.marks["commit"] = 4.0
    one.at = 6.0
    assert one.patience() == 4.0 + COMMITTED_WITHIN
    one.items.open("a")
    assert one.patience() == 4.0 + COMPLETED_WITHIN
    one.items.complete("a", "words")
    one.marks["final"] = 5.0
    assert one.patience() == 5.0 + LINGER


def test_nothing_waits_past_the_deadline() -> None:
    """The timeout of the target bounds every wait."""
    one = run(timeout=seconds(6))
    one.at = 5.0
    assert one.until(10) == 6.0
    assert one.patience() == 6.0


def test_a_new_stage_forgets_old_complaints() -> None:
    """An error from before explains no silence of a later stage."""
    one = run()
    assert one.enter(Stage.SEND) is one.stage is Stage.SEND
    assert one.complaint is None


@pytest.mark.parametrize(("turn", "settled"), [("manual", True), ("server_vad", False)])
def test_only_voice_detection_waits_for_the_speaker(turn: str, settled: object) -> None:
    """With a commit of our own the turn is over, whatever the server's ear reports."""
    one = run(turn=turn)
    one.items.open("a")
    one.items.complete("a", "words")
    one.speaking = "b"
    assert one.is_settled() is settled


def test_a_fault_in_mid_session_belongs_to_the_stage_of_the_session() -> None:
    """Only before the session does the transport know better."""
    fault = Fault(at=3.0, stage=Stage.TLS, kind=FaultKind.RESET, detail="reset")
    one = run()
    assert one.broken(fault).finding.stage is Stage.TLS
    one.enter(Stage.SEND)
    assert one.broken(fault).finding.stage is Stage.SEND


def test_a_close_reason_is_bounded() -> None:
    """RFC 6455 allows 123 bytes; a peer may not know that."""
    ended = run().lost(Closed(at=1.0, code=4000, reason="x" * 10_000))
    assert ended.finding.end is End.CLOSED
    assert len(ended.finding.close_reason or "") <= 300


def test_notes_are_kept_once() -> None:
    """The same deviation a hundred times is one note."""
    one = run()
    for _ in range(100):
        one.note("odd")
    assert one.notes == ["odd"]
