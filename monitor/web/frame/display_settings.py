"""What the pages need to know of the configuration; handed in once, never read from a file here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import NotRequired, TypedDict
from urllib.parse import urlsplit

from monitor.core.alerting.model_retirement import Retirement
from monitor.core.model import Target
from monitor.core.outages.rule import GAP_INTERVALS, Rule

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoLinks:
    """Where the demo sends its visitor: the control page of the sandbox and the recorded day."""

    sandbox_url: str
    incident: int | None = None
    day: str | None = None
    note: str = ""


class Liveness(TypedDict):
    """What the service says of itself; `last_cycle` is when it last did its round.

    `unstored` says why nothing can be stored now; `last_slot` is when a slot last came due and was run or
    skipped, `since` when the service began.
    """

    running: bool
    last_cycle: datetime | None
    unstored: NotRequired[str | None]
    last_slot: NotRequired[datetime | None]
    since: NotRequired[datetime]


@dataclass(frozen=True, kw_only=True)
class DisplaySettings:
    """The part of the configuration that pages and JSON show.

    `hosts` are further names under which the service may be asked for, beside loopback and the host
    of `public_url`; None accepts every name (behind a proxy that checks it).
    """

    location: str = "default"
    timezone: str = "UTC"
    public_url: str | None = None
    targets: Sequence[Target] = ()
    rule: Rule = field(default_factory=Rule)
    retirements: Iterable[Retirement] = ()  # may come to give others
    demo: DemoLinks | None = None
    version: str = "0.1.0"
    metrics: bool = True  # false where they are served elsewhere
    hosts: frozenset[str] | None = frozenset()
    stale_after: timedelta = timedelta(seconds=60)
    cycle_limit: timedelta = timedelta(minutes=2)

    @cached_property
    def allowed_hosts(self) -> frozenset[str] | None:
        """Every accepted host name without its port, in lower case; None accepts all."""
        if self.hosts is None:
            return None
        public = urlsplit(self.public_url).hostname if self.public_url else None
        return LOOPBACK | self.hosts | ({public} if public else set())

    @cached_property
    def patience(self) -> timedelta:
        """How old the newest run of all may be: three intervals of the target that is asked most often."""
        every = min((target.every for target in self.targets), default=timedelta(0))
        return max(GAP_INTERVALS * every, self.stale_after)

    @cached_property
    def by_key(self) -> Mapping[str, Target]:
        """The configured targets by their key."""
        return {target.key: target for target in self.targets}
