"""Files of every kind that can be decoded here, and those that cannot."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from monitor import clips
from monitor.sandbox.hearing.audio import UnreadableAudio
from monitor.sandbox.hearing.decode import LONGEST, known_formats, read_upload
from monitor.sandbox.hearing.recogniser import shipped_recogniser
from tests.support.sandbox_sessions import AMIABLE

SAMPLES = np.frombuffer(clips.load_clip("amiable").pcm, "<i2")


def written(samples: np.ndarray, form: str, subtype: str | None = None, rate: int = 24_000) -> bytes:
    """Samples as a file."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=form, subtype=subtype)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("form", "subtype"),
    [
        ("FLAC", None),
        ("MP3", None),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("WAV", "PCM_U8"),
        ("WAV", "PCM_24"),
        ("WAV", "FLOAT"),
        ("WAV", "ULAW"),
        ("WAVEX", "PCM_16"),
    ],
)
def test_the_words_are_heard_whatever_the_format(form: str, subtype: str | None) -> None:
    """Compressed or not, with any width of samples, a known recording gives its words."""
    found = read_upload(written(SAMPLES, form, subtype))
    assert shipped_recogniser().hear([found.pcm]).text == AMIABLE
    assert found.seconds == pytest.approx(len(SAMPLES) / 24_000, abs=0.1)


def in_container(form: str, codec: str, rate: int) -> bytes:
    """The samples in a container of FFmpeg's."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=form) as container:
        stream: Any = container.add_stream(codec, rate=rate, layout="mono")
        size = stream.codec_context.frame_size or 960
        cut: Any = av.AudioResampler(format="fltp", layout="mono", rate=rate, frame_size=size)
        frame = av.AudioFrame.from_ndarray(SAMPLES.reshape(1, -1), format="s16", layout="mono")
        frame.rate = 24_000
        for part in (*cut.resample(frame), *cut.resample(None), None):
            container.mux(stream.encode(part))
    return buffer.getvalue()


@pytest.mark.parametrize(("form", "rate"), [("mp4", 24_000), ("ipod", 44_100)])
def test_the_words_are_heard_in_m4a(form: str, rate: int) -> None:
    """As phones record it; the file that breaks off is refused, and nothing else is raised."""
    content = in_container(form, "aac", rate)
    assert shipped_recogniser().hear([read_upload(content).pcm]).text == AMIABLE
    for end in (20, 300, len(content) // 2):
        with contextlib.suppress(UnreadableAudio):
            read_upload(content[:end])


def test_the_words_are_heard_in_webm() -> None:
    """As browsers record it."""
    found = read_upload(in_container("webm", "libopus", 48_000))
    assert shipped_recogniser().hear([found.pcm]).text == AMIABLE


def test_what_is_offered_can_be_decoded() -> None:
    """Each ending in the list that a client is shown has a decoder here."""
    assert known_formats() == ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")


def test_channels_are_mixed() -> None:
    """A compressed file in stereo is one recording."""
    found = read_upload(written(np.stack([SAMPLES, SAMPLES], axis=1), "FLAC"))
    assert shipped_recogniser().hear([found.pcm]).text == AMIABLE


@pytest.mark.parametrize(
    "content", [b"", b"x" * 9000, b"\xff\xfb\x90\x00" + bytes(400), written(SAMPLES, "FLAC")[:60]]
)
def test_what_is_no_audio_is_refused(content: bytes) -> None:
    """Junk, and files that break off in their head, are unreadable; nothing else is raised."""
    with pytest.raises(UnreadableAudio):
        read_upload(content)


def test_a_small_file_that_unpacks_to_hours_is_refused_unopened() -> None:
    """Silence compresses a thousandfold: the length in the head is believed before anything is unpacked."""
    content = written(np.zeros(int(LONGEST * 100) + 100, np.int16), "FLAC", rate=100)
    with pytest.raises(UnreadableAudio, match="frames at 100 Hz"):
        read_upload(content)
