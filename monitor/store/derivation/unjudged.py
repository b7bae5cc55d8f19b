"""Outcomes that are stored while what they mean is not: from when on, until somebody derives it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from monitor.store.database.fast_statements import insert_into
from monitor.store.database.tables import unjudged

_THE_ROW = 1


def note_unjudged(tx: Connection, since: datetime) -> None:
    """Note that runs begun at *since* or later were stored without what follows from them.

    In the transaction that stores them: a process that is killed right after it leaves the note behind.
    """
    added = insert_into(tx.dialect.name)(unjudged).values(id=_THE_ROW, since=since)
    earlier = func.min if tx.dialect.name == "sqlite" else func.least
    tx.execute(
        added.on_conflict_do_update(
            index_elements=[unjudged.c.id], set_={"since": earlier(unjudged.c.since, added.excluded.since)}
        )
    )


def read_unjudged(tx: Connection) -> datetime | None:
    """Return the start of the earliest run that may not have been judged; None where all were."""
    return tx.execute(select(unjudged.c.since)).scalar()


def clear_unjudged(tx: Connection) -> None:
    """Forget the note, in the transaction that stores what follows from all runs."""
    tx.execute(delete(unjudged))
