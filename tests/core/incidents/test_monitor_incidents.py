"""What the owner alone is told: how darkness and instability become incidents, and end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import pytest

from monitor.core.diagnosis.diagnose import Severity
from monitor.core.incidents.derive import derive
from monitor.core.incidents.incident import Change, EntryKind, IncidentKind, Phase, StoredIncident
from monitor.core.incidents.monitor_incidents import (
    BLIND_MERGE,
    UNSTABLE_MOST,
    MonitorIncidents,
    MonitorProblem,
    blind_troubles,
    unstable_troubles,
)
from monitor.core.model import Blame, Cell, State
from monitor.core.outages.rule import Rule
from monitor.core.outages.self_observations import BlindSpan
from monitor.core.outages.windows import Window
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import T0, minutes, row, together

CELL = Cell("azure-sweden", "gpt-4o-transcribe", "realtime", "berlin")


def dark(start: float, end: float, *, lasting: bool = False, cell: Cell | None = None) -> BlindSpan:
    """A blind span between two minutes."""
    return BlindSpan(
        location="berlin",
        start=minutes(start),
        end=minutes(end),
        reason="nothing was reachable: a, b",
        cell=cell,
        lasting=lasting,
    )


def window(start: datetime, cell: Cell = CELL, state: State = State.DOWN) -> Window:
    """A closed window of five minutes."""
    end = start + timedelta(minutes=5)
    return Window(
        cell=cell,
        state=state,
        start=start,
        start_after=None,
        end=end,
        end_after=end,
        failed=5,
        total=5,
        open=False,
        decided_at=start,
        closed_at=end,
        continues_until=end,
        first_id="a",
        last_id="b",
    )


def flapping(openings: int) -> list[Window]:
    """So many windows, half an hour apart."""
    return [window(minutes(30 * number)) for number in range(openings)]


@dataclass(slots=True)
class Ledger:
    """A store that keeps the owner's incidents in memory."""

    incidents: dict[str, StoredIncident] = field(default_factory=dict)
    kinds: list[EntryKind] = field(default_factory=list)
    ids: count[int] = field(default_factory=lambda: count(1))
    numbers: count[int] = field(default_factory=lambda: count(1))

    def bring(
        self, troubles: Sequence[MonitorProblem], now: datetime, since: datetime | None = None
    ) -> list[Change]:
        """Bring the incidents up to date."""
        desk = MonitorIncidents(
            now=now,
            since=since,
            rule={},
            next_number=lambda: next(self.numbers),
            new_id=lambda: f"i{next(self.ids)}",
        )
        changes = desk.reconcile(list(self.incidents.values()), troubles)
        for change in changes:
            self.incidents[change.incident.id] = change.incident
            self.kinds += [entry.kind for entry in change.entries]
        return changes

    def only(self) -> StoredIncident:
        """The one there is."""
        (one,) = self.incidents.values()
        return one


def test_a_blind_location_is_told_while_it_lasts_recovers_and_is_over() -> None:
    """One incident of the lowest severity, numbered, blamed on the monitor, with the end of the darkness."""
    ledger = Ledger()
    ledger.bring(blind_troubles([dark(0, 2, lasting=True)], minutes(3)), minutes(3))
    one = ledger.only()
    assert (one.kind, one.number, one.phase) == (IncidentKind.BLIND, 1, Phase.OPEN)
    assert (one.severity, one.blame, one.end) == (Severity.NOTICE, Blame.MONITOR, None)
    assert one.title == "berlin blind since 08:30:10 UTC: nothing was reachable: a, b"
    ledger.bring(blind_troubles([dark(0, 9)], minutes(9)), minutes(9))
    assert (ledger.only().phase, ledger.only().end) == (Phase.RECOVERING, minutes(9))
    after = minutes(9.1) + BLIND_MERGE
    ledger.bring(blind_troubles([dark(0, 9)], after), after)
    assert (ledger.only().phase, ledger.only().resolved_at) == (Phase.RESOLVED, minutes(9) + BLIND_MERGE)
    assert ledger.kinds == [EntryKind.OPENED, EntryKind.RECOVERING, EntryKind.RESOLVED]


def test_while_nothing_changes_nothing_is_written() -> None:
    """A turn of the clock inside lasting darkness gives no change."""
    ledger = Ledger()
    for minute in (3, 4, 50):
        changes = ledger.bring(blind_troubles([dark(0, 2, lasting=True)], minutes(minute)), minutes(minute))
        assert bool(changes) == (minute == 3)


def test_darkness_that_comes_back_soon_is_the_same_incident() -> None:
    """Within 15 minutes it goes on; later it is another one."""
    ledger = Ledger()
    ledger.bring(blind_troubles([dark(0, 5)], minutes(6)), minutes(6))
    again = [dark(0, 5), dark(15, 16, lasting=True)]
    ledger.bring(blind_troubles(again, minutes(17)), minutes(17))
    assert (ledger.only().phase, ledger.only().start) == (Phase.OPEN, minutes(0))
    assert ledger.kinds[-1] is EntryKind.RELAPSED
    later = [dark(0, 5), dark(40, 45)]
    assert [one.start for one in blind_troubles(later, minutes(46))] == [minutes(0), minutes(40)]


@pytest.mark.parametrize(("start", "end", "told"), [(0, 0.9, 0), (0, 1, 1), (0, 30, 1)])
def test_a_blink_is_not_told(start: float, end: float, told: int) -> None:
    """From a minute of darkness on."""
    assert len(blind_troubles([dark(start, end)], minutes(60))) == told


def test_a_lasting_span_counts_up_to_now() -> None:
    """Two runs 20 s apart that measured nothing are a minute of darkness a minute later."""
    span = dark(0, 0.4, lasting=True)
    assert blind_troubles([span], minutes(0.5)) == []
    assert len(blind_troubles([span], minutes(1))) == 1


