"""Would this alert have fired? A history lived through once more, every notice to one channel delivered.

It looks at the moments at which something can have changed: a window decided or closed, a time for a
relapse that ran out, a reminder due. Nothing is stored, nothing sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any

from monitor.core.alerting.decide import GROUP_INTERVAL, Decision, Policy, decide
from monitor.core.alerting.notice import Notice
from monitor.core.alerting.wording import MessageSettings
from monitor.core.incidents.derive import settle
from monitor.core.incidents.incident import Derivation, Phase, StoredIncident
from monitor.core.incidents.reconcile import reconcile
from monitor.core.incidents.suspicions import suspicions, undecided
from monitor.core.model import State, Verdict
from monitor.core.outages.history import INSTANT, History, until_after
from monitor.core.outages.maintenance import Maintenance
from monitor.core.outages.rule import Rule, Threshold, rule_to_json
from monitor.core.outages.windows import Window
from monitor.core.sanitize import one_line
from monitor.core.scheduling.slots import EPOCH
from monitor.core.timefmt import rfc3339

_BAD = {
    State.DOWN: frozenset({Verdict.FAILED}),
    State.DEGRADED: frozenset({Verdict.FAILED, Verdict.DEGRADED}),
}
_MOST_LOOKS = 20_000
SETTLING_LOOK = timedelta(seconds=5)  # how soon to look again at what has not settled


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """The notices a channel would have been sent, in order, and why it would not have heard of the rest."""

    channel: str
    notices: tuple[Notice, ...]
    silent: tuple[tuple[StoredIncident, str], ...]


def simulate(
    history: History,
    derivation: Derivation,
    policy: Policy,
    *,
    now: datetime,
    voice: MessageSettings,
    plans: Sequence[Maintenance] = (),
) -> Simulation:
    """What the channel would have been told up to *now*; *derivation* is what the history says then.

    *plans* are the planned maintenance that the history leaves out.
    """
    stage = _Stage(history=history, rule=derivation.rule, policy=policy, voice=voice, plans=plans)
    touched = derivation.since or EPOCH
    moments = sorted({*_moments(history, derivation), now})
    heapify(moments)
    looks = 0
    while moments and looks < _MOST_LOOKS:
        at = heappop(moments)
        if at <= touched or at > now:
            continue
        for later in stage.look(at, touched):
            heappush(moments, later)
        touched, looks = at, looks + 1
    return stage.told()


def _moments(history: History, derivation: Derivation) -> Iterator[datetime]:
    """When something can have changed, by what the derivation says at its end."""
    for window in derivation.windows:
        threshold = derivation.rule.down if window.state is State.DOWN else derivation.rule.degraded
        yield from _turns(history, window, threshold)
        for at in (window.decided_at, window.closed_at):
            if at is not None:
                yield at
                yield at + GROUP_INTERVAL
        settled = max(window.continues_until, window.closed_at or window.start)
        yield settled + INSTANT


def _turns(history: History, window: Window, threshold: Threshold) -> Iterator[datetime]:
    """Where the window was closed for a while, and the bad runs that opened it again."""
    until = window.end or until_after(window.end_after)
    runs = [
        run
        for run in history.not_passed(window.cell, window.start, until)
        if run.verdict in _BAD[window.state] and run.started_at < until
    ]
    for index in range(1, len(runs)):
        before = runs[index - 1]
        if runs[index].number - before.number > threshold.good:
            closed = history.start_of(window.cell, before.number + threshold.good)
            if closed is not None:
                yield closed
            yield from (run.started_at for run in runs[index : index + threshold.of])


@dataclass(slots=True, kw_only=True)
class _Stage:
    """The incidents and notices as they would have been, kept in memory."""

    history: History
    rule: Rule
    policy: Policy
    voice: MessageSettings
    plans: Sequence[Maintenance] = ()
    incidents: dict[str, StoredIncident] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    def look(self, at: datetime, touched: datetime) -> Iterator[datetime]:
        """Bring everything that was not looked at since *touched* up to an instant; when to look again."""
        stored, derivation = settle(
            self.history, self.rule, now=at, touched=touched, stored_since=self._since
        )
        changes = reconcile(
            stored,
            derivation,
            suspicions(self.history, derivation, self.rule, at),
            undecided=undecided(self.history, derivation, self.rule, at),
            now=at,
            rule_json=rule_to_json(self.rule),
            next_number=lambda: next(self._numbers),
            new_id=lambda: f"incident-{next(self._ids)}",
            plans=self.plans,
        )
        self.incidents |= {change.incident.id: change.incident for change in changes}
        if any(one.phase is Phase.SUSPECTED and one.opened_at for one in self.incidents.values()):
            yield at + SETTLING_LOOK
        fresh = {change.incident.id for change in changes}
        told = [one for one in self.incidents.values() if _is_told(one) and (_lives(one) or one.id in fresh)]
        for decision in decide(told, self.notices, [self.policy], now=at, voice=self.voice):
            yield from self._heed(decision, at)

    def _since(self, instant: datetime) -> list[StoredIncident]:
        return [
            one
            for one in self.incidents.values()
            if _lives(one) or (one.phase is Phase.RESOLVED and one.resolved_at and one.resolved_at >= instant)
        ]

    def _heed(self, decision: Decision, at: datetime) -> Iterator[datetime]:
        if decision.incident_id and not any(n.incident_id == decision.incident_id for n in self.notices):
            self.reasons[decision.incident_id] = decision.reason
        if decision.notice is not None:
            self.notices.append(replace(decision.notice, sent_at=at))
            yield at + self.voice.repeat

    def told(self) -> Simulation:
        """What it came to."""
        heard = {notice.incident_id for notice in self.notices}
        silent = [
            (one, self.reasons.get(one.id, "it was never decided"))
            for one in self.incidents.values()
            if _is_told(one) and one.id not in heard
        ]
        return Simulation(
            channel=self.policy.channel,
            notices=tuple(self.notices),
            silent=tuple(sorted(silent, key=lambda pair: (pair[0].start, pair[0].title))),
        )


def _is_told(one: StoredIncident) -> bool:
    return one.number is not None and one.phase is not Phase.DISMISSED


def _lives(one: StoredIncident) -> bool:
    return one.phase in (Phase.SUSPECTED, Phase.OPEN, Phase.RECOVERING)


def simulation_to_json(rehearsal: Simulation) -> Mapping[str, Any]:
    """The object that ``replay --channel --json`` prints."""
    return {
        "channel": rehearsal.channel,
        "fired": bool(rehearsal.notices),
        "notices": [
            {"at": rfc3339(notice.created_at), "type": notice.kind.value, **_said(notice)}
            for notice in rehearsal.notices
        ],
        "silent": [
            {"start": rfc3339(one.start), "title": one.title, "reason": reason}
            for one, reason in rehearsal.silent
        ],
    }


def _said(notice: Notice) -> dict[str, Any]:
    data = notice.body["data"]
    return {key: data[key] for key in ("incident", "title", "state", "sequence", "changed", "text")}


def simulation_lines(rehearsal: Simulation) -> Iterator[str]:
    """The same for a terminal."""
    number = len(rehearsal.notices)
    yield f"{number} notice{'s' * (number != 1)} to {rehearsal.channel}"
    for notice in rehearsal.notices:
        yield f"  {rfc3339(notice.created_at)} {notice.kind}: {one_line(notice.body['data']['title'], 200)}"
    for one, reason in rehearsal.silent:
        yield f"  nothing on the one of {rfc3339(one.start)}, {one_line(one.title, 200)}: {reason}"
