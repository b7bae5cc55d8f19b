"""Adding a recording of one's own: any format in, a checked 24 kHz clip with its facts out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monitor.clips.adding import Words, add_clip
from monitor.clips.recording import SAMPLE_RATE, load_clip
from monitor.core.errors import ClipError

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("soxr")

WORDS = Words(text="Hello there.", language="en", licence="CC0-1.0", provenance="me")


def recording(
    path: Path, *, seconds: float = 1.0, rate: int = 44_100, channels: int = 2, gain: float = 0.3
) -> Path:
    """A tone in any format that the ending names."""
    times = np.arange(round(seconds * rate)) / rate
    tone = gain * np.sin(2 * np.pi * 440 * times)
    soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), rate)
    return path


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_any_format_becomes_a_clip_of_the_same_length(tmp_path: Path, ending: str) -> None:
    """Rate, channels and container are converted; text, language and licence are kept."""
    source = recording(tmp_path / f"tone.{ending}")
    clip = load_clip(str(add_clip(source, tmp_path / "clips", "tone", WORDS)))
    assert clip.seconds == pytest.approx(1.0, abs=0.06)
    assert len(clip.pcm) == round(clip.seconds * SAMPLE_RATE) * 2
    assert (clip.text, clip.language, clip.licence) == ("Hello there.", "en", "CC0-1.0")


def test_the_sound_stays_the_same(tmp_path: Path) -> None:
    """A tone keeps its pitch and its loudness through resampling."""
    path = add_clip(recording(tmp_path / "tone.wav"), tmp_path, "made", WORDS)
    samples = np.frombuffer(load_clip(str(path)).pcm, "<i2") / 32767
    spectrum = abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) * SAMPLE_RATE / len(samples) == pytest.approx(440, abs=2)
    assert float(abs(samples).max()) == pytest.approx(0.3, abs=0.02)


def test_an_altered_file_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    """The hash that was noted guards the recording from then on."""
    path = add_clip(recording(tmp_path / "tone.wav"), tmp_path, "made", WORDS)
    path.write_bytes(path.read_bytes()[:-2] + b"\x01\x02")
    load_clip.cache_clear()
    with pytest.raises(ClipError, match="altered"):
        load_clip(str(path))


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"seconds": 0.05}, "shorter than 100 ms"),
        ({"seconds": 61.0, "rate": 8000, "channels": 1}, "cut out at most 60 s"),
        ({"gain": 0.0}, "silent, though it has a text"),
    ],
    ids=["short", "long", "silent"],
)
def test_what_could_not_be_transcribed_is_refused(
    tmp_path: Path, facts: dict[str, float], sentence: str
) -> None:
    """Each refusal says what would be right, and nothing is written."""
    source = recording(tmp_path / "tone.wav", **facts)  # type: ignore[arg-type]
    with pytest.raises(ClipError, match=sentence):
        add_clip(source, tmp_path / "clips", "made", WORDS)
    assert not (tmp_path / "clips").exists()


def test_a_taken_name_is_left_alone(tmp_path: Path) -> None:
    """A second clip of the same name does not replace the first."""
    source = recording(tmp_path / "tone.wav")
    before = add_clip(source, tmp_path, "made", WORDS).read_bytes()
    with pytest.raises(ClipError, match="choose another --name"):
        add_clip(source, tmp_path, "made", WORDS)
    assert (tmp_path / "made.wav").read_bytes() == before


@pytest.mark.parametrize(("name", "reason"), [("no.wav", "no such file"), ("text.wav", "cannot be read")])
def test_what_is_no_recording_says_which_formats_are(tmp_path: Path, name: str, reason: str) -> None:
    """A missing file and one that holds no sound are told apart."""
    (tmp_path / "text.wav").write_text("not a sound")
    with pytest.raises(ClipError, match=reason):
        add_clip(tmp_path / name, tmp_path, "made", WORDS)


def test_facts_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """A broken file of facts is an error with its place, not a clip without them."""
    path = add_clip(recording(tmp_path / "tone.wav"), tmp_path, "made", WORDS)
    path.with_suffix(".toml").write_text("sha256 = ")
    load_clip.cache_clear()
    with pytest.raises(ClipError, match=r"made\.toml cannot be read"):
        load_clip(str(path))


@pytest.mark.parametrize("name", ["../up", "a/b", "/made", "", ".", "..", "a\nb", "x" * 300, "-x", "_"])
def test_a_name_never_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """What is no plain name is refused, and nothing is written anywhere."""
    source = recording(tmp_path / "tone.wav")
    with pytest.raises(ClipError, match="is no name for a clip"):
        add_clip(source, tmp_path / "clips", name, WORDS)
    assert [path.name for path in tmp_path.rglob("*")] == ["tone.wav"]


@pytest.mark.parametrize("name", ["my clip", "Grüße", "take-2", "v1.2", "0930"])
def test_plain_names_are_taken(tmp_path: Path, name: str) -> None:
    """Spaces, letters of any script, dots and dashes are nobody's path."""
    assert add_clip(recording(tmp_path / "tone.wav"), tmp_path, name, WORDS).name == f"{name}.wav"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (replace(WORDS, language="klingon"), "write it as in ISO 639-1"),
        (replace(WORDS, language="en\n"), "write it as in ISO 639-1"),
        (replace(WORDS, text="… !"), "the text has no words"),
    ],
    ids=["language", "line end", "punctuation"],
)
def test_words_that_nothing_could_match_are_refused(tmp_path: Path, words: Words, sentence: str) -> None:
    """A language that is none, and a text of punctuation, would fail every run."""
    with pytest.raises(ClipError, match=sentence):
        add_clip(recording(tmp_path / "tone.wav"), tmp_path, "made", words)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The sentence says which, and what to give instead."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ClipError, match=r"file cannot be written: .*--to"):
        add_clip(recording(tmp_path / "tone.wav"), tmp_path / "file", "made", WORDS)


def test_a_text_that_lies_there_already_is_left_alone(tmp_path: Path) -> None:
    """The facts of another recording are not overwritten."""
    (tmp_path / "made.txt").write_text("by hand")
    with pytest.raises(ClipError, match=r"made\.txt exists"):
        add_clip(recording(tmp_path / "tone.wav"), tmp_path, "made", WORDS)
    assert (tmp_path / "made.txt").read_text() == "by hand"


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    """A damaged export is named, not turned into noise."""
    samples = np.full(SAMPLE_RATE, 0.3)
    samples[100] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, SAMPLE_RATE, subtype="FLOAT")
    with pytest.raises(ClipError, match="no numbers"):
        add_clip(tmp_path / "nan.wav", tmp_path, "made", WORDS)


def test_a_rate_without_speech_is_refused_before_it_is_resampled(tmp_path: Path) -> None:
    """A header of one sample a second would otherwise become hours of sound."""
    soundfile.write(tmp_path / "slow.wav", np.full(SAMPLE_RATE, 0.3), 1)
    with pytest.raises(ClipError, match="1 samples a second"):
        add_clip(tmp_path / "slow.wav", tmp_path, "made", WORDS)


def test_channels_that_cancel_each_other_out_are_heard(tmp_path: Path) -> None:
    """One channel the other's negative: the loudest is taken alone."""
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
    soundfile.write(tmp_path / "both.wav", np.stack([tone, -tone], axis=1), SAMPLE_RATE)
    clip = load_clip(str(add_clip(tmp_path / "both.wav", tmp_path, "made", WORDS)))
    assert np.frombuffer(clip.pcm, "<i2").max() == pytest.approx(0.3 * 32767, rel=0.05)
