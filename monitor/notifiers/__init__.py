"""Channels by kind: each composes a request and judges a reply; none opens a socket or knows a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitor.core.alerts import Notice
from monitor.core.delivery import Judgement, Reply, Request
from monitor.notifiers import webhook


class Compose(Protocol):
    """A notice to the request that carries it; raises SecretError where the secret is none."""

    def __call__(self, notice: Notice, *, url: str, secret: str, now: datetime) -> Request:
        """The request of this attempt at *now*."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One kind of channel. `judge` takes the reply, the attempts made with this one, and now."""

    compose: Compose
    judge: Callable[[Reply, int, datetime], Judgement]


CHANNELS: Mapping[str, Channel] = {
    "webhook": Channel(compose=webhook.compose, judge=webhook.judge),
}
