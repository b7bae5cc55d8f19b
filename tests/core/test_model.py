"""The nouns: what an endpoint's host is."""

from __future__ import annotations

import pytest

from monitor.core.model import Endpoint


def host(url: str) -> str:
    """The host of an endpoint with this address."""
    return Endpoint(name="here", provider="openai", url=url).host


@pytest.mark.parametrize(
    "url",
    [
        "https://contoso.example",
        "https://CONTOSO.example:443/openai/v1",
        "wss://contoso.example/",
        "https://contoso.example./x?y=1",
    ],
)
def test_endpoints_of_one_address_and_port_share_a_host(url: str) -> None:
    """Whatever path, case or scheme their address is written with."""
    assert host(url) == host("https://contoso.example")
    assert host(url).startswith("h:")
    assert "contoso" not in host(url)


@pytest.mark.parametrize(
    "url", ["https://contoso.example:8443", "http://contoso.example", "https://other.example"]
)
def test_another_port_is_another_host(url: str) -> None:
    """An address is not enough."""
    assert host(url) != host("https://contoso.example")
