"""How long an outage would last before a window opens: the rule played through, run by run."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.core.model import Target
from monitor.core.outages.lookback import opening
from monitor.core.outages.rule import Rule, Threshold
from monitor.core.scheduling.attention import CONFIRM_EVERY, OPEN_EVERY, QUOTA_MINUTE, neighbours, quota_key
from monitor.core.scheduling.slots import EPOCH


class _Bad(NamedTuple):
    """A bad run of an outage that is played through; starts count from the first one."""

    number: int
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionTime:
    """From the start of an outage to the start of the run that opens its window, at the latest.

    `confirmed`: with confirming runs; `silent`: the same where every run lasts until its timeout;
    `unconfirmed`: by the regular runs alone.
    """

    confirmed: timedelta
    silent: timedelta
    unconfirmed: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaForecast:
    """Runs of one deployment in the worst minute, over all its pathways, against `max_per_minute`.

    `quiet`: scheduled runs; `down`: scheduled runs while a window is open on every target;
    `wanted`: `quiet` with the confirming and neighbour runs that a first bad run asks for, of which
    only what is left under `max_per_minute` is made.
    """

    endpoint: str
    deployment: str
    targets: tuple[str, ...]
    quiet: int
    down: int
    wanted: int
    max_per_minute: int

    @property
    def fits(self) -> bool:
        """Whether no scheduled run has to be left out."""
        return max(self.quiet, self.down) <= self.max_per_minute


def estimate_detection_time(target: Target, group: Sequence[Target], rule: Rule) -> DetectionTime:
    """How fast an outage of *target* alone would be noticed; *group* shares its deployment's quota."""
    shared = len(neighbours(target, group))
    quota = quota_of(group).max_per_minute

    def within(step: timedelta, beside: int) -> timedelta:
        return target.every + _opens_after(rule.down, step, quota, beside)

    return DetectionTime(
        confirmed=within(min(CONFIRM_EVERY, target.every), shared),
        silent=within(max(min(CONFIRM_EVERY, target.every), target.timeout), shared),
        unconfirmed=within(target.every, 0),
    )


def _opens_after(rule: Threshold, step: timedelta, quota: int, beside: int) -> timedelta:
    """From the first bad run to the one that opens, runs being *step* apart where the quota allows."""
    bad = [_Bad(1, EPOCH)]
    spent = [EPOCH] * min(quota, 1 + beside)
    while opening(rule, bad, lambda instant: bisect_right(bad, instant, key=_started)) is None:
        upcoming = bad[-1].started_at + step
        while len(last := spent[bisect_right(spent, upcoming - QUOTA_MINUTE) :]) >= quota:
            upcoming = last[0] + QUOTA_MINUTE
        bad.append(_Bad(len(bad) + 1, upcoming))
        spent.append(upcoming)
    return bad[-1].started_at - EPOCH


def _started(run: _Bad) -> datetime:
    return run.started_at


def quota_of(group: Sequence[Target]) -> QuotaForecast:
    """What one deployment is asked for in the worst minute; *group* is all its targets, one at least."""
    quiet = sum(_a_minute(other.every) for other in group)
    confirming = max(0, _a_minute(CONFIRM_EVERY) - min(_a_minute(other.every) for other in group))
    endpoint, deployment = quota_key(group[0])
    return QuotaForecast(
        endpoint=endpoint,
        deployment=deployment,
        targets=tuple(other.key for other in group),
        quiet=quiet,
        down=sum(_a_minute(min(other.every, OPEN_EVERY)) for other in group),
        wanted=quiet + confirming + len(group) - 1,
        max_per_minute=min(other.max_per_minute for other in group),
    )


def _a_minute(every: timedelta) -> int:
    return math.ceil(QUOTA_MINUTE / every)
