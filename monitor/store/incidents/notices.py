"""The outbox: notices are owed, claimed by a lease that one worker wins, and settled.

A notice is told at least once under the same id: a worker that dies after sending leaves it to be sent again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, or_, select, update

from monitor.core.alerting.notice import Notice, NoticeKind
from monitor.store.database import fast_statements
from monitor.store.database.columns import from_ms, raw
from monitor.store.database.fast_statements import insert_into
from monitor.store.database.tables import notices

_OWED = and_(notices.c.sent_at.is_(None), notices.c.gave_up_at.is_(None))


def add_notices(tx: Connection, owed: Iterable[Notice]) -> int:
    """Owe notices, and return how many are new.

    One that is stored under its id, or for its incident, kind, sequence and channel, is not stored again.
    What waits to be tried again before a new one of its incident is tried at once.
    """
    owed = list(owed)
    rows = [
        {
            "id": notice.id,
            "channel": notice.channel,
            "incident_id": notice.incident_id,
            "kind": notice.kind.value,
            "sequence": notice.sequence,
            "created_at": notice.created_at,
            "body": dict(notice.body),
            "attempts": notice.attempts,
            "due_at": notice.due_at or notice.created_at,
        }
        for notice in owed
    ]
    added = insert_into(tx.dialect.name)(notices).on_conflict_do_nothing()
    counted = {"preserve_rowcount": True}
    stored = sum(tx.execute(added, row, execution_options=counted).rowcount for row in rows)
    for notice in owed:
        same = and_(notices.c.incident_id == notice.incident_id, notices.c.channel == notice.channel)
        _hurry(tx, same, notice.created_at)
    return stored


def _hurry(tx: Connection, which: ColumnElement[bool], now: datetime) -> None:
    """Let what waits for another attempt be due now."""
    waiting = and_(_OWED, notices.c.attempts > 0, notices.c.due_at > now)
    tx.execute(update(notices).where(which, waiting).values(due_at=now))


def claim_notice(
    tx: Connection, now: datetime, lease: timedelta, *, without: Collection[str] = ()
) -> Notice | None:
    """The notice due longest, leased to the caller until ``now + lease``; None where none is due.

    Channels in *without* are passed over.

    `attempts` already counts this one. Notices of one incident on one channel go out in their sequence: a
    later one waits until the earlier is sent or given up.
    """
    wanted = and_(_claimable(now), notices.c.channel.not_in(without))
    due = (
        select(notices.c.id)
        .where(wanted)
        .order_by(notices.c.due_at, notices.c.created_at, notices.c.id)
        .limit(1)
    )
    chosen = tx.execute(due).scalar()
    if chosen is None:
        return None
    mine = update(notices).where(notices.c.id == chosen, _OWED, _free(now))
    won = tx.execute(mine.values(lease_until=now + lease, attempts=notices.c.attempts + 1))
    return _one(tx, chosen) if won.rowcount == 1 else None


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(notices.c.lease_until.is_(None), notices.c.lease_until <= now)


def _claimable(now: datetime) -> ColumnElement[bool]:
    earlier = notices.alias("earlier")
    ahead = exists().where(
        earlier.c.incident_id == notices.c.incident_id,
        earlier.c.channel == notices.c.channel,
        earlier.c.sequence < notices.c.sequence,
        earlier.c.sent_at.is_(None),
        earlier.c.gave_up_at.is_(None),
    )
    return and_(_OWED, notices.c.due_at <= now, _free(now), ~ahead)


def settle_notice(
    tx: Connection,
    notice_id: str,
    *,
    now: datetime,
    sent: bool = False,
    retry_at: datetime | None = None,
    gave_up: bool = False,
    reply: str | None = None,
) -> bool:
    """Record how a claimed notice fared: exactly one of *sent*, *retry_at*, *gave_up*.

    Returns whether it was still owed; what another worker settled meanwhile stays as it is. A receiver
    that accepts one is back: what waits for its channel is due at once.
    """
    if [sent, retry_at is not None, gave_up].count(True) != 1:
        raise ValueError("a notice is either sent, or tried again at a time, or given up")
    values: dict[str, Any] = {"lease_until": None, "last_reply": reply}
    if sent:
        values["sent_at"] = now
    elif gave_up:
        values["gave_up_at"] = now
    else:
        values["due_at"] = retry_at
    mine = update(notices).where(notices.c.id == notice_id, _OWED)
    settled = tx.execute(mine.values(values)).rowcount == 1
    if sent:
        channel = select(notices.c.channel).where(notices.c.id == notice_id).scalar_subquery()
        _hurry(tx, notices.c.channel == channel, now)
    return settled


def read_next_due(tx: Connection, *, without: Collection[str] = ()) -> datetime | None:
    """When the next notice may be claimed: the earliest of what is owed, a running lease included.

    Channels in *without* are passed over.
    """
    owed = fast_statements.rows(tx, _owed_times)  # asked every second, and usually there is none
    times = (max(due, leased or due) for channel, due, leased in owed if channel not in without)
    return min(map(from_ms, times), default=None)


def _owed_times(_dialect: str) -> Select[Any]:
    return select(notices.c.channel, raw(notices.c.due_at), raw(notices.c.lease_until)).where(_OWED)


def read_notices(tx: Connection, incident_id: str | None = None) -> tuple[Notice, ...]:
    """Notices in the order in which they became owed: of one incident, or all."""
    wanted = select(notices).order_by(notices.c.created_at, notices.c.sequence, notices.c.id)
    if incident_id is not None:
        wanted = wanted.where(notices.c.incident_id == incident_id)
    return tuple(_notice(row) for row in tx.execute(wanted))


def read_notices_about(tx: Connection, incident_ids: Collection[str]) -> tuple[Notice, ...]:
    """Every notice about these incidents, sent or not, in the order in which they became owed."""
    mine = notices.c.incident_id.in_(incident_ids)
    wanted = select(notices).where(mine).order_by(notices.c.created_at, notices.c.sequence, notices.c.id)
    return tuple(_notice(row) for row in tx.execute(wanted)) if incident_ids else ()


def _one(tx: Connection, notice_id: str) -> Notice:
    return _notice(tx.execute(select(notices).where(notices.c.id == notice_id)).one())


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        id=row.id,
        channel=row.channel,
        incident_id=row.incident_id,
        kind=NoticeKind(row.kind),
        sequence=row.sequence,
        created_at=row.created_at,
        body=row.body,
        attempts=row.attempts,
        due_at=row.due_at,
        sent_at=row.sent_at,
        gave_up_at=row.gave_up_at,
        last_reply=row.last_reply,
    )