def test_a_target_that_alone_is_not_measured_is_named() -> None:
    """It stands for itself until another one, or the whole location, goes dark as well."""
    (alone,) = blind_troubles([dark(0, 5, cell=CELL)], minutes(7))
    assert (alone.subject, alone.affected) == (f"{CELL.target} from berlin", (CELL.target,))
    (both,) = blind_troubles([dark(0, 5, cell=CELL), dark(2, 6)], minutes(7))
    assert (both.subject, both.scope) == ("berlin", alone.scope)


def test_a_thousand_targets_that_go_dark_together_are_one_incident() -> None:
    """Nobody is told a thousand times."""
    cells = [CELL._replace(model=f"m{number:04d}") for number in range(1000)]
    ledger = Ledger()
    ledger.bring(blind_troubles([dark(0, 5, cell=cell) for cell in cells], minutes(6)), minutes(6))
    assert len(ledger.only().diagnosis.affected) == 1000
    assert len(ledger.only().diagnosis.spans) == 1


def test_what_is_over_before_anybody_was_told_begins_no_incident() -> None:
    """The darkness of an old import is no news."""
    ledger = Ledger()
    assert ledger.bring(blind_troubles([dark(0, 5)], minutes(60)), minutes(60)) == []


def test_darkness_that_the_outcomes_no_longer_bear_out_is_dismissed() -> None:
    """A late run that measured takes it back; what lies before the derivation is left alone."""
    ledger = Ledger()
    ledger.bring(blind_troubles([dark(0, 5)], minutes(6)), minutes(6))
    assert ledger.bring([], minutes(7), since=minutes(5)) == []
    ledger.bring([], minutes(8), since=minutes(0))
    assert ledger.only().phase is Phase.DISMISSED
    assert ledger.only().diagnosis.dismissed == "no longer borne out by the outcomes on record"
    assert ledger.bring([], minutes(9)) == []


@pytest.mark.parametrize("openings", [UNSTABLE_MOST, UNSTABLE_MOST + 1])
def test_a_target_is_unstable_above_six_openings_in_a_day(openings: int) -> None:
    """Only its windows of downtime count."""
    slow = [window(minutes(number), state=State.DEGRADED) for number in range(20)]
    troubles = unstable_troubles([*flapping(openings), *slow], minutes(600))
    assert len(troubles) == (openings > UNSTABLE_MOST)


def test_openings_leave_the_count_a_day_later() -> None:
    """And windows of other targets are never added up."""
    day = timedelta(days=1)
    assert unstable_troubles(flapping(7), T0 + day - timedelta(seconds=1))
    assert not unstable_troubles(flapping(7), T0 + day)
    spread = [window(minutes(30 * number), CELL._replace(model=f"m{number}")) for number in range(9)]
    assert not unstable_troubles(spread, minutes(600))


def test_an_unstable_target_has_one_incident_that_ends_when_it_is_calm() -> None:
    """It keeps its beginning while its first windows leave the last 24 hours; then it is resolved, once."""
    ledger = Ledger()
    ledger.bring(unstable_troubles(flapping(7), minutes(200)), minutes(200))
    one = ledger.only()
    assert (one.kind, one.phase, one.severity) == (IncidentKind.UNSTABLE, Phase.OPEN, Severity.NOTICE)
    assert one.title.startswith(f"{CELL.target} from berlin unstable since 08:30:10 UTC: down more than 6")
    later = minutes(24 * 60 + 60)
    ledger.bring(unstable_troubles(flapping(12), later), later)
    assert (ledger.only().start, ledger.only().phase) == (T0, Phase.OPEN)
    calm = minutes(60 * 48)
    ledger.bring(unstable_troubles(flapping(12), calm), calm)
    assert (ledger.only().phase, ledger.only().resolved_at) == (Phase.RESOLVED, calm)
    assert ledger.bring([], calm + timedelta(days=1)) == []
    assert ledger.kinds == [EntryKind.OPENED, EntryKind.RESOLVED]


def test_a_restart_changes_nothing() -> None:
    """Stored incidents and the same troubles give no change, whoever asks."""
    ledger = Ledger()
    troubles = [*blind_troubles([dark(0, 5)], minutes(6)), *unstable_troubles(flapping(7), minutes(200))]
    ledger.bring(troubles, minutes(6))
    assert ledger.bring(troubles, minutes(6)) == []
    assert sorted(one.number or 0 for one in ledger.incidents.values()) == [1, 2]


def test_a_derivation_says_which_darkness_lasts() -> None:
    """A stretch of inconclusive runs, and one in which nothing was reachable; over with the next good run."""
    history = MemoryHistory(row("..???"))
    (span,) = derive(history, Rule(), now=minutes(5)).unmeasured
    assert (span.cell, span.lasting, span.start) == (CELL, True, minutes(2))
    (span,) = derive(MemoryHistory(row("..???.")), Rule(), now=minutes(6)).unmeasured
    assert (span.lasting, span.end) == (False, minutes(5))
    both = together(row("..CCC"), row("..CCC", endpoint="other"))
    (span,) = derive(MemoryHistory(both), Rule(), now=minutes(5)).unmeasured
    assert (span.cell, span.lasting) == (None, True)


def test_a_stretch_is_known_whole_however_little_is_read() -> None:
    """Reading from its last run on finds its beginning."""
    history = MemoryHistory(row("." * 20 + "?" * 30))
    now = minutes(49)
    (whole,) = derive(history, Rule(), now=now).unmeasured
    (part,) = derive(history, Rule(), now=now, since=minutes(48.5)).unmeasured
    assert part == whole
    assert (whole.start, whole.end) == (minutes(20), minutes(49))
