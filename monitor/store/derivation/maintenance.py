"""Planned maintenance as it was entered and withdrawn; what was entered once is never rewritten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from monitor.core.errors import NotFound
from monitor.core.outages.maintenance import Maintenance, changes, from_document, to_document
from monitor.store.database import fast_statements
from monitor.store.database.columns import from_json, from_ms, raw
from monitor.store.database.tables import maintenance


def read_maintenance(tx: Connection) -> tuple[Maintenance, ...]:
    """Every entry, also withdrawn ones, in the order in which they were made."""
    return tuple(
        from_document(
            from_json(document),
            entered_at=from_ms(entered_at),
            withdrawn_at=None if withdrawn_at is None else from_ms(withdrawn_at),
            row_id=row_id,
        )
        for row_id, document, entered_at, withdrawn_at in fast_statements.rows(tx, _select_maintenance)
    )


def _select_maintenance(_dialect: str) -> Select[Any]:
    instants = (raw(maintenance.c.entered_at), raw(maintenance.c.withdrawn_at))
    return select(maintenance.c.id, maintenance.c.document, *instants).order_by(maintenance.c.id)


def sync_maintenance(
    tx: Connection, configured: Iterable[Maintenance], now: datetime
) -> tuple[Maintenance, ...]:
    """Enter as of *now* what the configuration names anew, withdraw what it names no more; what is new."""
    entered, withdrawn = changes(read_maintenance(tx), configured)
    for one in entered:
        add_maintenance(tx, one, now)
    for one in withdrawn:
        _withdraw(tx, one, now)
    return entered


def add_maintenance(tx: Connection, plan: Maintenance, now: datetime) -> Maintenance:
    """Enter it as of *now*; it comes back with when, and with its id."""
    values = {"name": plan.name, "document": to_document(plan), "entered_at": now}
    added = tx.execute(insert(maintenance).values(values))
    (row_id,) = added.inserted_primary_key or (None,)
    return replace(plan, entered_at=now, id=row_id)


def withdraw_maintenance(tx: Connection, row_id: int, now: datetime) -> Maintenance:
    """End what a person entered as of *now*, once; it comes back as it stands then.

    Raises NotFound for an unknown id, and ValueError for what the configuration names.
    """
    found = next((one for one in read_maintenance(tx) if one.id == row_id), None)
    if found is None:
        raise NotFound(f"there is no maintenance {row_id}")
    if found.author is None:
        raise ValueError("the configuration names it: take it out of [[maintenance]] there")
    if found.withdrawn_at is not None:
        return found
    _withdraw(tx, found, now)
    return replace(found, withdrawn_at=now)


def _withdraw(tx: Connection, one: Maintenance, now: datetime) -> None:
    tx.execute(update(maintenance).where(maintenance.c.id == one.id).values(withdrawn_at=now))
