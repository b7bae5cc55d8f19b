"""Channels by kind: each composes a request and judges a reply; none opens a socket or knows a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from monitor.core.alerting.notice import Notice
from monitor.core.alerting.retry import DeliveryResult, NoticeReply, NoticeRequest, judge_reply
from monitor.notifiers import discord, ntfy, pagerduty, slack, teams, webhook


class Compose(Protocol):
    """A notice to the request that carries it; raises SecretError where the secret is none."""

    def __call__(self, notice: Notice, *, url: str, secret: str, now: datetime) -> NoticeRequest:
        """The request of this attempt at *now*."""
        ...


class Need(Enum):
    """Whether a kind of channel takes a secret beside its address."""

    REQUIRED = "must be given"
    OPTIONAL = "may be given"
    NONE = "means nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One kind of channel. `judge` takes the reply, the attempts made with this one, and now.

    `credential` says whether `[channel.…] secret` must be given; `url` is the address where none is
    configured (None: it must be).
    """

    compose: Compose
    credential: Need = Need.NONE
    url: str | None = None
    judge: Callable[[NoticeReply, int, datetime], DeliveryResult] = judge_reply


CHANNELS: Mapping[str, Channel] = {
    "webhook": Channel(compose=webhook.compose, credential=Need.REQUIRED),
    "slack": Channel(compose=slack.compose),
    "teams": Channel(compose=teams.compose),
    "discord": Channel(compose=discord.compose),
    "pagerduty": Channel(compose=pagerduty.compose, credential=Need.REQUIRED, url=pagerduty.URL),
    "ntfy": Channel(compose=ntfy.compose, credential=Need.OPTIONAL),
}
