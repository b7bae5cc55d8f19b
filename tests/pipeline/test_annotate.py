"""What people add is stored, and brings the verdict up to date."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitor.core.alerting.notice import NoticeKind
from monitor.core.errors import NotFound
from monitor.core.incidents.incident import EntryKind, Phase
from monitor.core.outages.maintenance import Maintenance
from monitor.core.outages.marks import Mark
from monitor.pipeline.annotate import append_entry, enter_maintenance, note_mark
from monitor.store.database.engine import Database
from monitor.store.incidents.incidents import read_entries, read_opinions
from tests.pipeline.test_derive import deliver_all
from tests.support.recorded_minutes import HOUSE, MINUTE, Stretch
from tests.support.stored_outcomes import make


def test_a_late_mark_is_named_by_the_incident_it_lies_near(database: Database) -> None:
    """Also after it is resolved; what is stored stays what a replay says, and the timeline tells it."""
    stretch = Stretch(database)
    stretch.fail("." * 10 + "xxx" + "." * 40)
    assert stretch.phases() == [Phase.RESOLVED]
    assert stretch.incident().diagnosis.nearby.marks == ()
    at = stretch.incident().start - 2 * MINUTE
    stored = note_mark(database, HOUSE, Mark(at, "deployed 4.2", "ann"), now=stretch.now)
    found = stretch.incident()
    assert stored.id is not None
    assert [mark.text for mark in found.diagnosis.nearby.marks] == ["deployed 4.2"]
    assert "deployed 4.2" in found.diagnosis.blame_reason
    stretch.check_agreement(stretch.now)
    with database.read() as tx:
        assert "near its start: 'deployed 4.2'" in read_entries(tx, found.id)[-1].text


def test_a_mark_far_away_changes_nothing(sqlite_database: Database) -> None:
    """It is stored all the same."""
    stretch = Stretch(sqlite_database)
    stretch.fail("." * 10 + "xxx")
    before = stretch.incident()
    note_mark(sqlite_database, HOUSE, Mark(before.start - timedelta(hours=1), "x", "ann"), now=stretch.now)
    assert stretch.incident().diagnosis == before.diagnosis


def test_an_acknowledged_incident_is_not_repeated_but_its_end_is_told(sqlite_database: Database) -> None:
    """Hourly reminders stop; recovering and resolved never do."""
    stretch = Stretch(sqlite_database)
    stretch.fail("." * 10 + "xxx")
    deliver_all(stretch)
    append_entry(sqlite_database, 1, "acknowledged", "", "ann", now=stretch.now)
    stretch.fail("x" * 130)
    assert [notice.kind for notice in stretch.notices()] == [NoticeKind.OPENED]
    for letters in ("." * 6, "." * 30):
        stretch.fail(letters)
        deliver_all(stretch)
    kinds = [notice.kind for notice in stretch.notices()]
    assert kinds == [NoticeKind.OPENED, NoticeKind.RECOVERING, NoticeKind.RESOLVED]


def test_a_reclassified_blame_is_told_and_the_computed_one_stays(sqlite_database: Database) -> None:
    """The change is news; the stored incident keeps what was computed."""
    stretch = Stretch(sqlite_database)
    stretch.fail("." * 10 + "xxx")
    deliver_all(stretch)
    append_entry(sqlite_database, 1, "reclassified", "ours", "ann", now=stretch.now, blame="account")
    stretch.fail("x" * 8)
    told = stretch.notices()[-1].body["data"]
    assert (told["blame"], told["changed"]) == ("account", ["blame account (was provider)"])
    assert "Looks like: our account" in told["text"]
    assert stretch.incident().blame == "provider"
    assert stretch.entries()[-1] is EntryKind.RECLASSIFIED
    with sqlite_database.read() as tx:
        found = read_opinions(tx, [stretch.incident().id, "other"])
        assert list(found) == [stretch.incident().id]
    stretch.check_agreement(stretch.now - MINUTE)


def test_an_entry_needs_its_incident_and_a_restart_keeps_it(sqlite_database: Database) -> None:
    """Nothing is appended to what is not there; another house decides by the same rows."""
    with pytest.raises(NotFound):
        append_entry(sqlite_database, 7, "note", "x", "ann", now=Stretch(sqlite_database).now)
    stretch = Stretch(sqlite_database)
    stretch.fail("." * 10 + "xxx")
    deliver_all(stretch)
    append_entry(sqlite_database, 1, "acknowledged", "", "ann", now=stretch.now)
    again = Stretch(sqlite_database, house=replace(HOUSE), minute=stretch.minute)
    again.fail("x" * 70)
    assert len(again.notices()) == 1


def plan(begin: int, end: int, **more: Any) -> Maintenance:
    """Maintenance from some minute of the day to another."""
    return Maintenance(name="m", start=make(begin).slot, end=make(end).slot, **more)


def test_an_outage_inside_planned_maintenance_wakes_nobody(database: Database) -> None:
    """No suspicion, no incident, no notice; behind it the same failures are an incident."""
    stretch = Stretch(database)
    stretch.fail("." * 10)
    enter_maintenance(database, HOUSE, [plan(11, 20)], now=stretch.now)
    stretch.fail("." + "x" * 9)
    assert (stretch.incidents(), stretch.notices()) == ((), ())
    stretch.fail("xxx")
    assert stretch.incident().start == make(20).started_at
    stretch.check_agreement(stretch.now - MINUTE)


def test_maintenance_that_is_entered_late_changes_nothing_unless_it_is_named_so(
    sqlite_database: Database,
) -> None:
    """What began before counts; named retroactive it unmakes the incident."""
    stretch = Stretch(sqlite_database)
    stretch.fail("." * 10 + "xxx" + "." * 30)
    late = plan(5, 20)
    enter_maintenance(sqlite_database, HOUSE, [late], now=stretch.now)
    stretch.turn(seconds=5)
    assert stretch.phases() == [Phase.RESOLVED]
    named = replace(late, retroactive=True)
    enter_maintenance(sqlite_database, HOUSE, [named], now=stretch.now)
    assert stretch.phases() == [Phase.DISMISSED]
