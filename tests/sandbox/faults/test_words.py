"""Wrong words: what each fault makes of what was heard, on the pathways that give words."""

from __future__ import annotations

import pytest

from monitor import clips
from monitor.sandbox.common.transcripts import ODD_TEXT, OTHER_WORDS, PROMPT, altered
from tests.support.sandbox_sessions import AMIABLE, TRANSCRIPTION, Caller, broken, fault, sandbox

WORDS = ("one", "two", "three", "four")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("empty", ""),
        ("whitespace", "   "),
        ("punctuation", "... , ? !"),
        ("truncated", "one two"),
        ("previous_clip", "five six"),
        ("loop", " ".join(WORDS * 20)),
        ("other_language", "Er hätte sogar selbst liebenswürdig werden können."),
        ("prompt_leak", f"{PROMPT} one two three four"),
        ("hallucination", "one two three four"),
        ("unicode", " ".join(ODD_TEXT)),
        ("slow", "one two three four"),
    ],
)
def test_each_fault_has_its_own_words(name: str, expected: str) -> None:
    """Given what is heard and what was heard before."""
    assert " ".join(altered(WORDS, fault(name), before=("five", "six"))) == expected


def test_words_are_invented_only_where_nothing_was_said() -> None:
    """Silence becomes a sentence; speech stays what it is."""
    assert " ".join(altered((), fault("hallucination"))) == OTHER_WORDS


def test_a_leak_shows_the_client_s_own_prompt() -> None:
    """Where it sent one."""
    assert altered(("a",), fault("prompt_leak"), prompt="Weather words.") == ("Weather", "words.", "a")


def test_a_cold_cache_gives_the_right_words() -> None:
    """There is nothing old to show at first; then every answer is one behind."""
    box = sandbox(broken(fault("previous_clip")))
    stale = fault("previous_clip")
    assert box.answer(("a",), stale) == ("a",)
    assert box.answer(("b",), stale) == ("a",)
    assert box.answer((), stale) == ("b",)
    assert box.answer(("c",), None) == ("c",)
    assert box.answer(("d",), stale) == ("c",)


def test_a_cache_goes_unnoticed_while_the_clip_is_the_same() -> None:
    """Only another clip shows it."""
    caller = Caller(broken(fault("previous_clip")))
    assert caller.transcribe()[-1]["transcript"] == AMIABLE
    assert caller.transcribe()[-1]["transcript"] == AMIABLE
    assert caller.transcribe(clip="respectable")[-1]["transcript"] == AMIABLE
    assert caller.transcribe()[-1]["transcript"] == clips.load_clip("respectable").text


def test_a_leak_in_a_session_shows_the_prompt_of_its_settings() -> None:
    """The prompt of the transcription, in front of the words."""
    caller = Caller(broken(fault("prompt_leak")))
    caller.configure(transcription={"model": "gpt-4o-transcribe", "prompt": "Sea shanties."})
    caller.speak(clips.load_clip("amiable").pcm)
    completed = caller.say("input_audio_buffer.commit")[-1]
    assert completed["type"] == TRANSCRIPTION + "completed"
    assert completed["transcript"] == f"Sea shanties. {AMIABLE}"


def test_silence_is_filled_in_a_session() -> None:
    """The one case of invented words that a quiet recording catches."""
    caller = Caller(broken(fault("hallucination")))
    caller.configure()
    caller.speak(bytes(48_000))
    assert caller.say("input_audio_buffer.commit")[-1]["transcript"] == OTHER_WORDS
