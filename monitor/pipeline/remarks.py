"""What people add: a mark, or an entry of an incident's timeline; and what follows from it at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.core.incidents import Entry
from monitor.core.marks import Mark
from monitor.core.opinion import checked_entry
from monitor.pipeline.verdict import House, judge
from monitor.store.engine import Database
from monitor.store.incidents import add_entries, incident, incidents_since
from monitor.store.marks import add_mark

_REACH = timedelta(days=1)  # an incident that began this much before a mark may lie within one interval of it


def note_mark(database: Database, house: House, mark: Mark, *, now: datetime) -> Mark:
    """Store a mark, and let the incidents that began near it name it. It comes back with its id."""
    touched = min(mark.at - _REACH, now)
    with database.write() as tx:
        stored = add_mark(tx, mark)
        if incidents_since(tx, touched):
            judge(tx, house, now=now, touched=touched, bad=True)
    return stored


def append_entry(
    database: Database,
    number: int,
    kind: str,
    text: str,
    author: str,
    *,
    now: datetime,
    blame: str | None = None,
    severity: str | None = None,
) -> Entry:
    """Append what a person says of an incident.

    Raises NotFound for an unknown number, and ValueError where nothing can be appended as it is.
    """
    with database.write() as tx:
        one = incident(tx, number)
        entry = checked_entry(
            kind, text, author, incident_id=one.id, at=now, blame=blame or None, severity=severity or None
        )
        add_entries(tx, [entry])
    return entry
