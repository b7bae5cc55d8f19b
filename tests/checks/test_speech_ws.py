"""A turn of Azure AI Speech's WebSocket, driven by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.conversation import (
    Answer,
    Binary,
    Close,
    Closed,
    End,
    Fault,
    FaultKind,
    Open,
    Refused,
    Send,
    Sent,
    Text,
)
from monitor.core.model import Blame, Failure, Stage, Verdict
from tests.support.realtime_events import WORDS, opened
from tests.support.scripted_peer import hold, judge, target

SPEECH = target("speech_ws", "azure_speech", model="default")


def told(path: str, at: float = 0.0, /, **fields: Any) -> Text:
    return Text(at=at, text=f"X-RequestId:1\r\nPath:{path}\r\n\r\n{json.dumps(fields)}")


START = told("turn.start", context={"serviceTag": "tag-1"})
END = told("turn.end")


def phrase(status: str = "Success", text: str = WORDS, at: float = 0.0) -> Text:
    return told("speech.phrase", at, RecognitionStatus=status, DisplayText=text, Offset=1, Duration=2)


def hypothesis(at: float = 0.0) -> Text:
    return told("speech.hypothesis", at, Text="he might", Offset=1, Duration=2)


def test_a_turn_with_its_words_passes() -> None:
    """Configuration, audio, an empty message; the service's tag is kept for support."""
    answers: list[Answer] = [
        opened(),
        START,
        hypothesis(4.4),
        told("speech.endDetected"),
        phrase(at=5.0),
        END,
    ]
    finding, player = hold(answers, SPEECH)
    judged = judge(finding, SPEECH)

    assert (finding.end, finding.stage, judged.verdict) == (End.TEXT, Stage.VERIFY, Verdict.PASSED)
    assert finding.ids["service_tag"] == "tag-1"
    assert finding.ids["client_request_id"] == "ours1"
    assert player.stages == ["configure", "send", "transcribe"]
    first, *audio = player.sent
    assert isinstance(first, str)
    assert first.startswith("Path: speech.config\r\n")
    assert all(isinstance(frame, bytes) for frame in audio)
    start = player.asks[0]
    assert isinstance(start, Open)
    assert ("X-ConnectionId", "ours1") in start.headers
    pace = next(ask for ask in player.asks if isinstance(ask, Send) and ask.audio)
    assert pace.spacing == 0.1
    last = player.asks[-1]
    assert isinstance(last, Close)
    assert judged.timings_ms["final"] is not None


def test_what_is_said_while_we_send_is_heard() -> None:
    """The hypothesis in mid-audio is the first text, before the commit."""
    answers: list[Answer] = [opened(), START, hypothesis(1.0), Sent(at=3.4), phrase(at=4.0), END]
    finding, _ = hold(answers, SPEECH)
    assert finding.end is End.TEXT
    assert judge(finding, SPEECH).timings_ms["first_text"] == 0.0


def test_phrases_are_joined_and_an_end_of_dictation_is_none() -> None:
    """A pause makes two phrases of one sentence."""
    answers: list[Answer] = [opened(), START, phrase(text=WORDS[:24]), phrase(text=WORDS[24:])]
    finding, _ = hold([*answers, phrase("EndOfDictation", ""), phrase("NoMatch", ""), END], SPEECH)
    assert judge(finding, SPEECH).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("status", "failure", "blame"),
    [
        ("NoMatch", Failure.QUALITY, Blame.PROVIDER),
        ("InitialSilenceTimeout", Failure.QUALITY, Blame.PROVIDER),
        ("Error", Failure.SERVER, Blame.PROVIDER),
        ("TooManyRequests", Failure.QUOTA, Blame.ACCOUNT),
        ("BadRequest", Failure.CONFIG, Blame.ACCOUNT),
        ("Forbidden", Failure.QUOTA, Blame.ACCOUNT),
    ],
)
def test_a_turn_without_words_fails_by_its_status(status: str, failure: Failure, blame: Blame) -> None:
    """At the stage in which the words were awaited."""
    finding, _ = hold([opened(), START, phrase(status, ""), END], SPEECH)
    judged = judge(finding, SPEECH)
    assert (judged.failure, judged.blame, judged.code) == (failure, blame, status)
    assert judged.stage is Stage.TRANSCRIBE


