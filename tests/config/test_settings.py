from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from monitor.config import PageSettings, Settings


def test_the_defaults_are_safe() -> None:
    """Without a word in the file the page is on loopback, the store beside, the zone UTC."""
    settings = Settings(path=Path("config.toml"))
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 8080)
    assert settings.database.url == "sqlite:///data/earwitness.db"
    assert (settings.monitor.location, settings.monitor.timezone) == ("default", "UTC")


def test_an_ipv6_address_loses_its_brackets() -> None:
    """The address to bind is written without them."""
    assert PageSettings(listen="[::1]:80").host == "::1"


def test_links_begin_with_the_public_url_or_the_page_itself() -> None:
    """Alerts always have a link."""
    assert PageSettings().base_url == "http://127.0.0.1:8080"
    assert PageSettings(public_url="https://e.example").base_url == "https://e.example"


def test_settings_are_frozen() -> None:
    """Nothing changes settings while they are in force."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings(path=Path("x")).path = Path("y")  # type: ignore[misc]
