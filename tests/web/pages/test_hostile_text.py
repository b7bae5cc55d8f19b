"""Text from outside is text on every page, whatever it contains."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from monitor.core.model import Endpoint, Target
from monitor.store.database.engine import Database
from tests.support.filled_database import (
    HOSTILE_MODEL,
    HOSTILE_NOW,
    SCRIPT,
    SETTINGS,
    Dial,
    app_over,
    fill,
    hostile_runs,
)

KEY = f"azure-sweden/{HOSTILE_MODEL}/realtime"


@pytest.fixture
def hostile(sqlite_database: Database) -> TestClient:
    """Pages over an outage in which everything that comes from outside is hostile."""
    fill(sqlite_database, hostile_runs(), HOSTILE_NOW)
    app = app_over(sqlite_database, Dial(now=HOSTILE_NOW))
    return TestClient(app, base_url="http://localhost", headers={"accept": "text/html"})


def quoted(text: str) -> str:
    return quote(text, safe="")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?zoom=7d",
        "/incidents",
        "/incidents/1",
        f"/targets/{quoted(KEY).replace('%2F', '/', 1)}",
        f"/runs/{quoted(f'{SCRIPT}/5')}",
        f"/runs/{quoted(f'{SCRIPT}/1')}",
        f"/nowhere/{quoted(SCRIPT)}",
        f"/runs/{quoted(SCRIPT)}",
        f"/?zoom={quoted(SCRIPT)}",
    ],
)
def test_hostile_text_never_becomes_markup(hostile: TestClient, path: str) -> None:
    """No tag of theirs is in any page, and no expression of theirs was computed."""
    page = hostile.get(path)
    assert page.status_code in {200, 404, 422}, page.text
    body = page.text
    assert "<script>alert" not in body
    assert "<img src=x" not in body
    assert "<b>m</b>" not in body
    assert "'><" not in body.replace('">', "")


def test_every_link_to_a_hostile_name_leads_to_its_page(hostile: TestClient) -> None:
    """A model name with slashes, quotes and signs is quoted in addresses and found again."""
    pages = hostile.get("/").text + hostile.get("/incidents/1").text
    links = {html.unescape(href) for href in re.findall(r'href="(/(?:targets|runs)/[^"]+)"', pages)}
    assert len(links) >= 3
    for href in links:
        assert hostile.get(href).status_code == 200, href


def test_a_hostile_configuration_is_text_too(sqlite_database: Database) -> None:
    """Names from the operator's own file are escaped where no run is stored yet."""
    target = Target(
        endpoint=Endpoint(name="e", provider="openai", url="http://x"), model=SCRIPT, pathway="rest"
    )
    settings = replace(SETTINGS, targets=(target,), location=SCRIPT)
    client = TestClient(app_over(sqlite_database, settings=settings), base_url="http://localhost")
    assert "<script>alert" not in client.get("/").text
