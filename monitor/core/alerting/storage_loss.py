"""What is told when nothing can be stored: the monitor is blind, which nobody would see from its page.

Told from memory, since the outbox lies in the database that is away.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from monitor.core.alerting.decide import Policy
from monitor.core.alerting.notice import Notice, NoticeKind, notice_id
from monitor.core.alerting.wording import MessageSettings
from monitor.core.model import Blame
from monitor.core.timefmt import duration_words, rfc3339

TOLD_AFTER = timedelta(minutes=2)  # what is away for less is a restart or a backup
_LONGEST_REASON = 300


def storage_notices(
    kind: NoticeKind,
    policies: Iterable[Policy],
    *,
    since: datetime,
    reason: str,
    now: datetime,
    voice: MessageSettings,
) -> list[Notice]:
    """One notice to each channel that asks for `monitor`: nothing was stored from *since* on.

    The same loss and channel give the same id: told again, it is the same notice.
    """
    sequence = 1 if kind is NoticeKind.STORAGE_LOST else 2
    return [
        Notice(
            id=notice_id(f"storage {rfc3339(since)}", policy.channel, kind, sequence),
            channel=policy.channel,
            incident_id=None,
            kind=kind,
            sequence=sequence,
            created_at=now,
            body=compose_storage(kind, since=since, reason=reason, now=now, voice=voice),
            due_at=now,
        )
        for policy in policies
        if Blame.MONITOR.value in policy.when
    ]


def compose_storage(
    kind: NoticeKind,
    *,
    since: datetime,
    reason: str,
    now: datetime,
    voice: MessageSettings,
    drill: bool = False,
) -> dict[str, Any]:
    """The body of a notice: `type`, `timestamp`, `data`."""
    lasted = duration_words(now - since)
    if kind is NoticeKind.STORAGE_LOST:
        title = f"The monitor cannot store what it sees, since {since:%H:%M:%S} UTC"
        text = (
            f"For {lasted} nothing could be stored: {reason[:_LONGEST_REASON]}. Checks go on and their "
            "outcomes wait, but outages are neither judged nor told until it is back."
        )
    else:
        title = f"The monitor stores again, after {lasted}"
        text = "What was measured meanwhile is stored and judged now; what it shows is told as usual."
    return {
        "type": kind.value,
        "timestamp": rfc3339(now),
        "data": {
            "title": f"DRILL: {title}" if drill else title,
            "text": f"DRILL, nothing is broken: {text}" if drill else text,
            "link": voice.public_url or None,
            "sequence": 1 if kind is NoticeKind.STORAGE_LOST else 2,
            "since": rfc3339(since),
            "reason": reason[:_LONGEST_REASON],
            "drill": drill,
        },
    }
