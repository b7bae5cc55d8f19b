"""Reading what people paste, and building what goes on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.providers.addresses import as_websocket, cut_at, read_address, segment, with_query


@pytest.mark.parametrize(
    ("pasted", "origin", "path"),
    [
        ("https://Stt.Example:8443/a/b/", "https://stt.example:8443", "/a/b"),
        ("  wss://stt.example/v1//realtime ", "https://stt.example", "/v1/realtime"),
        ("ws://127.0.0.1:8900/x", "http://127.0.0.1:8900", "/x"),
        ("stt.example", "https://stt.example", ""),
        ("http://[::1]:80/v1", "http://[::1]:80", "/v1"),
        ("https://stt.example./v1#top", "https://stt.example", "/v1"),
    ],
)
def test_an_address_is_read_in_its_parts(pasted: str, origin: str, path: str) -> None:
    """Schemes of WebSockets, capitals, doubled and final slashes make no difference."""
    address = read_address(pasted, known=())
    assert (address.origin, address.path) == (origin, path)


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("", "the address is empty or holds spaces or control characters"),
        ("https://a b", "the address is empty or holds spaces or control characters"),
        ("https://a\x00b", "the address is empty or holds spaces or control characters"),
        ("file:///etc/passwd", "'file' cannot be used: an address begins with https:// or wss://"),
        ("https://", "the address names no host"),
        ("https://user:hunter2@stt.example", "a user name or password stands in the address"),
        ("https://stt.example:99999", "this is no address"),
        ("https://[::1", "this is no address"),
        ("https://stt.example/?api_key=hunter2", "a secret stands in the address (api_key=…)"),
        ("https://stt.example/?debug=1", "the part '?debug=' cannot be kept"),
    ],
)
def test_what_cannot_be_used_is_refused_without_repeating_a_secret(pasted: str, sentence: str) -> None:
    """Each refusal is a sentence, and the secret is not in it."""
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the sentence is compared below
        read_address(pasted, known=("model",))
    assert str(refusal.value).startswith(sentence)
    assert "hunter2" not in str(refusal.value)


def test_the_last_value_of_a_parameter_counts() -> None:
    """As servers read it."""
    address = read_address("https://stt.example?model=a&model=b", known=("model",))
    assert (address.value("model"), address.value("intent")) == ("b", None)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_sentence(text: str) -> None:
    """Nothing but ValueError is raised, and what is read has a host and an http scheme."""
    try:
        address = read_address(text, known=())
    except ValueError:
        return
    assert address.host
    assert address.origin.startswith(("http://", "https://"))


def test_building_blocks() -> None:
    """Schemes, queries, segments and endings."""
    assert as_websocket("http://a/v1") == "ws://a/v1"
    assert as_websocket("https://a/v1") == "wss://a/v1"
    assert with_query("https://a", ("b", None), ("c", "d e/f")) == "https://a?c=d%20e%2Ff"
    assert with_query("https://a", ("b", None)) == "https://a"
    assert segment("my/model name") == "my%2Fmodel%20name"
    assert cut_at("/v1/realtime", ("/models", "/realtime")) == "/v1"
