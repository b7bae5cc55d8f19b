"""How long a text took where the server's own ear ends the turn: from the end of the speech that was sent."""

from __future__ import annotations

import pytest

from monitor.clips import load_clip, silence_clip, speech_seconds
from monitor.core.classification.classify import timings_of
from monitor.core.conversation import Answer, Sent, Text
from tests.support.realtime_events import committed, completed, created, opened, text, updated
from tests.support.scripted_peer import hold, target

VAD = target("realtime", turn="server_vad")
SENT = Sent(at=5.7)  # the clip's 3.3 s and two seconds of silence are on their way
BEGAN = 0.25  # about when the first frame goes out
SPOKEN = BEGAN + 3.2  # when the last frame with speech does


def at(instant: float, event: Text) -> Text:
    return Text(at=instant, text=event.text)


def spoken(*answers: Answer) -> list[Answer]:
    return [opened(), created(), updated(turn={"type": "server_vad"}), *answers]


STARTED = at(1.0, text(type="input_audio_buffer.speech_started", item_id="item_1"))


def stopped(instant: float) -> Text:
    return at(instant, text(type="input_audio_buffer.speech_stopped", item_id="item_1"))


@pytest.mark.parametrize(
    ("answers", "took"),
    [
        # The text is there before the server says that the turn ended (Hugging Face speech-to-speech).
        (
            [STARTED, stopped(4.1), at(4.1, committed("item_1")), at(4.105, completed(item="item_1")), SENT],
            655,
        ),
        # It comes with the commit, and we are still sending.
        (
            [STARTED, stopped(4.8), at(4.9, committed("item_1")), at(4.9, completed(item="item_1")), SENT],
            1450,
        ),
        # A hosted server: its silence of 500 ms, then the work.
        (
            [STARTED, stopped(4.0), at(4.1, committed("item_1")), SENT, at(6.2, completed(item="item_1"))],
            2750,
        ),
        # Events that say when it ended are missing.
        ([at(4.9, committed("item_1")), at(4.95, completed(item="item_1")), SENT], 1500),
    ],
)
def test_a_text_counts_from_the_end_of_the_speech(answers: list[Answer], took: float) -> None:
    """Not from the server's own word that it ended, which some send with the text."""
    finding, _ = hold(spoken(*answers), VAD)
    final = timings_of(finding)["final"]
    assert final == pytest.approx(took, abs=60)


def test_qwens_ear_counts_the_same() -> None:
    """A dialect without commits."""
    qwen = target(
        "realtime_transcription", "openai_compatible", turn="server_vad", endpoint={"dialect": "qwen"}
    )
    done = text(
        type="conversation.item.input_audio_transcription.completed", item_id="item_1", text="He might."
    )
    answers: list[Answer] = [opened(), created(), text(type="session.updated", session={})]
    finding, _ = hold([*answers, STARTED, stopped(4.1), at(4.1, done), SENT], qwen)
    assert timings_of(finding)["final"] == pytest.approx(650, abs=60)


def test_what_we_commit_ourselves_counts_from_our_commit() -> None:
    """As before."""
    finding, _ = hold([opened(), created(), updated(), committed(), completed()], target("realtime"))
    assert "speech_end" not in finding.marks
    final = timings_of(finding)["final"]
    assert final is not None
    assert final == pytest.approx(1000 * (finding.marks["final"] - finding.marks["commit"]), abs=1)


def test_a_burst_counts_from_its_beginning() -> None:
    """Everything goes out at once."""
    finding, _ = hold(
        spoken(STARTED, stopped(1.4), at(1.5, committed("item_1")), at(1.5, completed(item="item_1"))),
        target("realtime", turn="server_vad", pace="burst"),
    )
    assert timings_of(finding)["final"] == pytest.approx(1000 * (1.5 - BEGAN), abs=150)


def test_the_end_of_speech_is_found_in_a_recording() -> None:
    """Before the silence at its end, and at 0 where there is nothing but silence."""
    clip = load_clip("respectable")
    assert 5.5 < speech_seconds(clip) < len(clip.pcm) / 48_000
    assert speech_seconds(silence_clip()) == 0.0
