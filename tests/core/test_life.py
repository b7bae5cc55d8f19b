"""The life of incidents: what arrives bit by bit ends as what the whole history says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.history import MemoryHistory
from monitor.core.incidents import Derivation, Entry, EntryKind, Phase, StoredIncident
from monitor.core.life import horizon, reconcile
from monitor.core.model import Blame, Outcome
from monitor.core.replay import derive, settle
from monitor.core.standing import suspicions
from monitor.core.windows import Rule, rule_to_json
from tests.core.scenes import matrices, minutes, outcome, row, together

RULE = Rule()


@dataclass(slots=True)
class Ledger:
    """A store that keeps incidents and entries in memory, and derives only as far back as it must."""

    outcomes: list[Outcome] = field(default_factory=list)
    incidents: dict[str, StoredIncident] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: count(1))
    ids: Any = field(default_factory=lambda: count(1))

    def since(self, instant: datetime) -> list[StoredIncident]:
        """The unresolved incidents, and those resolved at or after an instant."""
        return [
            one
            for one in self.incidents.values()
            if one.phase in (Phase.SUSPECTED, Phase.OPEN, Phase.RECOVERING)
            or (one.phase is Phase.RESOLVED and one.resolved_at is not None and one.resolved_at >= instant)
        ]

    def add(self, outcomes: Iterable[Outcome], now: datetime | None = None) -> Derivation:
        """Store outcomes, and bring the incidents up to date as of *now* (else of the newest run)."""
        added = list(outcomes)
        self.outcomes += added
        history = MemoryHistory(self.outcomes)
        newest = max(one.started_at for one in self.outcomes)
        at = now or newest
        touched = min((one.started_at for one in added), default=None)
        stored, derivation = settle(history, RULE, now=at, touched=touched, stored_since=self.since)
        changes = reconcile(
            stored,
            derivation,
            suspicions(history, derivation, RULE, at),
            now=at,
            rule_json=rule_to_json(RULE),
            next_number=lambda: next(self.numbers),
            new_id=lambda: f"i{next(self.ids)}",
        )
        for change in changes:
            self.incidents[change.incident.id] = change.incident
            self.entries += change.entries
        return derivation

    def told(self) -> list[dict[str, Any]]:
        """The documents of the numbered incidents that stand, without their numbers, in order."""
        documents = [
            {**one.document, "number": 0, "phase": one.phase, "severity": one.severity}
            for one in self.incidents.values()
            if one.number is not None and one.phase is not Phase.DISMISSED
        ]
        return sorted(documents, key=lambda one: (one["start"], one["title"], str(one["windows"])))

    def kinds(self) -> list[EntryKind]:
        """What the timeline's lines say, in the order in which they were written."""
        return [entry.kind for entry in self.entries]

    def only(self) -> StoredIncident:
        """The one incident that stands."""
        (one,) = (one for one in self.incidents.values() if one.phase is not Phase.DISMISSED)
        return one


def whole(outcomes: Sequence[Outcome], now: datetime) -> list[dict[str, Any]]:
    """What one reconciliation over the whole history tells."""
    ledger = Ledger()
    ledger.add(outcomes, now)
    return ledger.told()


@settings(max_examples=150, deadline=None)
@given(matrices(most=40, interval=True), st.data())
def test_any_arrival_order_ends_as_the_whole_history_says(
    outcomes: list[Outcome], data: st.DataObject
) -> None:
    """Outcomes that arrive in any order and any portions end as the incidents of a replay of all."""
    if not outcomes:
        return
    arriving = sorted(outcomes, key=lambda one: one.started_at)
    if data.draw(st.booleans()):
        arriving = list(data.draw(st.permutations(arriving)))
    ledger = Ledger()
    while arriving:
        size = data.draw(st.integers(1, 12))
        ledger.add(arriving[:size])
        arriving = arriving[size:]
    now = max(one.started_at for one in outcomes)
    ledger.add([], now)
    assert [_without_severity(one) for one in ledger.told()] == [
        _without_severity(one) for one in whole(outcomes, now)
    ]


def _without_severity(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "severity"}
