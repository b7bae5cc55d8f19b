"""All that a report needs about one incident, as one frozen value; it reads and judges nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from monitor.core.clock_offset import Offset
from monitor.core.incidents.incident import Entry, StoredIncident
from monitor.core.model import Outcome, Target


class Period(StrEnum):
    """Over which time a baseline counts, as it is said: before the start, or since the end."""

    DAY_BEFORE = "in 24 h before"
    WEEK_BEFORE = "in 7 days before"
    MONTH_BEFORE = "in 30 days before"
    SINCE = "since"


class Role(StrEnum):
    """Why a run was chosen as an exhibit."""

    FIRST_FAILED = "first-failed"
    LAST_FAILED = "last-failed"
    SIGNATURE = "signature"  # the first run of a further signature
    LAST_PASSED = "last-passed"  # before the first window
    FIRST_PASSED = "first-passed"  # after the last window
    CONTROL = "control"  # a healthy neighbour, nearest in time to the first failed run


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedRun:
    """One chosen run: its outcome and, while it is still stored, its evidence document."""

    role: Role
    outcome: Outcome
    evidence: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Runs of the affected cells with the configuration of the incident; `passed` counts degraded too."""

    period: Period
    since: datetime
    until: datetime
    passed: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """What the clip is that was sent: enough to make the same request again."""

    name: str
    sha256: str
    seconds: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Who measured: what is not known is None and is not printed."""

    locations: Sequence[str]
    client: str  # "earwitness/0.1.0"
    egress: str | None = None  # the address that the provider sees, where the operator names it
    clock_offset: Offset | None = None  # by the `Date` headers of the exhibits


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFacts:
    """One incident with all that is quoted of it.

    `targets` holds the configured targets among the affected and the controls, by key; an imported
    target is missing there. `outcomes` gives, at each call, the runs from one interval before the
    first window to one after the last, affected and controls, in order of start. `coverage` is the
    measured share of the span, between 0 and 1.
    """

    incident: StoredIncident
    entries: Sequence[Entry] = ()
    targets: Mapping[str, Target] = field(default_factory=dict)
    exhibits: Sequence[QuotedRun] = ()
    baselines: Sequence[Baseline] = ()
    coverage: float | None = None
    recordings: Mapping[str, ClipFacts] = field(default_factory=dict)
    observer: Observer
    outcomes: Callable[[], Iterator[Outcome]]

    def exhibit(self, role: Role) -> QuotedRun | None:
        """The first run chosen for *role*."""
        return next((exhibit for exhibit in self.exhibits if exhibit.role is role), None)
