"""The `ntfy` channel: a push message, published as JSON to the server of a topic's URL.

Messages over 4,096 bytes become attachments (ntfy documentation, "Limitations"), so they are cut below that.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from monitor.core.alerting.notice import Notice
from monitor.core.alerting.notice_facts import read_facts
from monitor.core.alerting.retry import NoticeRequest, json_post
from monitor.core.errors import SecretError
from monitor.core.sanitize import cut

TITLE = 250
MESSAGE = 1_000  # of at most four bytes each
_PRIORITIES = {"critical": 5, "major": 4, "minor": 3, "notice": 2}


def compose(notice: Notice, *, url: str, secret: str, now: datetime) -> NoticeRequest:  # noqa: ARG001
    """Return the POST of one attempt.

    The last part of the URL is the topic; *secret* is an access token or empty. Raises SecretError, which
    never quotes the URL, for one without a topic.
    """
    server, _, topic = url.rstrip("/").rpartition("/")
    if not topic or "://" not in server:
        raise SecretError("the topic's URL", "must end in a topic, such as https://ntfy.sh/my-topic")
    facts = read_facts(notice)
    message: dict[str, Any] = {
        "topic": topic,
        "title": cut(facts.title, TITLE),
        "message": cut(facts.text, MESSAGE),
        "priority": 3 if facts.is_over else _PRIORITIES.get(facts.severity, 3),
        "tags": ["white_check_mark" if facts.is_over else "warning"],
    }
    if facts.link:
        message["click"] = facts.link
    bearer = {"authorization": f"Bearer {secret.strip()}"} if secret else {}
    return json_post(server, message, bearer)
