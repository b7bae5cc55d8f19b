"""The schedule of attempts and what a receiver may ask for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.alerting.retry import PAUSES, header, retry_after, retry_at, serialise

NOW = datetime(2025, 11, 17, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Reply:
    """An answer as the schedule sees it."""

    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    detail: str | None = None


def asks(value: str) -> Reply:
    """A 429 with that Retry-After."""
    return Reply(status=429, headers=(("Retry-After", value),))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("999999999999999999999", 86_400),
        (format_datetime(NOW + timedelta(minutes=7), usegmt=True), 420),
        (format_datetime(NOW + timedelta(days=400), usegmt=True), 86_400),
    ],
)
def test_what_the_receiver_asks_for_is_obeyed_within_a_day(value: str, seconds: int) -> None:
    """Seconds and dates are understood; absurd ones are cut to a day."""
    assert retry_after(asks(value), now=NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value", ["", "soon", "-5", "1.5", "٣", "Mon, 17 Nov 2025 07:00:00 GMT", "Mon, 99 Nov 2025"]
)
def test_what_cannot_be_read_or_lies_in_the_past_asks_for_nothing(value: str) -> None:
    """The schedule stands where the header is none."""
    assert retry_after(asks(value), now=NOW) is None
    assert retry_at(1, NOW, asks(value)) == NOW + PAUSES[0]


def test_a_longer_pause_is_obeyed_and_a_shorter_one_is_not() -> None:
    """Retry-After can slow us down, never hurry us."""
    assert retry_at(1, NOW, asks("60")) == NOW + timedelta(seconds=60)
    assert retry_at(6, NOW, asks("1")) == NOW + timedelta(minutes=5)


@given(st.integers(1, len(PAUSES) + 5), st.text(max_size=30))
def test_every_pause_is_positive_and_at_most_a_day(attempts: int, asked: str) -> None:
    """Whatever a receiver says, the next attempt is neither at once nor never."""
    due = retry_at(attempts, NOW, asks(asked))
    assert (due is None) == (attempts > len(PAUSES))
    assert due is None or PAUSES[0] <= due - NOW <= timedelta(days=1)


def test_a_header_is_found_whatever_its_case() -> None:
    """The first of several values counts."""
    assert header((("X-A", "1"), ("x-a", "2")), "x-a") == "1"
    assert header((), "x-a") is None


def test_the_bytes_are_compact_utf8_json() -> None:
    """The same body always gives the same bytes."""
    assert serialise({"b": "ä", "a": [1, None]}) == '{"b":"ä","a":[1,null]}'.encode()
    assert json.loads(serialise({"x": "\u2028"})) == {"x": "\u2028"}
