"""What a channel is to send, what its receiver's answer means, when to try again; it sends nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from monitor.core.sanitize import one_line

LONGEST_PAUSE = timedelta(hours=24)

# The pauses before each further attempt. A receiver that restarts is away for seconds, one that is repaired
# for an hour or two: whoever returns hears within 5 minutes of it in the first two hours, within half an hour
# for the next six. Then those of Standard Webhooks 1.0, "Deliverability and reliability".
PAUSES = (
    *(timedelta(seconds=seconds) for seconds in (5, 15, 30, 60)),
    *[timedelta(minutes=5)] * 24,
    *[timedelta(minutes=30)] * 12,
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRequest:
    """One HTTP POST, complete to the byte: what is signed is what is sent."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class NoticeReply(Protocol):
    """What came back: a status with headers and the beginning of the body, or why nothing did.

    `status` is None where nothing came; `detail` then says why.
    """

    @property
    def status(self) -> int | None:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """The headers in order."""
        ...

    @property
    def body(self) -> bytes:
        """The beginning of the body."""
        ...

    @property
    def detail(self) -> str | None:
        """Why no answer came."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The receiver has it."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Another attempt is owed at `at`."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """No further attempt makes sense; `for_good`: nor does any other notice to this receiver."""

    reason: str
    for_good: bool = False


DeliveryResult = Delivered | Retry | GiveUp


def json_post(url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> NoticeRequest:
    """Return the POST of a JSON body with further headers."""
    usual = {"content-type": "application/json; charset=utf-8", "user-agent": "earwitness"}
    return NoticeRequest(url=url, headers={**usual, **(headers or {})}, body=serialise(body))


def serialise(body: Mapping[str, Any]) -> bytes:
    """The body as the bytes that are signed, sent and measured: compact JSON in UTF-8."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def header(headers: Sequence[tuple[str, str]], name: str) -> str | None:
    """The first value of a header, whatever the case of its name."""
    return next((value for key, value in headers if key.lower() == name), None)


def retry_after(reply: NoticeReply, *, now: datetime) -> timedelta | None:
    """How long the receiver asks us to wait (RFC 9110, 10.2.3: seconds or a date), at most 24 hours.

    None where it asks for nothing, for the past, or for what cannot be read.
    """
    return asked_pause(reply.headers, now=now)


def asked_pause(headers: Sequence[tuple[str, str]], *, now: datetime) -> timedelta | None:
    """What a `retry-after` header asks for, at most 24 hours; None for nothing, the past, or nonsense."""
    asked = (header(headers, "retry-after") or "").strip()
    if asked.isascii() and asked.isdigit():
        return min(timedelta(seconds=int(asked[:9])), LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(asked)
    except (ValueError, OverflowError):
        return None
    pause = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return min(pause, LONGEST_PAUSE) if pause > timedelta(0) else None


def retry_at(attempts: int, now: datetime, reply: NoticeReply) -> datetime | None:
    """When the next attempt is due after *attempts* (at least 1) failed; None when all are used up.

    The receiver may ask for a longer pause than the schedule's, never for a shorter one.
    """
    if attempts > len(PAUSES):
        return None
    pause = PAUSES[max(attempts, 1) - 1]
    return now + max(pause, retry_after(reply, now=now) or timedelta(0))


def judge_reply(reply: NoticeReply, attempts: int, now: datetime) -> DeliveryResult:
    """2xx is success and nothing else is: a redirect is a failure, 410 the end, the rest is tried again.

    *attempts* counts this one. Source: Standard Webhooks 1.0, "Deliverability and reliability".
    """
    said = _said(reply)
    if reply.status is not None and 200 <= reply.status < 300:
        return Delivered(reason=said)
    if reply.status == 410:
        return GiveUp(reason=f"{said}: the receiver is gone", for_good=True)
    due = retry_at(attempts, now, reply)
    if due is None:
        return GiveUp(reason=f"{said}: attempt {attempts} was the last")
    return Retry(at=due, reason=f"{said}: redirects are not followed" if _redirects(reply) else said)


def _redirects(reply: NoticeReply) -> bool:
    return reply.status is not None and 300 <= reply.status < 400


def _said(reply: NoticeReply) -> str:
    if reply.status is None:
        return one_line(reply.detail or "no answer", 200)
    body = one_line(reply.body[:400].decode("utf-8", "replace"), 120)
    return f"status {reply.status}: {body}" if body else f"status {reply.status}"
