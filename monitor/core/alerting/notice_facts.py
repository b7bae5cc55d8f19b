"""What a channel may show of a notice: the facts of its stored body, each present whatever the kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.core.alerting.notice import Notice

_OVER = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts:
    """Title and text for people, without the link that stands beside them; `timestamp` is RFC 3339.

    `severity` and `subject` are empty where a notice is about no incident. `data` is everything.
    """

    title: str
    text: str
    link: str
    severity: str
    subject: str
    timestamp: str
    is_over: bool
    is_drill: bool
    data: Mapping[str, Any]


def read_facts(notice: Notice) -> NoticeFacts:
    """Return the facts of a notice."""
    data: Mapping[str, Any] = notice.body["data"]
    link = str(data.get("link") or "")
    return NoticeFacts(
        title=str(data.get("title") or "Earwitness"),
        text=_without(link, str(data.get("text") or "")),
        link=link,
        severity=str(data.get("severity") or ""),
        subject=str(data.get("subject") or ""),
        timestamp=str(notice.body["timestamp"]),
        is_over=data.get("state") == _OVER,
        is_drill=bool(data.get("drill")),
        data=data,
    )


def _without(link: str, text: str) -> str:
    """The text without the link, which begins or ends its last line."""
    return text.replace(f"{link} · ", "").removesuffix(link).rstrip() if link else text
