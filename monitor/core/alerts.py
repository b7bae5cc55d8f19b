"""Changes, what was sent, a policy and now give notices, each with a reason; silence too."""

from __future__ import annotations

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
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What one channel wants: `when` holds some of `down degraded account monitor`."""

    channel: str
    when: frozenset[str] = frozenset({"down", "degraded"})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether a notice is owed, and why (also why not)."""

    send: bool
    reason: str
    notice: Notice | None = None
