"""One message that is owed to one channel, and what it may tell."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class NoticeKind(StrEnum):
    """What a notice tells; the values are the `type` of the webhook's body."""

    OPENED = "incident.opened"
    UPDATED = "incident.updated"
    RECOVERING = "incident.recovering"
    RESOLVED = "incident.resolved"
    RETIREMENT = "model.retirement"
    STORAGE_LOST = "monitor.storage_lost"
    STORAGE_BACK = "monitor.storage_restored"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message owed to one channel. `id` is stable over every attempt (``msg_…``).

    `sequence` numbers the notices of one incident on one channel from 1. `body` is the JSON object
    that is sent: `type`, `timestamp`, `data`.
    """

    id: str
    channel: str
    incident_id: str | None
    kind: NoticeKind
    sequence: int
    created_at: datetime
    body: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 0
    due_at: datetime | None = None
    sent_at: datetime | None = None
    gave_up_at: datetime | None = None
    last_reply: str | None = None


def notice_id(incident_id: str, channel: str, kind: NoticeKind, sequence: int) -> str:
    """``msg_…``: follows from what the notice is about, so that no crash can double it."""
    digest = hashlib.sha256("\n".join((incident_id, channel, kind, str(sequence))).encode()).digest()
    return f"msg_{b32encode(digest[:20]).decode().lower()}"
