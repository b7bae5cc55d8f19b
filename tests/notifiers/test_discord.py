"""The discord channel against the limits of its service."""

from __future__ import annotations

from monitor.notifiers.discord import DESCRIPTION, TITLE, compose
from tests.notifiers.samples import HOSTILE, LINK, NOW, body, notice

URL = "https://discord.example/api/webhooks/1/x"


def test_it_is_one_embed_that_mentions_nobody() -> None:
    """Title, description, link and time."""
    sent = body(compose(notice(), url=URL, secret="", now=NOW))
    (embed,) = sent["embeds"]
    assert sent["allowed_mentions"] == {"parse": []}
    assert embed["title"] == "Down: gpt-4o-transcribe · realtime"
    assert embed["url"] == LINK
    assert embed["timestamp"] == "2025-11-17T08:32:10Z"


def test_limits_are_kept_and_markup_is_dead() -> None:
    """Cut with a mark, no link or emphasis of Markdown."""
    (embed,) = body(compose(HOSTILE, url=URL, secret="", now=NOW))["embeds"]
    assert len(embed["title"]) <= TITLE
    assert len(embed["description"]) <= DESCRIPTION
    assert embed["description"].endswith("…")
    assert not set("<>[]*`") & set(embed["title"] + embed["description"])