def test_of_silence_nothing_is_heard() -> None:
    """No words and a status that says so are right; words are invented."""
    quiet, _ = hold([opened(), START, phrase("InitialSilenceTimeout", ""), END], SPEECH, "silence")
    invented, _ = hold([opened(), START, phrase(text="Thank you."), END], SPEECH, "silence")
    assert judge(quiet, SPEECH, "silence").verdict is Verdict.PASSED
    assert judge(invented, SPEECH, "silence").failure is Failure.QUALITY


@pytest.mark.parametrize(
    ("answers", "failure", "stage", "piece"),
    [
        ([opened()], Failure.SILENT, Stage.TRANSCRIBE, "no turn.start"),
        ([opened(), START], Failure.SILENT, Stage.TRANSCRIBE, "no speech.phrase"),
        ([opened(), START, phrase()], Failure.SILENT, Stage.TRANSCRIBE, "no turn.end"),
        ([opened(), START, Closed(at=5, code=1007, reason="bad")], Failure.CONFIG, Stage.TRANSCRIBE, "bad"),
        ([opened(), START, Closed(at=5, code=4000, reason="x")], Failure.SERVER, Stage.TRANSCRIBE, "x"),
        ([opened(), START, Closed(at=5, code=1006, reason="")], Failure.SERVER, Stage.TRANSCRIBE, "1006"),
        ([opened(), Binary(at=1, data=b"x")], Failure.PROTOCOL, Stage.CONFIGURE, "binary"),
        ([opened(), Text(at=1, text="{}")], Failure.PROTOCOL, Stage.TRANSCRIBE, "without a path"),
        ([opened(), START, told("speech.phrase")], Failure.PROTOCOL, Stage.TRANSCRIBE, "RecognitionStatus"),
        (
            [Refused(at=1, status=401, headers=(), body=b"")],
            Failure.AUTH,
            Stage.HANDSHAKE,
            "HTTP status 401",
        ),
        ([], Failure.SILENT, Stage.HANDSHAKE, "answer to the upgrade"),
        (
            [Fault(at=1, stage=Stage.TLS, kind=FaultKind.CERTIFICATE, detail="expired")],
            "tls",
            "tls",
            "expired",
        ),
    ],
)
def test_every_other_end_has_its_stage(answers: list[Answer], failure: str, stage: str, piece: str) -> None:
    """What was awaited, or why it will not come, stands in the message."""
    judged = judge(hold(answers, SPEECH)[0], SPEECH)
    assert (judged.failure, judged.message and piece in judged.message) == (failure, True)
    assert judged.stage == stage or failure is Failure.PROTOCOL


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(st.text(max_size=60), st.sampled_from([START.text, phrase().text, END.text])), max_size=6
    )
)
def test_whatever_is_said_the_run_ends_in_a_judgement(texts: list[str]) -> None:
    """No text raises anything."""
    finding, _ = hold([opened(), *(Text(at=1.0, text=text) for text in texts)], SPEECH)
    assert judge(finding, SPEECH).verdict in Verdict


def test_a_phrase_that_comes_while_we_send_counts_from_the_end_of_the_speech() -> None:
    """The service's ear ends the turn before the stream does: it took time all the same."""
    answers: list[Answer] = [opened(), START, phrase(at=3.6), END, Sent(at=3.7)]
    finding, _ = hold(answers, SPEECH)
    final = judge(finding, SPEECH).timings_ms["final"]
    assert final is not None
    assert 100 < final < 400
