"""The life of incidents: what arrives bit by bit ends as what the whole history says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.incidents.codec import stored_incident_to_json
from monitor.core.incidents.derive import derive, settle
from monitor.core.incidents.incident import Derivation, Entry, EntryKind, Phase, StoredIncident
from monitor.core.incidents.reconcile import SETTLING, horizon, reconcile
from monitor.core.incidents.suspicions import suspicions, undecided
from monitor.core.model import Blame, Outcome
from monitor.core.outages.rule import Rule, rule_to_json
from tests.support.examples import examples
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import matrices, minutes, outcome, row, together

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

    def read(self, _: Sequence[Outcome]) -> MemoryHistory:
        """The history with the runs that were just added."""
        return MemoryHistory(self.outcomes)

    def add(self, outcomes: Iterable[Outcome], now: datetime | None = None) -> Derivation:
        """Store outcomes, and bring the incidents up to date as of *now* (else of the newest run)."""
        added = list(outcomes)
        self.outcomes += added
        history = self.read(added)
        at = now or max(one.started_at for one in self.outcomes)
        touched = min((one.started_at for one in added), default=None)
        stored, derivation = settle(history, RULE, now=at, touched=touched, stored_since=self.since)
        changes = reconcile(
            stored,
            derivation,
            suspicions(history, derivation, RULE, at),
            undecided=undecided(history, derivation, RULE, at),
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
            {**stored_incident_to_json(one), "number": 0, "phase": one.phase, "severity": one.severity}
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


@settings(max_examples=examples(150), deadline=None)
@given(matrices(most=40, interval=True), st.data())
def test_any_arrival_order_ends_as_the_whole_history_says(
    outcomes: list[Outcome], data: st.DataObject
) -> None:
    """Outcomes that arrive in any order and any portions end as the incidents of a replay of all.

    As of a minute later: until then an incident has its number or not by what was undecided at each look.
    """
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
    now = max(one.started_at for one in outcomes) + SETTLING
    ledger.add([], now)
    assert [_without_severity(one) for one in ledger.told()] == [
        _without_severity(one) for one in whole(outcomes, now)
    ]


def _without_severity(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "severity"}


def test_an_outage_is_lived_through_in_order() -> None:
    """Suspected, open, recovering, resolved: one incident, one entry for each turn, at its time."""
    ledger = Ledger()
    control = row("." * 40, model="b", start=minutes(0.1))
    for at, run in enumerate(row("." * 5 + "FFF" + "." * 20)):
        ledger.add([run, control[at]], now=minutes(at + 0.5))
    only = ledger.only()
    assert ledger.kinds() == [
        EntryKind.SUSPECTED,
        EntryKind.OPENED,
        EntryKind.RECOVERING,
        EntryKind.RESOLVED,
    ]
    assert [entry.at for entry in ledger.entries] == [minutes(5), minutes(7), minutes(12), minutes(22)]
    assert [entry.text for entry in ledger.entries] == [
        "azure-sweden/gpt-4o-transcribe/realtime from berlin: one run was bad at 2025-11-17T08:35:10Z",
        "gpt-4o-transcribe · realtime · swedencentral down since 08:35:10 UTC. Unaffected: b realtime 3/3.",
        "passing since 2025-11-17T08:38:10Z",
        "no relapse until 2025-11-17T08:52:10Z: safe to go back",
    ]
    assert (only.number, only.phase, only.start, only.end) == (1, Phase.RESOLVED, minutes(5), minutes(8))
    assert (only.opened_at, only.recovering_at, only.resolved_at) == (minutes(7), minutes(12), minutes(22))
    assert only.configurations == ("c1",)


def test_a_suspicion_that_comes_to_nothing_is_dismissed_without_a_number() -> None:
    """Five good runs after it; nothing was opened."""
    ledger = Ledger()
    for run in row(".F.F....."):
        ledger.add([run])
    assert ledger.kinds() == [EntryKind.SUSPECTED, EntryKind.DISMISSED]
    assert {one.number for one in ledger.incidents.values()} == {None}
    assert ledger.entries[-1].text == "came to nothing: what followed was good"


def test_a_relapse_reopens_the_same_incident() -> None:
    """Before the time is over the window goes on; also where both turns fell between two looks."""
    runs = row("." * 3 + "FFF" + "." * 8 + "FFF" + "." * 5)
    ledger = Ledger()
    for run in runs:
        ledger.add([run])
    assert EntryKind.RELAPSED in ledger.kinds()
    assert ledger.only().phase is Phase.RECOVERING
    assert ledger.only().number == 1
    asleep = Ledger()
    asleep.add(runs[:12])
    asleep.add(runs[12:])
    assert asleep.kinds() == [
        EntryKind.OPENED,
        EntryKind.RECOVERING,
        EntryKind.RELAPSED,
        EntryKind.RECOVERING,
    ]
    assert asleep.told() == ledger.told()


def test_nothing_new_is_no_change_and_a_count_is_no_entry() -> None:
    """Looking again changes nothing; one more failed run moves the counts and says nothing."""
    ledger = Ledger()
    ledger.add(row("." * 3 + "FFF"))
    before = dict(ledger.incidents)
    ledger.add([], now=minutes(5))
    assert ledger.incidents == before
    ledger.add(row("F", start=minutes(6)))
    assert ledger.kinds() == [EntryKind.OPENED]
    assert ledger.only().diagnosis.windows[0].failed == 4


def test_a_neighbour_that_joins_is_an_update() -> None:
    """Its first bad run makes it no control any more; then its suspicion joins, and the severity rises."""
    ledger = Ledger()
    healthy = row("." * 8, endpoint="us", region="eastus")
    ledger.add(together(row("..FFF"), row(".....", model="b"), healthy))
    ledger.add(row("F", model="b", start=minutes(5)))
    ledger.add(row("FF", model="b", start=minutes(6)))
    assert ledger.kinds() == [
        EntryKind.OPENED,
        EntryKind.UPDATED,
        EntryKind.SUSPECTED,
        EntryKind.UPDATED,
        EntryKind.DISMISSED,
    ]
    texts = [entry.text for entry in ledger.entries]
    assert texts[1] == "scope is now azure-sweden"
    assert texts[3] == "also affected: azure-sweden/b/realtime; severity rose to critical"
    assert texts[4] == "joined incident 1"
    assert ledger.only().number == 1


def test_late_outcomes_correct_what_is_stored() -> None:
    """An earlier beginning, another blame, a later end of what was resolved: each is said."""
    ledger = Ledger()
    ledger.add(row("FFF" + "." * 30, start=minutes(60)))
    assert ledger.only().blame is Blame.ACCOUNT
    ledger.add(row(".F", start=minutes(58)))
    assert ledger.entries[-1].kind is EntryKind.UPDATED
    assert ledger.entries[-1].text == (
        "blame is now provider, was account: same configuration passed 1/1 in 24 h; no change recorded; "
        "began 2025-11-17T09:29:10Z, not 2025-11-17T09:30:10Z; severity rose to major"
    )
    ledger.add([], now=minutes(200))
    ledger.add([outcome(minutes(63.5), "F")], now=minutes(200))
    assert [entry.text for entry in ledger.entries[-4:-1]] == [
        "ended 2025-11-17T09:34:10Z, not 2025-11-17T09:33:10Z",
        "failing again, last at 2025-11-17T09:33:40Z",
        "passing since 2025-11-17T09:34:10Z",
    ]


def test_late_good_outcomes_can_unmake_an_incident() -> None:
    """What the outcomes no longer bear out is dismissed, its number stays its own."""
    ledger = Ledger()
    ledger.add(row(".") + row("F.F.F", start=minutes(1)))
    assert ledger.only().number == 1
    ledger.add(row("...", start=minutes(2.5), step=1))
    assert ledger.kinds()[-2:] == [EntryKind.SUSPECTED, EntryKind.DISMISSED]
    assert ledger.entries[-1].text == "no longer borne out by the outcomes on record"
    (dismissed,) = (one for one in ledger.incidents.values() if one.number == 1)
    assert dismissed.phase is Phase.DISMISSED
    assert dismissed.open is False


def test_two_stories_that_become_one_join() -> None:
    """Late failures close the time between two windows: the earlier number stays, the other joins it."""
    ledger = Ledger()
    ledger.add(row("FFF" + "." * 30 + "FFF....."))
    assert {one.number for one in ledger.incidents.values()} == {1, 2}
    for begin in (12.3, 25.3):
        ledger.add([outcome(minutes(begin + late), "F") for late in (0, 0.3, 1, 1.3)])
    assert ledger.only().number == 1
    assert ledger.entries[-1].text == "joined incident 1"
    (joined,) = (one for one in ledger.incidents.values() if one.number == 2)
    assert joined.diagnosis.joined == 1


def test_the_severity_falls_only_on_resolution() -> None:
    """A whole region that recovers in part stays critical until all is over."""
    healthy = row("." * 60, endpoint="us", region="eastus", start=minutes(0.2))
    first, second = row("..FFF" + "." * 40), row("..FFF" + "F" * 8 + "." * 32, model="b")
    ledger = Ledger()
    ledger.add([*first[:5], *second[:5], *healthy[:5]])
    assert ledger.only().severity == "critical"
    for at in range(5, 45):
        ledger.add([first[at], second[at], healthy[at]])
    assert ledger.only().phase is Phase.RESOLVED


def test_what_is_resolved_and_out_of_reach_is_left_alone() -> None:
    """A derivation that begins later does not unmake what ended before it."""
    ledger = Ledger()
    ledger.add(row("." * 3 + "FFF" + "." * 60))
    (stored,) = ledger.incidents.values()
    history = MemoryHistory(ledger.outcomes)
    later = derive(history, RULE, now=minutes(65), since=minutes(60))
    changes = reconcile(
        [stored],
        later,
        (),
        undecided={},
        now=minutes(65),
        rule_json={},
        next_number=lambda: 2,
        new_id=lambda: "x",
    )
    assert changes == []


def test_the_horizon_lies_outside_what_it_reaches() -> None:
    """Nothing stored: where runs were added, else now. An incident is taken whole; no run, no horizon."""
    ledger = Ledger()
    ledger.add(row("." * 3 + "FFF" + "." * 60))
    stored = list(ledger.incidents.values())
    history = MemoryHistory(ledger.outcomes)
    assert horizon([], history, minutes(99)) == minutes(99)
    assert horizon([], history, minutes(99), touched=minutes(50)) == minutes(50)
    assert horizon(stored, history, minutes(99), touched=minutes(50)) == minutes(50)
    assert horizon(stored, history, minutes(99), touched=minutes(10)) == minutes(3)
    assert horizon(stored, MemoryHistory([]), minutes(99)) is None


def test_a_later_now_resolves_without_a_run() -> None:
    """Time alone ends the wait for a relapse."""
    ledger = Ledger()
    ledger.add(row("." * 3 + "FFF....."))
    assert ledger.only().phase is Phase.RECOVERING
    ledger.add([], now=minutes(10) + timedelta(hours=1))
    assert ledger.only().phase is Phase.RESOLVED


def test_a_control_is_counted_anew_when_its_runs_turn_out_to_be_masked() -> None:
    """A second endpoint out of reach makes the dark stretch of the first a blind span, also in the past."""
    ledger = Ledger()
    trouble = row("..FFF" + "." * 30, location="paris")
    ledger.add([*trouble, *row("....CC", start=minutes(0.5))])
    ledger.add([], now=minutes(50))
    ledger.add(row("C", start=minutes(48), endpoint="openai-us"), now=minutes(50))
    assert ledger.told() == whole(ledger.outcomes, minutes(50))


def told_ahead(marks: str = "....FFFFF") -> tuple[Ledger, StoredIncident]:
    """An outage that was told when the clock was ahead: its runs begin at minute 60."""
    ledger = Ledger()
    ledger.add(row(marks, start=minutes(60)))
    ledger.add([], minutes(70))
    (incident,) = (one for one in ledger.incidents.values() if one.number)
    return ledger, incident


@pytest.mark.parametrize("back_to", [55, 30, 65, 66])
def test_an_outage_stays_one_where_the_clock_is_set_back_behind_it(back_to: int) -> None:
    """It is not withdrawn while its runs lie ahead, and what fails meanwhile in its cell is its own."""
    ledger, told = told_ahead()
    for minute in range(back_to, back_to + 8):
        ledger.add(row("F", start=minutes(minute + 0.5), id=f"again-{minute}"), minutes(minute + 0.6))
        assert ledger.incidents[told.id].phase is Phase.OPEN
    assert [one.id for one in ledger.incidents.values() if one.number] == [told.id]
    assert ledger.incidents[told.id].start == min(told.start, minutes(back_to + 0.5))
    assert not [
        one for one in ledger.entries if one.kind is EntryKind.DISMISSED and one.incident_id == told.id
    ]


def test_what_lies_ahead_waits_for_the_clock_to_reach_it() -> None:
    """Nothing fails meanwhile, elsewhere something does: that is an incident of its own."""
    ledger, told = told_ahead()
    ledger.add(row("..FFF", start=minutes(20), pathway="rest"), minutes(25))
    ledger.add([], minutes(40))
    assert ledger.incidents[told.id] == told
    numbered = [one for one in ledger.incidents.values() if one.number]
    assert [one.number for one in sorted(numbered, key=lambda one: one.number or 0)] == [1, 2]
    ledger.add(row("." * 12, start=minutes(70)), minutes(82))
    assert ledger.incidents[told.id].phase is not Phase.OPEN


def test_what_was_over_is_no_news_again_where_it_lies_ahead() -> None:
    """A recovery that was told stays one, for the runs that closed it are on record."""
    ledger, told = told_ahead("..FFF......")
    assert told.phase is Phase.RECOVERING
    ledger.add(row(".", start=minutes(30), id="again"), minutes(32))
    assert ledger.incidents[told.id].phase is Phase.RECOVERING
