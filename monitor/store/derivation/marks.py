"""Marks of outside events; they are only ever appended."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, bindparam, insert, select, type_coerce

from monitor.core.outages.marks import Mark
from monitor.store.database import fast_statements
from monitor.store.database.columns import from_ms, raw, to_ms
from monitor.store.database.tables import marks


def add_mark(tx: Connection, mark: Mark) -> Mark:
    """Store a mark; it comes back with its id."""
    added = tx.execute(insert(marks).values(at=mark.at, text=mark.text, author=mark.author))
    (row_id,) = added.inserted_primary_key or (None,)
    return mark._replace(id=row_id)


def read_marks(tx: Connection, since: datetime, until: datetime) -> tuple[Mark, ...]:
    """The marks with ``since <= at <= until``, in order."""
    found = fast_statements.rows(tx, _marks_within, since=to_ms(since), until=to_ms(until))
    return tuple(Mark(from_ms(at), text, author, row_id) for at, text, author, row_id in found)


def _marks_within(_dialect: str) -> Select[Any]:
    at = type_coerce(marks.c.at, BigInteger)
    since, until = (bindparam(name, type_=BigInteger) for name in ("since", "until"))
    wanted = select(raw(marks.c.at), marks.c.text, marks.c.author, marks.c.id).where(at >= since, at <= until)
    return wanted.order_by(marks.c.at, marks.c.text, marks.c.author, marks.c.id)


def read_latest_marks(
    tx: Connection,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    skip: int = 0,
    limit: int = 100,
) -> tuple[Mark, ...]:
    """The marks with ``since <= at < until``, the newest first; at most *limit* behind the first *skip*."""
    wanted = select(marks)
    if since is not None:
        wanted = wanted.where(marks.c.at >= since)
    if until is not None:
        wanted = wanted.where(marks.c.at < until)
    return _marks(tx, wanted.order_by(marks.c.at.desc(), marks.c.id.desc()).offset(skip).limit(limit))


def _marks(tx: Connection, wanted: Select[Any]) -> tuple[Mark, ...]:
    return tuple(Mark(row.at, row.text, row.author, row.id) for row in tx.execute(wanted))
