"""The `teams` channel: an adaptive card to the URL of a Workflows webhook ("post to a channel when …").

A body over 28 KB is refused (Microsoft Teams, "Limits for webhooks"); texts are cut far below it. Cards read
Markdown links and emphasis, so that texts go out defused.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from monitor.core.alerting.notice import Notice
from monitor.core.alerting.notice_facts import read_facts
from monitor.core.alerting.retry import NoticeRequest, json_post
from monitor.core.sanitize import defuse

TITLE = 300
TEXT = 4_000
_COLOURS = {"critical": "Attention", "major": "Attention", "minor": "Warning", "notice": "Accent"}


def compose(notice: Notice, *, url: str, secret: str, now: datetime) -> NoticeRequest:  # noqa: ARG001
    """Return the POST of one attempt; the address is the secret, so *secret* is not used."""
    facts = read_facts(notice)
    colour = "Good" if facts.is_over else _COLOURS.get(facts.severity, "Default")
    card: dict[str, Any] = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "body": [
            {
                "type": "TextBlock",
                "text": defuse(facts.title, TITLE),
                "weight": "Bolder",
                "size": "Medium",
                "wrap": True,
                "color": colour,
            },
            {"type": "TextBlock", "text": defuse(facts.text, TEXT), "wrap": True},
        ],
    }
    if facts.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open the incident", "url": facts.link}]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return json_post(url, {"type": "message", "attachments": [attachment]})
