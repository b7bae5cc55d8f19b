from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import select, update

from monitor.core.diagnosis.diagnose import Severity
from monitor.core.errors import NotFound
from monitor.core.incidents.codec import incident_to_column
from monitor.core.incidents.incident import Diagnosis, Entry, EntryKind, Phase, StoredIncident
from monitor.core.model import Blame, State
from monitor.core.outages.windows import Window
from monitor.store.database.engine import Database
from monitor.store.database.migrate import migrate
from monitor.store.database.tables import incidents, windows
from monitor.store.incidents.incidents import (
    add_entries,
    next_number,
    read_entries,
    read_incident,
    read_incidents_since,
    read_numbered_incidents,
    read_unresolved_incidents,
    read_windows,
    replace_windows,
    save_incident,
)
from monitor.store.outcomes.add import add_outcomes
from tests.support.stored_outcomes import DAY, MINUTE, make


def an_incident(number: int | None = 1, **changes: Any) -> StoredIncident:
    """An open incident under a stable id."""
    known = StoredIncident(
        id=f"inc-{number}",
        number=number,
        phase=Phase.OPEN,
        severity=Severity.CRITICAL,
        blame=Blame.PROVIDER,
        title="gpt-4o-transcribe · realtime down",
        start=DAY + (number or 0) * MINUTE,
        end=None,
        opened_at=DAY,
        recovering_at=None,
        resolved_at=None,
        updated_at=DAY,
        rule={"down": {"bad": 3}},
        configurations=("9f2c",),
        diagnosis=Diagnosis(subject="gpt-4o-transcribe", blame_reason="no failed run says why"),
    )
    return replace(known, **changes)


def test_an_incident_of_an_earlier_version_keeps_its_subject(database: Database) -> None:
    """Until 0009 it was cut out of the title; the migration writes it down, and reads nothing else anew."""
    stored = an_incident(title="whisper-1 · rest was down 08:30:10–09:00:10 UTC. Unaffected: …")
    other = an_incident(2, title="no word of a state", diagnosis=Diagnosis(affected=("a/b/c",)))
    with database.write() as tx:
        for one in (stored, other):
            save_incident(tx, one)
            kept = {key: value for key, value in incident_to_column(one).items() if key != "subject"}
            tx.execute(update(incidents).where(incidents.c.id == one.id).values(document=kept))
    migrate(database, "0008")
    migrate(database)
    with database.read() as tx:
        found = replace(stored.diagnosis, subject="whisper-1 · rest")
        assert read_incident(tx, 1) == replace(stored, diagnosis=found)
        assert read_incident(tx, 2).diagnosis.subject == "a · b · c"


def a_window(minute: int, **changes: Any) -> Window:
    """A closed window that began at that minute of the day."""
    start = DAY + minute * MINUTE
    known = Window(
        cell=make(0).cell,
        state=State.DOWN,
        start=start,
        start_after=start - MINUTE,
        end=start + 10 * MINUTE,
        end_after=start + 9 * MINUTE,
        failed=10,
        total=10,
        open=False,
        decided_at=start + 2 * MINUTE,
        closed_at=start + 14 * MINUTE,
        continues_until=start + 24 * MINUTE,
        first_id="run-1",
        last_id="run-2",
    )
    return replace(known, **changes)


def test_incidents_are_numbered_one_by_one(database: Database) -> None:
    """Numbers begin at 1 and follow the highest; a suspicion has none."""
    with database.write() as tx:
        assert next_number(tx) == 1
        save_incident(tx, an_incident(None))
        assert next_number(tx) == 1
        save_incident(tx, an_incident(7))
        assert next_number(tx) == 8


def test_an_incident_is_read_back_and_changed(database: Database) -> None:
    """Saving under a stored id replaces the value; everything it holds is read back."""
    resolved = an_incident(phase=Phase.RESOLVED, end=DAY + timedelta(hours=7), resolved_at=DAY)
    with database.write() as tx:
        save_incident(tx, an_incident())
        assert read_incident(tx, 1) == an_incident()
        save_incident(tx, resolved)
        assert read_incident(tx, 1) == resolved


