"""When time alone may change what is stored: never later than it does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.alerting.decide import GROUP_INTERVAL
from monitor.core.alerting.next_change import LOOK_AGAIN, next_change
from monitor.core.alerting.notice import Notice, NoticeKind
from monitor.core.incidents.derive import derive
from monitor.core.incidents.incident import Phase, StoredIncident
from monitor.core.incidents.reconcile import settled_at
from monitor.core.model import Outcome
from monitor.core.outages.history import INSTANT
from monitor.core.outages.rule import Rule
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import minutes, row
from tests.support.sample_incident import incident

REPEAT = timedelta(hours=1)
LONG_AGO = timedelta(hours=6)


def when(
    runs: list[Outcome],
    now: datetime,
    current: list[StoredIncident] | None = None,
    notices: list[Notice] | None = None,
) -> datetime:
    """The earliest moment for a history of one cell."""
    history = MemoryHistory(runs)
    derivation = derive(history, Rule(), now=now)
    return next_change(history, derivation, current or [], notices or [], REPEAT, now)


def an_old_one(now: datetime, phase: Phase = Phase.OPEN) -> StoredIncident:
    """An incident that began, opened and began to recover long before."""
    return replace(
        incident(phase), start=now - LONG_AGO, opened_at=now - LONG_AGO, recovering_at=now - LONG_AGO
    )


def notice(at: datetime) -> Notice:
    """One that was owed then."""
    return Notice(
        id="m", channel="oncall", incident_id="i", kind=NoticeKind.OPENED, sequence=1, created_at=at
    )


def test_where_nothing_is_wrong_it_is_looked_again_after_half_a_minute() -> None:
    """Whatever people or other processes have stored meanwhile is found by then."""
    now = minutes(5)
    assert when(row("....."), now) == now + LOOK_AGAIN


def test_what_is_young_is_looked_at_with_every_turn() -> None:
    """An incident of the last two minutes settles and gathers: nothing waits."""
    now = minutes(10)
    young = replace(an_old_one(now), start=now - timedelta(seconds=90), opened_at=now, recovering_at=None)
    assert when(row(".........."), now, [young]) == now
    assert when(row(".........."), now, [an_old_one(now)]) == now + LOOK_AGAIN


def test_it_is_resolved_as_soon_as_the_time_for_a_relapse_is_over() -> None:
    """The moment at which a closed window cannot be continued any more is not slept through."""
    runs = row(".FFFFF.....")
    history = MemoryHistory(runs)
    (closed,) = derive(history, Rule(), now=minutes(11)).incidents
    now = settled_at(closed) - timedelta(seconds=7)
    assert when(runs, now, [an_old_one(now, Phase.RECOVERING)]) == settled_at(closed) + INSTANT


def test_a_reminder_and_a_held_change_are_not_late() -> None:
    """After the group interval and after the repeat interval of the last notice."""
    now = minutes(10)
    for after in (GROUP_INTERVAL, REPEAT):
        told = notice(now - after + timedelta(seconds=11))
        expected = now + timedelta(seconds=11) + INSTANT
        assert when(row(".........."), now, [an_old_one(now)], [told]) == expected


def test_a_silence_of_what_is_looked_at_is_seen_when_it_becomes_a_gap() -> None:
    """Three intervals after the last run of a cell with a bad run under decision."""
    now = minutes(4) + timedelta(seconds=40)
    assert when(row(".FF"), now) == minutes(2) + timedelta(minutes=3) + INSTANT
