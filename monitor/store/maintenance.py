"""Planned maintenance as it was entered and withdrawn; what was entered once is never rewritten."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from monitor.core.maintenance import Maintenance, changes, from_document, to_document
from monitor.store.tables import maintenance


def stored_maintenance(tx: Connection) -> tuple[Maintenance, ...]:
    """Every entry, also withdrawn ones, in the order in which they were made."""
    rows = tx.execute(select(maintenance).order_by(maintenance.c.id))
    return tuple(
        from_document(row.document, entered_at=row.entered_at, withdrawn_at=row.withdrawn_at) for row in rows
    )


def sync_maintenance(
    tx: Connection, configured: Iterable[Maintenance], now: datetime
) -> tuple[Maintenance, ...]:
    """Enter as of *now* what the configuration names anew, withdraw what it names no more; what is new."""
    entered, withdrawn = changes(stored_maintenance(tx), configured)
    for one in entered:
        tx.execute(insert(maintenance).values(name=one.name, document=to_document(one), entered_at=now))
    gone = [to_document(one) for one in withdrawn]
    current = select(maintenance).where(maintenance.c.withdrawn_at.is_(None))
    for row in tx.execute(current).all() if gone else ():
        if row.document in gone:
            tx.execute(update(maintenance).where(maintenance.c.id == row.id).values(withdrawn_at=now))
    return entered
