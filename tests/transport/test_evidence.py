"""What remains of a run is complete, bounded, JSON-ready and without secrets."""

from __future__ import annotations

import base64
import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model import Stage
from monitor.transport import Limits
from monitor.transport.evidence import summarise
from monitor.transport.recorder import Recorder
from monitor.transport.scrub import HIDDEN, Scrubber, public_url

START = datetime(2025, 11, 17, 8, 30, 0, 412_000, tzinfo=UTC)
SECRET = "s3cret/+=key"


def a_tape(limits: Limits | None = None) -> Recorder:
    """A tape whose clock goes on by a hundredth of a second with every reading."""
    ticks = itertools.count(1)
    return Recorder(now=lambda: next(ticks) / 100, zero=0.0, limits=limits or Limits())


def document(tape: Recorder) -> dict[str, Any]:
    """The evidence of that tape, by way of JSON."""
    summary = summarise(tape, START, lag=0.0123)
    parsed: dict[str, Any] = json.loads(json.dumps(summary.document))
    assert parsed == summary.document
    return parsed


def test_an_empty_run_has_every_key() -> None:
    """The document always has the same keys, empty where nothing happened."""
    assert document(a_tape()) == {
        "schema": "earwitness.evidence/1",
        "url": None,
        "method": None,
        "started_at": "2025-11-17T08:30:00.412Z",
        "finished_at": "2025-11-17T08:30:00.422Z",
        "request_headers": {},
        "response_status": None,
        "response_headers": [],
        "peer": None,
        "tls": None,
        "steps": [],
        "frames": [],
        "close": None,
        "bytes_in": 0,
        "bytes_out": 0,
        "sent_ids": {},
        "loop_lag_ms": 12.3,
        "client": "earwitness/0.1.0",
        "notes": [],
    }


def test_request_headers_are_shown_by_an_allow_list() -> None:
    """Harmless headers are shown, others by length, the credential by name alone."""
    tape = a_tape()
    headers = (("User-Agent", "x/1"), ("X-Client-Request-Id", "c-1"), ("X-Custom", "private"))
    tape.request("GET", "wss://me:pw@h.example/v1?model=m&api-key=abc#f", headers, "api-key")
    told = document(tape)
    assert told["request_headers"] == {
        "User-Agent": "x/1",
        "X-Client-Request-Id": "c-1",
        "X-Custom": "[7 characters]",
        "api-key": HIDDEN,
    }
    assert told["sent_ids"] == {"X-Client-Request-Id": "c-1"}
    assert told["url"] == f"wss://h.example/v1?model=m&api-key={HIDDEN}"


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://h.example:8443/a/b?x=1&y=", "https://h.example:8443/a/b?x=1&y="),
        ("https://h.example/?sig=abc&se=2025", "https://h.example/?sig=[secret]&se=2025"),
        ("wss://h.example/?API-Key=abc&access_token=q", "wss://h.example/?API-Key=[secret]&access_token=[secret]"),
        ("wss://u:p@[::1]:9/?api-version=2025-04-01", "wss://[::1]:9/?api-version=2025-04-01"),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_its_secrets(url: str, public: str) -> None:
    """Query keys stay, the values of those that look secret, user and password go."""
    assert public_url(url) == public


def test_all_response_headers_are_kept_but_cookies() -> None:
    """Every header counts as evidence, in order and repeated, except the cookies."""
    tape = a_tape()
    tape.response(200, (("x-request-id", "r"), ("Set-Cookie", "a=b"), ("via", "1"), ("via", "2")))
    assert document(tape)["response_headers"] == [["x-request-id", "r"], ["via", "1"], ["via", "2"]]


