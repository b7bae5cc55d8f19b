"""Reading what a provider wrote, in every shape that was seen and in any other."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.classification.error_bodies import (
    MESSAGE_BYTES,
    bounded,
    error_in,
    mapping,
    read_error,
    read_json,
    text_of,
)
from monitor.core.conversation import ProviderError

KEYS = st.sampled_from(["error", "detail", "message", "code", "type", "param", "innererror", "loc", "msg"])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (
            {"error": {"message": "m", "type": "t", "param": "p", "code": "c"}},
            ProviderError(message="m", type="t", param="p", code="c"),
        ),
        ({"error": {"code": "401", "message": "m"}}, ProviderError(message="m", code="401")),
        ({"error": {"code": 404, "message": "m"}}, ProviderError(message="m", code="404")),
        ({"error": {"code": "None", "type": "null", "message": "m"}}, ProviderError(message="m")),
        ({"error": "text"}, ProviderError(message="text")),
        ({"error": "text", "code": "c"}, ProviderError(message="text", code="c")),
        ({"detail": "text"}, ProviderError(message="text")),
        ({"detail": [{"loc": ["body", 0], "msg": "m", "type": "t"}]}, ProviderError(message="body.0: m")),
        ({"detail": [{"msg": "m"}, "odd", None]}, ProviderError(message="m")),
        ({"detail": {"error": {"message": "m", "code": "c"}}}, ProviderError(message="m", code="c")),
        ({"code": "TooManyRequests", "message": "m"}, ProviderError(message="m", code="TooManyRequests")),
        ([{"error": {"message": "m"}}], ProviderError(message="m")),
        ({"error_msg": "m"}, ProviderError(message="m")),
        (
            {"errors": [{"status": "403", "title": "t", "detail": "m", "source": {"pointer": "/data/file"}}]},
            ProviderError(message="m", code="403", param="file"),
        ),
        ({"errors": ["m", "n"]}, ProviderError(message="m")),
        ({"type": "about:blank", "title": "t", "status": 404}, ProviderError(message="t", code="404")),
        (
            {"error": "invalid_token", "error_description": "m"},
            ProviderError(message="m", code="invalid_token"),
        ),
        ({"error": "Not Found", "message": "m"}, ProviderError(message="Not Found: m")),
        ({"fault": {"faultstring": "m"}}, ProviderError(message="m")),
        ({"err_code": "C", "err_msg": "m"}, ProviderError(message="m", code="C")),
        ({"Message": "m"}, ProviderError(message="m")),
        (
            {"detail": [{"loc": ["body", "model"], "msg": "m"}]},
            ProviderError(message="body.model: m", param="model"),
        ),
        ("m", ProviderError(message="m")),
        ({"success": False, "why": "m"}, ProviderError(message='{"success": false, "why": "m"}')),
        ({"error": {"innererror": {"code": "c"}}}, ProviderError(code="c")),
        ({"error": {}}, ProviderError()),
        ({}, ProviderError()),
        ([], ProviderError()),
        (None, ProviderError()),
        (1, ProviderError()),
    ],
)
def test_every_shape_of_an_error_is_read(body: Any, error: ProviderError) -> None:
    """OpenAI, Azure, vLLM, LiteLLM, whisper.cpp, FastAPI, Speech, and bodies that say nothing."""
    assert error_in(json.dumps(body).encode()) == error


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"Internal Server Error", "Internal Server Error"),
        (
            b"<html><head><style>p{}</style><title>502</title></head>\n<p>Bad  Gateway</p></html>",
            "502 Bad Gateway",
        ),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", None),
        (b" \n ", None),
        (b"<br><br>", None),
    ],
)
def test_a_page_gives_its_words(body: bytes, message: str | None) -> None:
    """Markup and white space are no message."""
    assert error_in(body) == ProviderError(message=message)


@settings(deadline=None)
@given(ANY_JSON)
def test_any_json_gives_an_error_that_can_be_stored(value: Any) -> None:
    """Whatever stands where, texts come out or nothing does."""
    for error in (error_in(json.dumps(value).encode()), read_error(value)):
        for text in (error.type, error.code, error.message, error.param):
            assert text is None or text.encode()


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_an_error(body: bytes) -> None:
    """Nothing is raised."""
    assert isinstance(error_in(body), ProviderError)


@settings(deadline=None)
@given(st.text(), st.integers(10, 60))
def test_a_text_is_kept_verbatim_or_cut_within_its_bound(text: str, limit: int) -> None:
    """Bytes are counted, not characters; what fits and can be stored is not touched."""
    kept = bounded(text, limit)
    assert len(kept.encode()) <= limit
    if len(text.encode()) <= limit and "\x00" not in text:
        assert kept == text


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "\udfff" * 5000, "é" * 5000, "שלום" * 1000])
def test_a_text_that_cannot_be_stored_is_made_so(text: str) -> None:
    """NUL and lone surrogates become the replacement character, and nothing is cut in mid-character."""
    kept = bounded(text)
    assert "\x00" not in kept
    assert len(kept.encode()) <= MESSAGE_BYTES


@pytest.mark.parametrize("raw", ["", "{", "[" * 100_000, "{" * 10, '{"a":' * 100_000, "1" * 5000, b"\xff"])
def test_what_is_no_json_is_a_value_error(raw: str | bytes) -> None:
    """Depth and huge numbers too."""
    with pytest.raises(ValueError):  # noqa: PT011 - any reason will do
        read_json(raw)


def test_small_readers_are_total() -> None:
    """An object or an empty one; a text or nothing."""
    assert mapping({"a": 1}) == {"a": 1}
    assert mapping(["a"]) == {}
    values = (True, 7, 7.5, 10**400, float("nan"), ["a"], "None", " ")
    assert [text_of(value) for value in values] == [None, "7", "7.5", None, None, None, None, None]


def test_a_page_made_to_be_slow_is_read_in_time() -> None:
    """Markup that never ends costs no more than a page of that size."""
    started = time.perf_counter()
    for body in (b"<script>" * 100_000, b"<" * 1_000_000, b"<style></style " * 100_000):
        error_in(body)
    assert time.perf_counter() - started < 2
