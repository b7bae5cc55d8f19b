"""What the words of an error quote of its cause."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.classification.causes import (
    quoted_names,
    quoted_status,
    status_in_code,
    status_of_close,
)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("error code: 401 - {'error': {}}", 401),
        ("upstream request failed with status code 401", 401),
        ("status_code=429", 429),
        ('{"status": 503}', 503),
        ("upstream realtime handshake rejected with http 403", 403),
        ("http/1.1 502 from upstream", 502),
        ("400: {'error': '/v1/realtime: no'}", 400),
        ("the upstream said: 404: not here", 404),
        ("input transcription failed for item 'x'. 429 too many requests", 429),
        ("litellm.ratelimiterror: slow down", 429),
        ("litellm.internalservererror: openaiexception - error code: 401", 401),
        ("error code: 401, after status 500", 401),
        ("429 too many requests, then 503 service unavailable", 503),
    ],
)
def test_the_cause_is_the_last_status_that_is_quoted(words: str, status: int) -> None:
    """However a gateway writes it; the answer's own status (here 500) is none."""
    assert quoted_status(words, 500) == status


@pytest.mark.parametrize(
    "words",
    [
        "",
        "limit 400, used 429",
        "expected 24000 hz, got 404 bytes",
        "session sess_401 failed",
        "status 599",
        "error code: 522",
        "it took 500 ms",
        "status code 4011",
        "error code: 500",
    ],
)
def test_a_number_that_is_no_status_is_no_cause(words: str) -> None:
    """A count, a part of an id, a status that no row knows, the answer's own."""
    assert quoted_status(words, 500) is None


def test_names_are_told_from_words_by_their_spelling() -> None:
    """With an underscore, or long and in one piece."""
    assert quoted_names("{'code': 'invalid_api_key'} or deploymentnotfound, not a timeout") == {
        "invalid_api_key",
        "deploymentnotfound",
    }


@pytest.mark.parametrize(
    ("code", "status"), [("401", 401), ("599", 599), ("40", None), ("4000", None), (None, None)]
)
def test_a_code_may_be_a_status(code: str | None, status: int | None) -> None:
    """Azure and LiteLLM write it as text."""
    assert status_in_code(code) == status


@pytest.mark.parametrize(
    ("close", "status"),
    [
        (4401, 401),
        (4503, 503),
        (3000, 401),
        (3003, 403),
        (3008, 408),
        (1009, 413),
        (4000, None),
        (4600, None),
    ],
)
def test_some_close_codes_are_twins_of_a_status(close: int, status: int | None) -> None:
    """4000 and a status, and those that IANA registers."""
    assert status_of_close(close) == status
    assert status_of_close(None) is None


@given(st.text(max_size=300))
def test_any_words_are_read(words: str) -> None:
    """Nothing is raised, and a status is one."""
    found = quoted_status(words.lower(), None)
    assert found is None or 400 <= found < 600