def test_frames_are_numbered_in_order_with_type_and_size() -> None:
    """Text, binary, audio and HTTP each have their shape; audio is one entry however many frames it has."""
    tape = a_tape()
    tape.enter(Stage.SEND)
    tape.text(0.1, "out", '{"session":{"type":"transcription"},"type":"session.update"}', 60)
    audio = tape.audio()
    for at in (0.2, 0.3, 0.4):
        audio.add(at, 6_400)
    tape.binary(0.5, "in", b"\x00\xff")
    tape.http("in", "429", 4, "slow")
    frames = document(tape)["frames"]
    assert [frame["n"] for frame in frames] == [1, 2, 3, 4]
    assert [frame["type"] for frame in frames] == ["session.update", None, None, "429"]
    audio_told = {"n": 2, "at": 0.2, "dir": "out", "kind": "audio", "type": None}
    assert frames[1] == audio_told | {"bytes": 19_200, "frames": 3, "until": 0.4}
    assert (frames[2]["body"], frames[3]["body"]) == ("00ff", "slow")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"type":"error"}', "error"),
        ('{"type":7}', None),
        ("[]", None),
        ("null", None),
        ("no json", None),
        ("{" * 10_000, None),
        ('{"type":"' + "x" * 500 + '"}', "x" * 100),
        ('{"type":"long.one","delta":"' + "x" * 20_000 + '"}', "long.one"),
        ("x" * 20_000, None),
    ],
)
def test_a_type_is_read_where_there_is_one(body: str, told: str | None) -> None:
    """The type of an event is told, also of a frame that was cut; of anything else there is none."""
    tape = a_tape()
    tape.text(0.1, "in", body, len(body))
    assert document(tape)["frames"][0]["type"] == told


def test_a_long_body_is_cut_and_says_so() -> None:
    """Of a frame at most 16 KiB are kept; its true size is told."""
    tape = a_tape()
    tape.text(0.1, "in", "x" * 50_000, 50_000)
    tape.binary(0.1, "in", bytes(50_000))
    tape.http("in", "200", 50_000, "x" * 50_000)
    for frame in document(tape)["frames"]:
        assert (len(frame["body"]), frame["truncated"], frame["bytes"]) == (16_384, True, 50_000)


@given(st.lists(st.integers(0, 3_000), max_size=60))
def test_all_bodies_together_are_bounded(sizes: list[int]) -> None:
    """However many frames come, their bodies stay within the bound; the first and the last are kept."""
    tape = a_tape(Limits(bodies=20_000))
    for size in sizes:
        tape.text(0.1, "in", "x" * size, size)
    frames = document(tape)["frames"]
    assert [frame["bytes"] for frame in frames] == sizes
    assert sum(len(frame["body"]) for frame in frames) <= 20_000
    for frame in frames[:3] + frames[-3:]:
        assert len(frame["body"]) == frame["bytes"]
    assert all(len(f["body"]) == f["bytes"] or f["truncated"] for f in frames)


def test_a_flood_leaves_the_first_and_the_last_frames() -> None:
    """Of very many frames the middle is left out, the numbers stay, and a note says how many are missing."""
    tape = a_tape(Limits(entries=10))
    for number in range(100):
        tape.text(0.1, "in", str(number), 2)
    told = document(tape)
    assert [frame["n"] for frame in told["frames"]] == [1, 2, 3, 4, 5, 96, 97, 98, 99, 100]
    assert told["notes"] == ["90 frames in the middle are left out"]


@given(
    secret=st.text("abcdefgXYZ0189-_+/=&%\"' ", min_size=6, max_size=60).filter(lambda s: s.strip() == s),
    before=st.text(max_size=10),
    after=st.text(max_size=10),
)
def test_a_secret_is_hidden_in_every_spelling(secret: str, before: str, after: str) -> None:
    """Plain, in JSON, percent-encoded, and in base64 at any place: the secret is not to be read."""
    scrubber = Scrubber()
    scrubber.hide(secret)
    assert secret not in scrubber.text(before + secret + after).replace(HIDDEN, "\0")
    assert secret.encode() not in scrubber.data((before + secret + after).encode()).replace(
        HIDDEN.encode(), b"\0"
    )
    for lead in range(4):
        packed = base64.b64encode(b"k" * lead + secret.encode() + b":tail").decode()
        assert HIDDEN in scrubber.text(packed)
    assert HIDDEN in scrubber.text(json.dumps({"m": secret}))


def test_what_is_no_secret_stays() -> None:
    """Placeholders that servers without keys are given are words, and are left alone."""
    scrubber = Scrubber()
    scrubber.hide("EMPTY")
    assert scrubber.text("an EMPTY buffer") == "an EMPTY buffer"


def test_several_secrets_are_hidden() -> None:
    """A proxy's and an endpoint's secret are both hidden, the longer one first."""
    scrubber = Scrubber()
    scrubber.hide("abcdefgh")
    scrubber.hide("abcdefgh-ijkl")
    assert scrubber.text("abcdefgh-ijkl abcdefgh") == f"{HIDDEN} {HIDDEN}"
    assert scrubber.headers([("a", "abcdefgh")]) == (("a", HIDDEN),)
