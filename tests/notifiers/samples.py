"""Notices as the service owes them, and hostile ones, for the tests of every channel."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from monitor.core.alerting.notice import Notice, NoticeKind
from monitor.core.alerting.retry import NoticeRequest

NOW = datetime(2025, 11, 17, 8, 32, 10, tzinfo=UTC)
LINK = "https://earwitness.example/incidents/7"


def notice(kind: NoticeKind = NoticeKind.OPENED, **data: Any) -> Notice:
    """A notice of an incident; *data* replaces facts of it."""
    facts = {
        "incident": 7,
        "title": "Down: gpt-4o-transcribe · realtime",
        "text": f"Since 08:30:10 UTC. Unaffected: whisper-1 rest 3/3. {LINK}",
        "state": "down",
        "severity": "major",
        "subject": "gpt-4o-transcribe · realtime",
        "link": LINK,
        "sequence": 1,
        "drill": False,
        **data,
    }
    return Notice(
        id="msg_abc",
        channel="oncall",
        incident_id="0193-incident",
        kind=kind,
        sequence=1,
        created_at=NOW,
        body={"type": str(kind), "timestamp": "2025-11-17T08:32:10Z", "data": facts},
    )


HOSTILE = notice(
    title="<!channel> @everyone [click](https://evil.example) & *bold*" + "x" * 400,
    text="<script>alert(1)</script> <@U123> [a](javascript:1) " + "ä" * 30_000,
    subject="<b>" + "s" * 400,
)


def body(request: NoticeRequest) -> dict[str, Any]:
    """The JSON of a request."""
    found: dict[str, Any] = json.loads(request.body)
    return found
