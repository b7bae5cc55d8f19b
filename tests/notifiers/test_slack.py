"""The slack channel against the limits of its service."""

from __future__ import annotations

from monitor.notifiers.slack import HEADER, SECTION, compose
from tests.notifiers.samples import HOSTILE, LINK, NOW, body, notice

URL = "https://hooks.slack.example/services/T/B/x"


def test_title_text_and_link_stand_in_blocks() -> None:
    """Plain text, a link of ours behind it, and a fallback for notifications."""
    request = compose(notice(), url=URL, secret="", now=NOW)
    sent = body(request)
    header, section, link = sent["blocks"]
    assert request.url == URL
    assert header["text"] == {
        "type": "plain_text",
        "text": "Down: gpt-4o-transcribe · realtime",
        "emoji": False,
    }
    assert section["text"]["text"] == "Since 08:30:10 UTC. Unaffected: whisper-1 rest 3/3."
    assert link["text"]["text"] == f"<{LINK}|Open the incident>"
    assert sent["text"].startswith("Down: gpt-4o-transcribe")


def test_limits_are_kept_and_nothing_from_outside_is_live() -> None:
    """Cut with a mark; no mention, link or markup is left in what Slack would read as such."""
    sent = body(compose(HOSTILE, url=URL, secret="", now=NOW))
    texts = [block["text"] for block in sent["blocks"]]
    assert [text["type"] for text in texts] == ["plain_text", "plain_text", "mrkdwn"]
    assert len(texts[0]["text"]) == HEADER
    assert len(texts[1]["text"]) == SECTION
    assert texts[1]["text"].endswith("…")
    assert sent["mrkdwn"] is False
    assert not {"<", ">"} & set(sent["text"])


def test_without_a_public_address_there_is_no_link() -> None:
    """No empty link is sent."""
    assert len(body(compose(notice(link=None), url=URL, secret="", now=NOW))["blocks"]) == 2