def test_unknown_incidents_are_told(database: Database) -> None:
    """Asking for a number that nobody has says so."""
    with database.read() as tx, pytest.raises(NotFound, match="there is no incident 4"):
        read_incident(tx, 4)


def test_only_what_is_unresolved_goes_on(database: Database) -> None:
    """Suspected, open and recovering incidents are unresolved; resolved and dismissed ones are not."""
    phases = list(Phase)
    with database.write() as tx:
        for number, phase in enumerate(phases, start=1):
            save_incident(tx, an_incident(number, phase=phase))
        assert [one.phase for one in read_unresolved_incidents(tx)] == phases[:3]


def test_incidents_are_paged_by_number(database: Database) -> None:
    """The newest number comes first; a page begins below the number where the last one ended."""
    with database.write() as tx:
        for number in range(1, 6):
            save_incident(tx, an_incident(number))
        save_incident(tx, an_incident(None))
        pages = [read_numbered_incidents(tx, limit=2), read_numbered_incidents(tx, limit=2, before=4)]
    assert [[one.number for one in page] for page in pages] == [[5, 4], [3, 2]]


def test_the_timeline_is_read_in_order(database: Database) -> None:
    """Entries come back by time, those of one instant in the order in which they were written."""
    written = [
        Entry(incident_id="inc-1", at=DAY + MINUTE, kind=EntryKind.OPENED, text="open"),
        Entry(incident_id="inc-1", at=DAY + MINUTE, kind=EntryKind.NOTIFIED, text="told", author="anna"),
        Entry(incident_id="inc-1", at=DAY, kind=EntryKind.SUSPECTED, text="suspected"),
    ]
    with database.write() as tx:
        save_incident(tx, an_incident())
        add_entries(tx, written)
        add_entries(tx, [])
        assert read_entries(tx, "inc-1") == (written[2], written[0], written[1])
        assert read_entries(tx, "inc-2") == ()


def test_windows_are_replaced_from_an_instant_on(database: Database) -> None:
    """What starts at or after the instant becomes exactly what was derived; what is earlier stays."""
    early, changed, gone, new = (a_window(minute) for minute in (0, 60, 120, 180))
    relapsed = replace(changed, end=None, open=True, failed=12, total=14)
    with database.write() as tx:
        add_outcomes(tx, [(make(0), None)])
        save_incident(tx, an_incident())
        replace_windows(tx, None, [(early, None), (changed, None), (gone, "inc-1")])
        assert read_windows(tx) == (early, changed, gone)
        replace_windows(tx, changed.start, [(relapsed, "inc-1"), (new, "inc-1")])
        assert read_windows(tx) == (early, relapsed, new)
        belongs = select(windows.c.start).where(windows.c.incident_id == "inc-1")
        assert set(tx.execute(belongs).scalars()) == {relapsed.start, new.start}
        replace_windows(tx, None, [])
        assert read_windows(tx) == ()


def test_windows_of_a_stretch_touch_it(database: Database) -> None:
    """A stretch has the windows that reach into it: open ones too, none that begin at its end."""
    closed, still_open = a_window(0), a_window(60, end=None, open=True)
    with database.write() as tx:
        add_outcomes(tx, [(make(0), None)])
        replace_windows(tx, None, [(closed, None), (still_open, None)])
        assert read_windows(tx, since=DAY + 11 * MINUTE) == (still_open,)
        assert read_windows(tx, until=DAY + 60 * MINUTE) == (closed,)
        assert read_windows(tx, DAY + 5 * MINUTE, DAY + 600 * MINUTE) == (closed, still_open)


def test_what_is_asked_with_every_run_reads_no_settled_incident(sqlite_database: Database) -> None:
    """A year of incidents costs the next outcome nothing: both questions are answered by small indexes."""
    asked: list[str] = []
    with sqlite_database.read() as tx:
        driver = cast("sqlite3.Connection", tx.connection.driver_connection)
        driver.set_trace_callback(asked.append)
        read_incidents_since(tx, DAY)
        driver.set_trace_callback(None)
        plan = " ".join(row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[-1]}"))
    assert "SCAN incidents USING INDEX ix_incidents_unresolved" in plan
    assert "SEARCH incidents USING INDEX ix_incidents_resolved_at" in plan
