"""What was planted and what was promised, as plain data: all that plan and judge have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """Trouble at *targets* from *start* to *end*; *how* as the peers show it, *share* of the runs meet it.

    At most *most* runs meet it: what meets one run is a blip, and nobody is to hear of it. `scope` is what a
    person would call it, `blame` whose it is. `hidden` trouble must not be announced as an outage: our own
    network, planned maintenance.
    """

    id: int
    kind: str
    how: str
    targets: Sequence[str]
    start: datetime
    end: datetime
    scope: Mapping[str, str]
    blame: str
    share: float = 1.0
    retry_after: int | None = None
    most: int | None = None
    hidden: bool = False

    @property
    def name(self) -> str:
        """A line for people."""
        where = " ".join(f"{facet}={value}" for facet, value in self.scope.items()) or "everything"
        share = "" if self.share >= 1 else f" {self.share:.0%}"
        asked = "" if self.retry_after is None else f" retry-after {self.retry_after} s"
        length = int((self.end - self.start).total_seconds() // 60)
        return f"{self.kind}: {self.how}{share}{asked} at {where}, {self.start:%d %H:%M:%S} for {length} min"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """The service was not itself: restarted, killed, suspended, its clock set, a receiver away."""

    what: str
    start: datetime
    end: datetime
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What `validate` says of one target: its interval, its deadline, and how soon it would be noticed."""

    every: timedelta
    timeout: timedelta
    confirmed: timedelta
    silent: timedelta
    unconfirmed: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One notice as a receiver took it."""

    channel: str
    at: datetime
    body: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Such as ``incident.opened``."""
        return str(self.body["type"])

    @property
    def data(self) -> Mapping[str, Any]:
        """What it says."""
        found: Mapping[str, Any] = self.body["data"]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One moment as every side of the product shows it."""

    at: datetime
    api: Sequence[Mapping[str, Any]]
    page: Sequence[int]  # the incidents that the overview links to
    tickets: Mapping[int, str]
    targets: Sequence[Mapping[str, Any]]
    replay: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """What the process held at a moment: resident bytes, open descriptors."""

    at: datetime
    resident: int
    descriptors: int


@dataclass(slots=True, kw_only=True)
class Facts:
    """Everything the judge is given beside the database."""

    seed: int
    start: datetime
    end: datetime
    planted: Sequence[Planted] = ()
    disturbances: Sequence[Disturbance] = ()
    promises: Mapping[str, Promise] = field(default_factory=dict)
    heard: Sequence[Heard] = ()
    samples: Sequence[Sample] = ()
    gauges: Sequence[Gauge] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as planted or promised."""

    what: str
    at: datetime | None
    where: str
    said: str

    def line(self) -> str:
        """For people."""
        moment = "" if self.at is None else f"{self.at:%Y-%m-%d %H:%M:%S} "
        return f"{self.what:<12} {moment}{self.where}: {self.said}"
