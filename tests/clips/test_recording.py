"""Recordings are loaded whole or refused with the remedy."""

from __future__ import annotations

import hashlib
import io
import wave
from pathlib import Path

import pytest

from monitor.clips import SILENCE, Clip, load_clip, names, silence_clip
from monitor.core.errors import ClipError


def write_wav(
    path: Path, *, rate: int = 24_000, channels: int = 1, width: int = 2, seconds: float = 0.5
) -> bytes:
    """A silent WAV file of that format at *path*, with its text beside it; gives its bytes."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(bytes(int(rate * seconds) * channels * width))
    path.write_bytes(buffer.getvalue())
    path.with_suffix(".txt").write_text("\ufeffAnd so on.\n", encoding="utf-8")
    return buffer.getvalue()


@pytest.mark.parametrize("name", names())
def test_every_shipped_recording_is_whole(name: str) -> None:
    """A shipped recording has the listed hash, words, a licence and its origin."""
    clip = load_clip(name)
    assert clip.sha256 == hashlib.sha256(clip.wav).hexdigest()
    assert clip.wav.endswith(clip.pcm)
    assert clip.seconds == len(clip.pcm) / 48_000
    assert clip.text
    assert clip.licence
    assert clip.provenance
    assert clip.language == "en"


def test_the_default_recording_comes_first() -> None:
    """The three recordings are shipped, the default one listed first."""
    assert names() == ("amiable", "respectable", "cards_numbers")
    assert load_clip("amiable").text == "He might even have been made amiable himself."
    assert load_clip("amiable").seconds == pytest.approx(3.29, abs=0.01)


def test_a_recording_is_read_once() -> None:
    """The second loading gives the very same clip."""
    assert load_clip("amiable") is load_clip("amiable")


def test_samples_stay_out_of_the_repr() -> None:
    """A clip in a log line or an assertion shows its facts, not a hundred kilobytes."""
    assert len(repr(load_clip("amiable"))) < 1_000


def test_an_unknown_name_lists_the_known_ones() -> None:
    """A misspelt name is answered with what there is."""
    with pytest.raises(ClipError, match=r"clip amiabel: no such recording; shipped are amiable, respect"):
        load_clip("amiabel")


def test_a_file_of_ones_own_brings_its_text(tmp_path: Path) -> None:
    """A WAV file at an absolute path is loaded with the text beside it; its hash is optional.

    Its name is that of the file: outcomes and bundles do not tell where it lies.
    """
    path = tmp_path / "own.wav"
    wav = write_wav(path)
    clip = load_clip(str(path))
    assert (clip.text, clip.seconds, clip.wav, clip.name) == ("And so on.", 0.5, wav, "own.wav")
    assert load_clip(str(path), sha256=clip.sha256.upper()) == clip
    assert str(tmp_path) not in repr(clip)


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    """A file whose hash is not the expected one is refused, and both hashes are told."""
    write_wav(tmp_path / "own.wav")
    with pytest.raises(ClipError, match=rf"altered: its sha256 is [0-9a-f]{{64}}, expected {'0' * 64}"):
        load_clip(str(tmp_path / "own.wav"), sha256="0" * 64)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(ClipError, match=r"gone\.wav: No such file or directory; give the path"):
        load_clip(str(tmp_path / "gone.wav"))


def test_a_missing_text_says_where_to_write_it(tmp_path: Path) -> None:
    """A recording without its words cannot be judged, and the remedy names the file to write."""
    write_wav(tmp_path / "own.wav")
    (tmp_path / "own.txt").unlink()
    with pytest.raises(ClipError, match=r"write what is said in it, as UTF-8, to .*own\.txt"):
        load_clip(str(tmp_path / "own.wav"))


@pytest.mark.parametrize(
    ("rate", "channels", "width"), [(16_000, 1, 2), (24_000, 2, 2), (24_000, 1, 1), (8_000, 2, 4)]
)
def test_another_format_is_refused(tmp_path: Path, rate: int, channels: int, width: int) -> None:
    """Only 24 kHz mono 16-bit is taken, and the way to convert is told."""
    write_wav(tmp_path / "own.wav", rate=rate, channels=channels, width=width)
    found = rf"this is {rate} Hz, {channels} channel\(s\), {8 * width} bit; convert it with: sox"
    with pytest.raises(ClipError, match=found):
        load_clip(str(tmp_path / "own.wav"))


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not a recording at all", bytes(5_000)])
def test_what_is_no_wav_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """Bytes that are no WAV file are refused in one sentence."""
    write_wav(tmp_path / "own.wav")
    (tmp_path / "own.wav").write_bytes(content)
    with pytest.raises(ClipError, match="no PCM WAV file"):
        load_clip(str(tmp_path / "own.wav"))


def test_a_recording_cut_short_is_refused(tmp_path: Path) -> None:
    """A file that holds fewer samples than its header promises is refused."""
    wav = write_wav(tmp_path / "own.wav")
    (tmp_path / "own.wav").write_bytes(wav[:-1_000])
    with pytest.raises(ClipError, match="cut short: 11500 of 12000 samples"):
        load_clip(str(tmp_path / "own.wav"))


def test_a_recording_too_short_to_commit_is_refused(tmp_path: Path) -> None:
    """Less than 100 ms would come back as an empty buffer, and look like the provider's fault."""
    write_wav(tmp_path / "own.wav", seconds=0.05)
    with pytest.raises(ClipError, match="shorter than 100 ms"):
        load_clip(str(tmp_path / "own.wav"))


def test_a_recording_too_large_is_refused(tmp_path: Path) -> None:
    """More than 25 MB is refused before it is read."""
    write_wav(tmp_path / "own.wav")
    with (tmp_path / "own.wav").open("r+b") as file:
        file.truncate(26_000_000)
    with pytest.raises(ClipError, match="larger than 25 MB"):
        load_clip(str(tmp_path / "own.wav"))


def test_silence_has_no_words() -> None:
    """The silent clip is as long as asked, empty of sound and of text."""
    clip: Clip = silence_clip(1.5)
    assert (clip.text, clip.seconds, set(clip.pcm)) == ("", 1.5, {0})


def test_silence_is_a_clip_like_any_other() -> None:
    """It is found by its name, made once, and says nothing."""
    clip = load_clip("silence")
    assert (clip.name, clip.text, clip.seconds) == (SILENCE, "", 2.0)
    assert load_clip("silence") is clip
    assert not any(clip.pcm)
