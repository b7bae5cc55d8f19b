"""Models that their vendor will end: how near the day is, and what is owed to whom because of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from monitor.core.alerting.decide import Policy
from monitor.core.alerting.notice import Notice, NoticeKind, notice_id
from monitor.core.alerting.wording import MessageSettings
from monitor.core.model import Blame, target_path
from monitor.core.sanitize import defuse
from monitor.core.timefmt import parse_instant, rfc3339

MILESTONES = (90, 30, 7)  # days before the end at which the owner is told, once each
_LISTED = 50
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """One model that ends on a day; `targets` are the keys of the watched ones that it takes away.

    `certain` says that the day was published for these targets' provider; elsewhere it is a hint only, and
    `elsewhere` says where the provider's own are. `vendor` is whose day it is.
    `listed_by` names the endpoints whose own lists of models give the day.
    """

    model: str
    day: date
    successor: str | None
    targets: tuple[str, ...]
    vendor: str = "Its vendor"
    certain: bool = True
    elsewhere: str | None = None
    listed_by: tuple[str, ...] = ()

    def days_left(self, now: datetime) -> int:
        """Whole days to the day; negative once it is past."""
        return (self.day - now.date()).days

    def sentence(self, now: datetime) -> str:
        """What a person should know of it."""
        left = self.days_left(now)
        when = f"in {left:,} days" if left > 1 else {1: "tomorrow", 0: "today"}.get(left, "past")
        then = f"; its successor is {self.successor}" if self.successor else ""
        doubt = (
            "" if self.certain or not self.elsewhere else f". {self.elsewhere}: look them up in the portal"
        )
        if self.listed_by:
            names = ", ".join(self.listed_by)
            return f"{self.model} ends on {self.day} ({when}) by the endpoint's own list ({names}){then}."
        return f"{self.vendor} ends {self.model} on {self.day} ({when}){then}{doubt}."


def shutdown_day(value: object) -> date | None:
    """The day, in UTC, that a listed `shutdown_date` names; None for whatever names none.

    OpenAI's specification has the field in `GET /models`. A day, an RFC 3339 instant and seconds since
    1970 are understood; 0 and less are how some servers write "none".
    """
    try:
        if isinstance(value, str):
            is_day = _DAY.fullmatch(value) is not None
            return date.fromisoformat(value) if is_day else parse_instant(value).date()
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return (_EPOCH + timedelta(seconds=value)).date()
    except (ValueError, OverflowError):
        return None
    return None


def milestone(left: int) -> int | None:
    """The number, from 1, of the notice that is due with so many days left; None for none."""
    if left < 0:
        return None
    passed = [number for number, days in enumerate(MILESTONES, 1) if left <= days]
    return max(passed, default=None)


def owed_notices(
    retirements: Iterable[Retirement], policies: Iterable[Policy], *, now: datetime, voice: MessageSettings
) -> Iterator[Notice]:
    """The notices due now to channels that ask for `account`.

    The same model, day, channel and milestone give the same id: owed again, it is the same notice. Of
    several milestones that have passed unseen only the latest is told.
    """
    told = [policy for policy in policies if Blame.ACCOUNT.value in policy.when]
    for retirement in retirements:
        sequence = milestone(retirement.days_left(now))
        if sequence is None or not retirement.certain:
            continue
        for policy in told:
            subject = f"retirement {retirement.model} {retirement.day}"
            yield Notice(
                id=notice_id(subject, policy.channel, NoticeKind.RETIREMENT, sequence),
                channel=policy.channel,
                incident_id=None,
                kind=NoticeKind.RETIREMENT,
                sequence=sequence,
                created_at=now,
                body=compose(retirement, sequence, now=now, voice=voice),
                due_at=now,
            )


def compose(
    retirement: Retirement, sequence: int, *, now: datetime, voice: MessageSettings, drill: bool = False
) -> dict[str, Any]:
    """The body of a notice: `type`, `timestamp`, `data`."""
    title = f"{retirement.model} ends on {retirement.day}"
    text = f"{retirement.sentence(now)} {_affected(retirement.targets)}"
    address = _link(retirement.targets, voice)
    return {
        "type": NoticeKind.RETIREMENT.value,
        "timestamp": rfc3339(now),
        "data": {
            "title": f"DRILL: {title}" if drill else title,
            "text": ("DRILL, nothing is broken: " if drill else "")
            + text
            + (f" {address}" if address else ""),
            "link": address,
            "sequence": sequence,
            "model": defuse(retirement.model, 200),
            "retires": retirement.day.isoformat(),
            "days_left": retirement.days_left(now),
            "successor": retirement.successor,
            "affected": [defuse(key, 200) for key in retirement.targets[:_LISTED]],
            "affected_total": len(retirement.targets),
            "drill": drill,
        },
    }


def _affected(targets: Sequence[str]) -> str:
    shown = ", ".join(targets[:3])
    more = f" and {len(targets) - 3} more" if len(targets) > 3 else ""
    return f"Watched: {shown}{more}."


def _link(targets: Sequence[str], voice: MessageSettings) -> str | None:
    if not voice.public_url or not targets:
        return None
    return f"{voice.public_url.rstrip('/')}{target_path(targets[0])}"
