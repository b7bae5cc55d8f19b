from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.config import field_types


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("1h30m", 5400), ("1500ms", 1.5), ("1d", 86400)]
)
def test_durations_are_read(text: str, seconds: float) -> None:
    """The units of the manual, also in sequence."""
    assert field_types.duration(text) == timedelta(seconds=seconds)


def test_zero_is_a_duration_only_where_it_makes_sense() -> None:
    """A span or a merge time may be zero, an interval may not."""
    assert field_types.duration_or_zero("0s") == timedelta(0)
    with pytest.raises(ValueError, match="longer than zero"):
        field_types.duration("0s")


def test_a_wrong_duration_that_could_be_a_secret_is_not_repeated() -> None:
    """A key pasted at the wrong place is described, not printed."""
    with pytest.raises(ValueError, match=r"^a text of 22 characters is no duration$"):
        field_types.duration("sk-hunter2hunter2hunte")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST.", "a.localhost", "[::1]", "::1"]
)
def test_loopback_is_known_by_name_and_number(host: str) -> None:
    """Only this machine can be meant."""
    assert field_types.is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "10.0.0.1", "localhost.example", "", "example.com"])  # noqa: S104
def test_other_hosts_are_not_loopback(host: str) -> None:
    """Every address, private networks, and names that only look local."""
    assert not field_types.is_loopback(host)


@pytest.mark.parametrize("value", ["example.com:443", "[::1]:443", "127.0.0.1:1", "a:65535"])
def test_host_and_port_are_read(value: str) -> None:
    """Names, IPv4, and IPv6 in brackets."""
    assert field_types.host_port(value) == value


@pytest.mark.parametrize(
    "value", ["", ":443", "a:", "a:0", "a:65536", "a:x", "::1:443", "a b:1", "a:٣", "http://a:1"]
)
def test_what_is_no_host_and_port_is_refused(value: str) -> None:
    """Each with a sentence that shows how it is written."""
    with pytest.raises(ValueError, match=r"host:port|the port after"):
        field_types.host_port(value)


@pytest.mark.parametrize(
    "query",
    ["api-key=x", "api_key=x", "a=b&subscription-key=x", "token=x", "sig=x", "password=x", "SECRET=x"],
)
def test_a_key_in_a_query_is_found(query: str) -> None:
    """The names under which vendors take keys in addresses."""
    with pytest.raises(ValueError, match="a key in the URL is refused"):
        field_types.split_url(f"https://example.com/?{query}", ("https",))


def test_a_url_without_secrets_is_split() -> None:
    """What may stand in the file passes, with its query."""
    parts = field_types.split_url("https://example.com:8443/a?b=c", ("https",))
    assert (parts.hostname, parts.port, parts.query) == ("example.com", 8443, "b=c")


@pytest.mark.parametrize("url", ["https:///x", "https://a b", "https://a\n", "https://a:b", "http://a"])
def test_what_is_no_usable_url_is_refused(url: str) -> None:
    """No host, spaces, a port that is no number, another scheme."""
    with pytest.raises(ValueError, match=r"names no host|control character|cannot be read|must begin"):
        field_types.split_url(url, ("https",))


@pytest.mark.parametrize(
    "value", ["Systran/faster-whisper-small", "gpt-4.1", "a", "-", "/models/whisper", "/a", "//srv/a"]
)
def test_models_may_have_slashes(value: str) -> None:
    """Servers of one's own name models by repository, or by the folder they lie in."""
    assert field_types.model_name(value) == value


@pytest.mark.parametrize("value", ["a/", "/", "/a/", "a b", "", "a\u200b", "x" * 201])
def test_what_is_no_model_name_is_refused(value: str) -> None:
    """Spaces, invisible characters and loose slashes would break a target's key."""
    with pytest.raises(ValueError, match=r"model|printable"):
        field_types.model_name(value)
