"""What the monitor saw of its own side, as stretches: looks that say the same prolong the one before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, insert, select, update

from monitor.core.sights import NEAR, Sight, SightKind
from monitor.store.columns import ceil_ms, from_ms
from monitor.store.tables import sights


def add_sights(tx: Connection, seen: Iterable[Sight]) -> None:
    """Store looks in their order. One that says the same as its subject's last, soon after it, prolongs it.

    A stretch in which the monitor was unfit is a fact of its own, and is never prolonged.
    """
    for sight in seen:
        last = None if sight.kind is SightKind.OWN else _last(tx, sight)
        continues = (
            last is not None
            and (bool(last.good), last.detail) == (sight.good, sight.detail)
            and last.first_at <= sight.start <= last.last_at + NEAR
        )
        if continues and last is not None:
            longer = max(last.last_at, sight.end)
            tx.execute(update(sights).where(sights.c.id == last.id).values(last_at=longer))
        else:
            tx.execute(insert(sights), _row(sight))


def stored_sights(
    tx: Connection, location: str, since: datetime | None = None, until: datetime | None = None
) -> tuple[Sight, ...]:
    """What was seen at a location as far as it reaches into ``[since, until]``, in order of start."""
    wanted = [sights.c.location == location]
    if since is not None:
        wanted.append(sights.c.last_at >= from_ms(ceil_ms(since)))
    if until is not None:
        wanted.append(sights.c.first_at <= until)
    rows = tx.execute(select(sights).where(and_(*wanted)).order_by(sights.c.first_at, sights.c.id))
    return tuple(
        Sight(
            row.location,
            SightKind(row.kind),
            row.subject,
            bool(row.good),
            row.first_at,
            row.last_at,
            row.detail,
        )
        for row in rows
    )


def _last(tx: Connection, sight: Sight) -> Any:
    mine = and_(
        sights.c.location == sight.location,
        sights.c.kind == sight.kind.value,
        sights.c.subject == sight.subject,
        sights.c.last_at >= sight.start - NEAR,
    )
    return tx.execute(
        select(sights).where(mine).order_by(sights.c.last_at.desc(), sights.c.id.desc()).limit(1)
    ).first()


def _row(sight: Sight) -> dict[str, Any]:
    return {
        "location": sight.location,
        "kind": sight.kind.value,
        "subject": sight.subject,
        "good": int(sight.good),
        "first_at": sight.start,
        "last_at": sight.end,
        "detail": sight.detail,
    }
