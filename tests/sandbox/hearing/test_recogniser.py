"""What the sandbox hears follows from the samples, and from nothing else."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor import clips
from monitor.sandbox.hearing.recogniser import KEPT_BYTES, Recogniser, Reference, shipped_recogniser

NAMES = clips.names()
Samples = NDArray[np.float64]


def samples(name: str) -> Samples:
    return np.frombuffer(clips.load_clip(name).pcm, "<i2").astype(np.float64)


def pcm(signal: Samples) -> bytes:
    return np.clip(np.round(signal), -32768, 32767).astype("<i2").tobytes()


def heard(signal: Samples, chunk: int = 4800) -> str:
    data = pcm(signal)
    return shipped_recogniser().hear([data[at : at + chunk] for at in range(0, len(data), chunk)]).text


def resampled(signal: Samples, before: int, after: int) -> Samples:
    moments = np.arange(len(signal) * after // before) * before / after
    return np.interp(moments, np.arange(len(signal)), signal)


def shuffled(signal: Samples, seed: int) -> Samples:
    blocks = [signal[at : at + 4800] for at in range(0, len(signal) - 4800, 4800)]
    order = np.random.default_rng(seed).permutation(len(blocks))
    return np.concatenate([blocks[index] for index in order])


@pytest.mark.parametrize("name", NAMES)
def test_a_known_clip_gives_its_words(name: str) -> None:
    """Every shipped recording is recognised to the letter."""
    assert heard(samples(name)) == clips.load_clip(name).text


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_that_travelled_badly_gives_its_words(name: str) -> None:
    """16 kHz and back, 6 dB quieter, 0.3 s late and in 37 ms chunks: the words are the same."""
    worn = resampled(resampled(samples(name), 24_000, 16_000), 16_000, 24_000) / 2
    late = np.concatenate([np.zeros(7200), worn])
    assert heard(late, chunk=37 * 48) == clips.load_clip(name).text


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    gain=st.floats(-30, 3),
    offset=st.integers(0, 30_000),
    chunk=st.integers(1, 20_000),
)
def test_level_offset_and_chunks_change_nothing(name: str, gain: float, offset: int, chunk: int) -> None:
    """Any gain down to -30 dB, any delay and any cutting, odd bytes too, give the same words."""
    signal = np.concatenate([np.zeros(offset), samples(name) * 10 ** (gain / 20)])
    data = pcm(signal)
    pieces = [data[at : at + chunk] for at in range(0, len(data), chunk)]
    assert shipped_recogniser().hear(pieces).text == clips.load_clip(name).text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("half", ["first", "second"])
def test_half_a_clip_gives_half_its_words(name: str, half: str) -> None:
    """Half of the samples give half of the words, one more or less, and those of that half."""
    signal, words = samples(name), clips.load_clip(name).text.split()
    middle = len(signal) // 2
    said = heard(signal[:middle] if half == "first" else signal[middle:]).split()
    assert abs(len(said) - len(words) / 2) <= 1
    assert said == (words[: len(said)] if half == "first" else words[-len(said) :])


@settings(max_examples=25, deadline=None)
@given(name=st.sampled_from(NAMES), begin=st.floats(0, 0.5), length=st.floats(0.3, 1))
def test_any_stretch_gives_neighbouring_words(name: str, begin: float, length: float) -> None:
    """A stretch cut out anywhere gives a run of the clip's words, never others."""
    signal, text = samples(name), clips.load_clip(name).text
    first = int(begin * len(signal))
    assert heard(signal[first : first + int(length * len(signal))]) in text


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_rate_gives_nothing(name: str) -> None:
    """16 kHz samples sent as 24 kHz, and the reverse, are not understood."""
    assert heard(resampled(samples(name), 24_000, 16_000)) == ""
    assert heard(resampled(samples(name), 16_000, 24_000)) == ""


@pytest.mark.parametrize("name", NAMES)
def test_unknown_speech_gives_nothing(name: str) -> None:
    """Speech that is no known recording, here backwards or in shuffled fifths of a second, gives no words."""
    assert heard(samples(name)[::-1]) == ""
    for seed in range(5):
        assert heard(shuffled(samples(name), seed)) == ""


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), level=st.floats(1, 12_000), seconds=st.floats(0, 6))
def test_noise_gives_nothing(seed: int, level: float, seconds: float) -> None:
    """White noise of any level and length gives no words."""
    assert heard(np.random.default_rng(seed).normal(0, level, int(seconds * 24_000))) == ""


@pytest.mark.parametrize("count", [0, 1, 479, 24_000])
def test_silence_gives_nothing(count: int) -> None:
    """Digital silence of any length gives no words."""
    assert heard(np.zeros(count)) == ""


def test_two_clips_give_both_texts_in_order() -> None:
    """Clips one after the other, at different levels, give their texts in the order in which they came."""
    pair = [samples("cards_numbers"), np.zeros(9_999), samples("amiable") / 4]
    assert heard(np.concatenate(pair)) == "Eight of spades, four of clubs, seven of hearts. " + (
        clips.load_clip("amiable").text
    )


def test_the_same_clip_twice_gives_its_text_twice() -> None:
    """A repetition is heard as one."""
    text = clips.load_clip("amiable").text
    assert heard(np.concatenate([samples("amiable"), samples("amiable")])) == f"{text} {text}"


def test_a_faint_noise_behind_speech_does_no_harm() -> None:
    """A clip with noise 25 dB below it is still understood."""
    signal = samples("respectable")
    noise = np.random.default_rng(3).normal(0, 120, len(signal))
    assert heard(signal + noise) == clips.load_clip("respectable").text


def test_an_ear_knows_only_what_it_was_taught() -> None:
    """A recording that is not among the references is not heard."""
    clip = clips.load_clip("amiable")
    ear = Recogniser([Reference(name=clip.name, text=clip.text, pcm=clip.pcm)])
    assert ear.hear([clip.pcm]).text == clip.text
    assert ear.hear([clips.load_clip("respectable").pcm]).words == ()


def test_what_was_heard_once_is_remembered() -> None:
    """The same audio a second time costs next to nothing."""
    clip = clips.load_clip("respectable")
    chunks = [clip.pcm[at : at + 4800] for at in range(0, len(clip.pcm), 4800)]
    shipped_recogniser().hear(chunks)
    begun = time.process_time()
    for _ in range(100):
        shipped_recogniser().hear(chunks)
    assert time.process_time() - begun < 0.1


def test_the_work_grows_with_the_audio_and_not_with_its_square() -> None:
    """Five minutes of one clip over and over, every word of it, in a few seconds of one processor.

    The matrix of all frames against all frames would take a gigabyte, and minutes.
    """
    once = clips.load_clip("amiable").pcm
    begun = time.process_time()
    words = shipped_recogniser().hear([once] * 90).words
    assert words == tuple(clips.load_clip("amiable").text.split()) * 90
    assert time.process_time() - begun < 10


def test_long_audio_is_not_remembered() -> None:
    """Whoever sends long recordings fills no memory with them."""
    ear = Recogniser([Reference(name="amiable", text="a", pcm=clips.load_clip("amiable").pcm)])
    ear.hear([bytes(KEPT_BYTES + 2)])
    assert ear._recall.cache_info().currsize == 0
    ear.hear([bytes(KEPT_BYTES)])
    assert ear._recall.cache_info().currsize == 1
