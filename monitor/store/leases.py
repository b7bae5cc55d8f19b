"""Which process checks from a location: one at a time over one database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, delete, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from monitor.store.database import fast_statements
from monitor.store.database.columns import to_ms
from monitor.store.database.fast_statements import insert_into
from monitor.store.database.tables import leases

HELD_FOR = timedelta(seconds=15)  # a process that lives renews its lease every five seconds


def take_lease(
    tx: Connection, location: str, instance: str, now: datetime, *, gone: str | None = None
) -> tuple[str, datetime] | None:
    """Take the lease of a location; else return who holds it, and when it was renewed last.

    It is free where nobody holds it, where its holder has not renewed it for 15 seconds, and where the
    holder is the process that is known to be *gone*. A renewal in the future is one of another clock's.
    """
    found = tx.execute(select(leases).where(leases.c.location == location)).first()
    held = found is not None and found.instance not in {instance, gone}
    if found is not None and held and abs(now - found.beat_at) < HELD_FOR:
        return found.instance, found.beat_at
    added = insert_into(tx.dialect.name)(leases).values(location=location, instance=instance, beat_at=now)
    mine = {"instance": added.excluded.instance, "beat_at": added.excluded.beat_at}
    tx.execute(added.on_conflict_do_update(index_elements=[leases.c.location], set_=mine))
    return None


def renew_lease(tx: Connection, location: str, instance: str, now: datetime) -> bool:
    """Renew the lease, and return whether it was still ours. Asked with everything that is stored."""
    mine = {"location": location, "instance": instance, "beat_at": to_ms(now)}
    return bool(fast_statements.rows(tx, _renew, **mine))


def _renew(_dialect: str) -> ReturningUpdate[Any]:
    held_by = (leases.c.location == bindparam("location")) & (leases.c.instance == bindparam("instance"))
    renewed = update(leases).where(held_by).values(beat_at=bindparam("beat_at", type_=BigInteger))
    return renewed.returning(leases.c.location)


def release_lease(tx: Connection, location: str, instance: str) -> None:
    """Give the lease back, so that the next process need not wait."""
    tx.execute(delete(leases).where(leases.c.location == location, leases.c.instance == instance))
