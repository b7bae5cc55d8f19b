"""The `slack` channel: a message by incoming webhook, in blocks of plain text.

Limits: 150 characters of a header, 3,000 of a section (Slack API reference, "Block Kit"). Plain text makes
mentions and markup inert; the fallback `text` has its three control characters escaped ("Formatting text").
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from monitor.core.alerting.notice import Notice
from monitor.core.alerting.notice_facts import NoticeFacts, read_facts
from monitor.core.alerting.retry import NoticeRequest, json_post
from monitor.core.sanitize import cut

HEADER = 150
SECTION = 3_000
_CONTROL = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def compose(notice: Notice, *, url: str, secret: str, now: datetime) -> NoticeRequest:  # noqa: ARG001
    """Return the POST of one attempt; the address is the secret, so *secret* is not used."""
    facts = read_facts(notice)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(facts.title, HEADER)},
        {"type": "section", "text": _plain(facts.text, SECTION)},
    ]
    if facts.link:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": _link(facts)}})
    fallback = cut(f"{facts.title}: {facts.text}", SECTION).translate(_CONTROL)
    return json_post(url, {"text": fallback, "mrkdwn": False, "blocks": blocks})


def _plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": cut(text, limit), "emoji": False}


def _link(facts: NoticeFacts) -> str:
    return f"<{facts.link.translate(_CONTROL).replace('|', '%7C')}|Open the incident>"
