"""What goes over the wire is the recording, in the shape the protocol asks for."""

from __future__ import annotations

import base64
import email.parser
import email.policy
import io
import json
import wave
from email.message import EmailMessage

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clips import append_frames, load_clip, multipart, wav_at

AMIABLE = load_clip("amiable")


def audio_of(frames: tuple[str, ...]) -> bytes:
    """The samples that all frames carry together."""
    return b"".join(base64.b64decode(json.loads(frame)["audio"]) for frame in frames)


def parts_of(content_type: str, body: bytes) -> list[EmailMessage]:
    """The parts of an upload, as another parser reads them."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser(EmailMessage, policy=email.policy.HTTP).parsebytes(head + body)
    return [part for part in message.iter_parts() if isinstance(part, EmailMessage)]


@given(chunk_ms=st.integers(1, 5_000))
def test_frames_carry_exactly_the_samples(chunk_ms: int) -> None:
    """Whatever the chunk, the frames together hold the recording, no sample more or less."""
    assert audio_of(append_frames(AMIABLE, chunk_ms=chunk_ms)) == AMIABLE.pcm


def test_frames_are_numbered_append_events() -> None:
    """Every frame is an append event with its own id and 100 ms of audio: 6,400 characters."""
    events = [json.loads(frame) for frame in append_frames(AMIABLE)]
    assert {event["type"] for event in events} == {"input_audio_buffer.append"}
    assert [event["event_id"] for event in events] == [f"a-{n:04d}" for n in range(1, 34)]
    assert {len(event["audio"]) for event in events[:-1]} == {6_400}


def test_silence_follows_the_words() -> None:
    """Trailing silence is added after the recording, in the same chunks."""
    assert audio_of(append_frames(AMIABLE, silence_ms=1_500)) == AMIABLE.pcm + bytes(72_000)


def test_another_rate_keeps_the_sound() -> None:
    """At 16 kHz the clip lasts as long and its spectrum below 8 kHz is the same."""
    heard = np.frombuffer(audio_of(append_frames(AMIABLE, rate=16_000)), dtype="<i2").astype(float)
    source = np.frombuffer(AMIABLE.pcm, dtype="<i2").astype(float)
    assert len(heard) / 16_000 == pytest.approx(AMIABLE.seconds, abs=0.001)
    there, here = np.fft.rfft(source)[1:20_000] / len(source), np.fft.rfft(heard)[1:20_000] / len(heard)
    assert np.corrcoef(np.abs(there), np.abs(here))[0, 1] > 0.999


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"chunk_ms": 0}, {"silence_ms": -1}])
def test_impossible_measures_are_refused(wrong: dict[str, int]) -> None:
    """A rate, chunk or silence that cannot be is a mistake of the caller."""
    with pytest.raises(ValueError, match="must be positive"):
        append_frames(AMIABLE, **wrong)


def test_frames_and_bodies_are_encoded_once() -> None:
    """The second asking gives the very same objects: a run encodes nothing."""
    fields = (("model", "whisper-1"),)
    assert append_frames(AMIABLE) is append_frames(AMIABLE)
    assert multipart(AMIABLE, fields) is multipart(AMIABLE, fields)


def test_the_file_comes_last_under_a_name_providers_accept() -> None:
    """Fields keep their order, the recording follows them as probe.wav, audio/wav."""
    fields = (("model", "stt-prod"), ("language", "en"), ("include[]", "logprobs"))
    parts = parts_of(*multipart(AMIABLE, fields))
    sent = [(part.get_param("name", header="content-disposition"), part.get_content()) for part in parts[:-1]]
    assert sent == list(fields)
    assert parts[-1].get_filename() == "probe.wav"
    assert parts[-1].get_content_type() == "audio/wav"
    assert parts[-1].get_payload(decode=True) == AMIABLE.wav


def test_a_field_name_cannot_break_out() -> None:
    """Quotes and line ends in a field's name stay inside it."""
    content_type, body = multipart(AMIABLE, (('a"\r\nX-Evil: 1', "v"),))
    assert b'name="a%22%0D%0AX-Evil: 1"\r\n' in body
    assert len(parts_of(content_type, body)) == 2


def test_other_fields_give_another_boundary() -> None:
    """The boundary belongs to clip and fields, so a cached body is never paired with a wrong one."""
    assert multipart(AMIABLE, (("model", "a"),))[0] != multipart(AMIABLE, (("model", "b"),))[0]


def test_a_wav_at_another_rate_holds_the_same_speech() -> None:
    """The header says the rate, the length in seconds stays, and it is made once."""
    clip = load_clip("amiable")
    made = wav_at(clip, 16_000)
    with wave.open(io.BytesIO(made)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        assert file.getnframes() / 16_000 == pytest.approx(clip.seconds, abs=0.001)
    assert made[:4] == b"RIFF"
    assert wav_at(clip, 16_000) is made
    assert wav_at(clip, 24_000)[44:] == clip.pcm


def test_the_file_may_stand_under_another_name() -> None:
    """Services differ in what they call the part; its boundary differs with it."""
    clip = load_clip("amiable")
    kind, body = multipart(clip, (("definition", "{}"),), part="audio")
    assert b'name="audio"; filename="probe.wav"' in body
    assert kind != multipart(clip, (("definition", "{}"),))[0]
