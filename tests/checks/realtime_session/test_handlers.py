"""What single events change in a run, and that no sequence of them breaks it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.conversation import (
    Answer,
    Binary,
    Closed,
    End,
    Fault,
    FaultKind,
    Noted,
    Opened,
    Refused,
    Responded,
    Sent,
    Silent,
    Text,
)
from monitor.core.model import Stage, Verdict
from tests.checks.realtime_session.test_events import ANY_JSON
from tests.support.realtime_events import (
    ITEM,
    TRANSCRIPTION,
    WORDS,
    committed,
    completed,
    created,
    delta,
    error,
    failed,
    opened,
    ready,
    spoken,
    text,
    updated,
)
from tests.support.scripted_peer import hold, judge, target

REALTIME = target("realtime")


def notes(*answers: Answer) -> list[str]:
    return list(hold([*spoken(), *answers], REALTIME)[0].notes)


def test_deltas_that_are_not_the_final_text_are_noted_not_judged() -> None:
    """Some servers send only the stable beginning; the final text is what counts."""
    assert notes(delta("He might"), completed()) == ["the deltas joined are not the final text"]
    assert notes(delta("He might even have "), delta("been made amiable himself."), completed()) == []


def test_cumulative_partial_texts_count_as_first_text_only() -> None:
    """Qwen-ASR and xAI repeat the whole text each time."""
    partial = text(type=f"{TRANSCRIPTION}.text", item_id=ITEM, text="He might", delta="")
    assert notes(text(type=f"{TRANSCRIPTION}.updated", delta="He"), partial, completed()) == []


def test_a_committed_without_an_id_is_noted() -> None:
    """The transcript then belongs to the only open item."""
    finding, _ = hold([*ready(), committed(None), completed()], REALTIME)
    assert (finding.transcript, finding.ids["item_id"]) == (WORDS, ITEM)
    assert "committed came without an item_id" in finding.notes


def test_a_second_completion_and_a_late_failure_change_nothing() -> None:
    """The first word about an item stands."""
    vad = target("realtime", turn="server_vad")
    late = [completed("Other words."), failed({"message": "late"})]
    finding, _ = hold([opened(), created(), updated(turn={}), committed(), completed(), *late], vad)

    assert finding.transcript == WORDS
    assert len([note for note in finding.notes if ITEM in note]) == 2


def test_a_completion_without_text_is_not_understood() -> None:
    """Null is no transcript; an empty string is one, and a wrong one."""
    finding, _ = hold([*spoken(), completed(None)], REALTIME)
    assert (finding.end, finding.stage) == (End.MALFORMED, Stage.TRANSCRIBE)
    finding, _ = hold([*spoken(), completed("")], REALTIME)
    assert (finding.end, judge(finding, REALTIME).failure) == (End.TEXT, "quality")


@pytest.mark.parametrize("names", ["cfg-2", "a-", "A-0001", "commit-1 ", "cfg-1\n", "event_TODO"])
def test_an_error_about_an_event_that_is_not_ours_is_not_fatal(names: str) -> None:
    """Only our own ids count."""
    finding, _ = hold([*spoken(), error(names, message="about somebody else"), completed()], REALTIME)
    assert finding.end is End.TEXT


def test_notes_are_bounded_in_number_and_length() -> None:
    """A peer that errs without end does not fill the memory."""
    stray = [error(message=f"{number} " + "x" * 10_000) for number in range(200)]
    finding, _ = hold([*spoken(), *stray, completed()], REALTIME)
    assert len(finding.notes) <= 20
    assert max(map(len, finding.notes)) <= 300


NAMES = [
    "session.created",
    "session.updated",
    "input_audio_buffer.committed",
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    f"{TRANSCRIPTION}.delta",
    f"{TRANSCRIPTION}.completed",
    f"{TRANSCRIPTION}.failed",
    "error",
    "response.created",
    "nonsense",
]
KEYS = ["item_id", "event_id", "session", "error", "transcript", "text", "delta", "code"]
EVENTS = st.builds(
    lambda name, fields: Text(at=1.0, text=json.dumps({**fields, "type": name})),
    st.sampled_from(NAMES),
    st.dictionaries(st.sampled_from(KEYS), ANY_JSON, max_size=4),
)
LIKELY = st.sampled_from([opened(), created(), updated(), committed(), delta("He"), completed()])
STAGES = st.sampled_from(list(Stage))
RARE: st.SearchStrategy[Answer] = st.one_of(
    st.builds(Text, at=st.floats(0, 40), text=st.text(max_size=20)),
    st.builds(Binary, at=st.floats(0, 40), data=st.binary(max_size=4)),
    st.builds(Closed, at=st.floats(0, 40), code=st.integers(0, 5000), reason=st.text(max_size=20)),
    st.builds(Fault, at=st.floats(0, 40), stage=STAGES, kind=st.sampled_from(FaultKind), detail=st.text()),
    st.builds(Refused, at=st.just(0.1), status=st.integers(100, 599), headers=st.just(()), body=st.binary()),
    st.builds(
        Responded, at=st.just(0.1), status=st.integers(100, 599), headers=st.just(()), body=st.binary()
    ),
    st.sampled_from([Sent(at=1.0), Silent(at=2.0), Noted(at=0.0), Opened(at=0.0, headers=())]),
)
SCRIPTS = st.lists(st.one_of(LIKELY, EVENTS, RARE), max_size=12)


@settings(deadline=None)
@given(
    SCRIPTS,
    st.integers(0, 4),
    st.sampled_from(["rest", "realtime", "realtime_transcription"]),
    st.sampled_from(["manual", "server_vad"]),
)
def test_any_sequence_of_answers_ends_in_a_judgement(
    script: list[Answer], prelude: int, pathway: str, turn: str
) -> None:
    """Whatever a peer does, a run ends in a finding, and a finding in a judgement that can be stored."""
    asked = target(pathway, turn=turn)
    started: list[Any] = [opened(), created(), updated(), committed()][:prelude]
    finding, _ = hold([*started, *script], asked)
    judged = judge(finding, asked)

    assert judged.verdict in Verdict
    assert (judged.verdict is Verdict.PASSED) is (judged.stage is None)
    for value in (judged.message, judged.type, judged.code, judged.transcript, *judged.ids.values()):
        assert value is None or "\x00" not in value.encode().decode()
