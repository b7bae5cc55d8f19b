"""The `pagerduty` channel: Events API v2.

`dedup_key` is the incident's id: all notices of one incident are one alert there, and its end resolves it.
Limits: summary 1,024, key 255 characters; 202 is success (PagerDuty, "Send an alert event").
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from monitor.core.alerting.notice import Notice
from monitor.core.alerting.notice_facts import read_facts
from monitor.core.alerting.retry import NoticeRequest, json_post
from monitor.core.sanitize import cut

URL = "https://events.pagerduty.com/v2/enqueue"
SUMMARY = 1_024
KEY = 255
_SEVERITIES = {"critical": "critical", "major": "error", "minor": "warning", "notice": "info"}


def compose(notice: Notice, *, url: str, secret: str, now: datetime) -> NoticeRequest:  # noqa: ARG001
    """Return the POST of one attempt; *secret* is the integration's routing key.

    A resolved incident resolves the alert; anything else triggers it, which adds to one that is there.
    """
    facts = read_facts(notice)
    event: dict[str, Any] = {
        "routing_key": secret.strip(),
        "event_action": "resolve" if facts.is_over else "trigger",
        "dedup_key": cut(notice.incident_id or notice.id, KEY),
        "payload": {
            "summary": cut(f"{facts.title}. {facts.text}", SUMMARY),
            "source": "earwitness",
            "severity": "info" if facts.is_drill else _SEVERITIES.get(facts.severity, "info"),
            "timestamp": facts.timestamp,
            "component": cut(facts.subject, KEY),
            "class": str(notice.kind),
            "custom_details": dict(facts.data),
        },
    }
    if facts.link:
        event["links"] = [{"href": facts.link, "text": "Open the incident"}]
    return json_post(url, event)
