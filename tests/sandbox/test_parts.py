"""The small parts: forms, audio formats, identifiers, turns."""

from __future__ import annotations

import contextlib
import random
from datetime import timedelta

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import clips
from monitor.sandbox.common.identifiers import Identifiers
from monitor.sandbox.common.multipart import BadForm, read_form
from monitor.sandbox.hearing.audio import from_telephone
from monitor.sandbox.hearing.turn_detection import AudioBuffer, TurnDetector
from tests.support.sandbox_sessions import NOON


@given(
    fields=st.dictionaries(
        st.from_regex(r"[a-z_]{1,12}(\[\])?", fullmatch=True), st.text(max_size=40), max_size=5
    ),
    content=st.binary(max_size=300),
    name=st.from_regex(r"[a-z]{1,8}\.wav", fullmatch=True),
)
def test_a_form_is_read_as_another_library_wrote_it(
    fields: dict[str, str], content: bytes, name: str
) -> None:
    """What httpx encodes comes back, binary content and all."""
    request = httpx.Request("POST", "http://s", data=fields, files={"file": (name, content)})
    form = read_form(request.headers["content-type"], request.read())
    assert form.files["file"].content == content
    assert form.files["file"].filename == name
    for field, value in fields.items():
        assert form.text(field) == value.encode("utf-8", "replace").decode()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", b""),
        ("multipart/form-data", b"--b\r\n"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"--b\r\nno header\r\n--b--"),
        ("multipart/form-data; boundary=b", b"--b\r\nX: y\r\n\r\nz\r\n--b--"),
    ],
)
def test_a_broken_form_is_refused(content_type: str, body: bytes) -> None:
    """With BadForm, never another exception."""
    with pytest.raises(BadForm):
        read_form(content_type, body)


@given(st.binary(max_size=200), st.text(max_size=60))
def test_any_body_is_read_or_refused(body: bytes, content_type: str) -> None:
    """Whatever comes, a form or BadForm."""
    with contextlib.suppress(BadForm):
        read_form(f"multipart/form-data; boundary=b{content_type}", body)


def test_telephone_codes_have_the_values_of_the_standard() -> None:
    """Silence, the largest steps and signs of ITU-T G.711."""
    first = {
        law: np.frombuffer(from_telephone(law, bytes(range(256))), "<i2")[::3]
        for law in ("audio/pcmu", "audio/pcma")
    }
    assert [int(first["audio/pcmu"][code]) for code in (0x00, 0x80, 0xFF, 0x7F)] == [-32124, 32124, 0, 0]
    assert [int(first["audio/pcma"][code]) for code in (0x2A, 0xAA, 0xD5, 0x55)] == [-32256, 32256, 8, -8]


def test_identifiers_have_the_real_form_and_grow_with_the_clock() -> None:
    """A prefix, 21 letters and digits, the first of them from the clock."""
    now = [NOON]
    ids = Identifiers(lambda: now[0], random.Random(1))
    first = ids.draw("item")
    now[0] += timedelta(hours=1)
    second = ids.draw("item")
    assert first.startswith("item_")
    assert len(first) == len("item_") + 21
    assert first.removeprefix("item_").isalnum()
    assert first[:11] < second[:11]
    assert len({ids.draw("event") for _ in range(1000)}) == 1000


@settings(max_examples=40, deadline=None)
@given(st.integers(50, 5000))
def test_turns_do_not_depend_on_the_cutting(chunk: int) -> None:
    """The same audio in any chunks gives the same turns."""
    clip = clips.load_clip("cards_numbers").pcm
    pcm = bytes(48_000) + clip + bytes(96_000) + clip + bytes(96_000)
    wanted = {"type": "server_vad", "silence_duration_ms": 700}
    whole, pieces = TurnDetector(wanted), TurnDetector(wanted)
    cut = [turn for at in range(0, len(pcm), 2 * chunk) for turn in pieces.feed(pcm[at : at + 2 * chunk])]
    assert cut == whole.feed(pcm)
    assert [turn.event for turn in cut] == ["started", "stopped"] * 2


def test_a_higher_threshold_needs_louder_speech() -> None:
    """Speech 30 dB down is heard at 0.1 and not at 0.9."""
    quiet = (np.frombuffer(clips.load_clip("amiable").pcm, "<i2") // 32).astype("<i2").tobytes()
    assert TurnDetector({"threshold": 0.1}).feed(quiet)
    assert not TurnDetector({"threshold": 0.9}).feed(quiet)


def test_a_span_is_cut_out_of_the_buffer() -> None:
    """Older audio goes, newer waits; positions are those of the whole session."""
    buffer = AudioBuffer()
    for number in range(4):
        buffer.append(bytes([number]) * 4800)
    assert buffer.take_span(100, 200) == (bytes([1]) * 4800,)
    assert buffer.milliseconds == 200
    assert buffer.take_span(250, 300) == (bytes([2]) * 2400,)
    assert buffer.take() == (bytes([3]) * 4800,)
    assert buffer.milliseconds == 0
