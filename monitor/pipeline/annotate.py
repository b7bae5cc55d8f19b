"""What people add: marks, entries of a timeline, planned maintenance; and what follows from it at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from monitor.core.incidents.annotations import checked_entry
from monitor.core.incidents.incident import Entry
from monitor.core.outages.maintenance import Maintenance
from monitor.core.outages.marks import Mark
from monitor.core.scheduling.slots import EPOCH
from monitor.pipeline.derive import DerivationSettings, update_incidents
from monitor.store.database.engine import Database, Transaction
from monitor.store.derivation.maintenance import add_maintenance, sync_maintenance, withdraw_maintenance
from monitor.store.derivation.marks import add_mark
from monitor.store.incidents.incidents import add_entries, read_incident, read_incidents_since

_REACH = timedelta(days=1)  # an incident that began this much before a mark may lie within one interval of it


def note_mark(database: Database, house: DerivationSettings, mark: Mark, *, now: datetime) -> Mark:
    """Store a mark, and let the incidents that began near it name it. It comes back with its id."""
    touched = min(mark.at - _REACH, now)
    with database.write() as tx:
        stored = add_mark(tx, mark)
        if read_incidents_since(tx, touched):
            update_incidents(tx, house, now=now, touched=touched, bad=True)
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
        one = read_incident(tx, number)
        entry = checked_entry(
            kind, text, author, incident_id=one.id, at=now, blame=blame or None, severity=severity or None
        )
        add_entries(tx, [entry])
    return entry


def enter_maintenance(
    database: Database, house: DerivationSettings, plans: Iterable[Maintenance], *, now: datetime
) -> None:
    """Let the stored maintenance be what is configured, as of now; what is retroactive counts before it."""
    with database.write() as tx:
        _judge_anew(tx, house, sync_maintenance(tx, plans, now), now)


def pause(database: Database, house: DerivationSettings, plan: Maintenance, *, now: datetime) -> Maintenance:
    """Enter the pause of a person (`checked_pause`), and let what it takes out be judged anew."""
    with database.write() as tx:
        entered = add_maintenance(tx, plan, now)
        _judge_anew(tx, house, [entered], now)
    return entered


def end_pause(database: Database, row_id: int, *, now: datetime) -> Maintenance:
    """Withdraw the pause of a person; what it took out until now stays out.

    Raises NotFound, and ValueError for what the configuration names.
    """
    with database.write() as tx:
        return withdraw_maintenance(tx, row_id, now)


def _judge_anew(
    tx: Transaction, house: DerivationSettings, entered: Iterable[Maintenance], now: datetime
) -> None:
    reach = [one.start or EPOCH for one in entered if one.retroactive]
    if reach and read_incidents_since(tx, min(reach)):
        update_incidents(tx, house, now=now, touched=min(*reach, now), bad=True)
