"""The `discord` channel: one embed by webhook.

Limits: title 256, description 4,096 characters (Discord developer documentation, "Embed limits"). No mention
is ever resolved: `allowed_mentions` is empty.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from monitor.core.alerting.notice import Notice
from monitor.core.alerting.notice_facts import read_facts
from monitor.core.alerting.retry import NoticeRequest, json_post
from monitor.core.sanitize import defuse

TITLE = 256
DESCRIPTION = 4_096
_COLOURS = {"critical": 0xA50F15, "major": 0xA50F15, "minor": 0xE69F00, "notice": 0x8A8A8A}
_OVER = 0x56B4E9


def compose(notice: Notice, *, url: str, secret: str, now: datetime) -> NoticeRequest:  # noqa: ARG001
    """Return the POST of one attempt; the address is the secret, so *secret* is not used."""
    facts = read_facts(notice)
    embed: dict[str, Any] = {
        "title": defuse(facts.title, TITLE),
        "description": defuse(facts.text, DESCRIPTION),
        "color": _OVER if facts.is_over else _COLOURS.get(facts.severity, _OVER),
        "timestamp": facts.timestamp,
    }
    if facts.link:
        embed["url"] = facts.link
    return json_post(url, {"embeds": [embed], "allowed_mentions": {"parse": []}})
