"""What the monitor saw of its own side, as stretches: looks that say the same prolong the one before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    insert,
    select,
    type_coerce,
    update,
)

from monitor.core.outages.self_observations import NEAR, SelfObservation, SelfObservationKind
from monitor.store.database import fast_statements
from monitor.store.database.columns import EVER, NEVER, ceil_ms, from_ms, raw, to_ms
from monitor.store.database.tables import sights


def add_self_observations(tx: Connection, seen: Iterable[SelfObservation]) -> None:
    """Store looks in their order. One that says the same as its subject's last, soon after it, prolongs it.

    A stretch in which the monitor was unfit is a fact of its own, and is never prolonged.
    """
    for sight in seen:
        last = None if sight.kind is SelfObservationKind.OWN else _last(tx, sight)
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


def read_self_observations(
    tx: Connection, location: str, since: datetime | None = None, until: datetime | None = None
) -> tuple[SelfObservation, ...]:
    """What was seen at a location as far as it reaches into ``[since, until]``, in order of start."""
    bounds = {
        "since": EVER if since is None else ceil_ms(since),
        "until": NEVER if until is None else to_ms(until),
    }
    return tuple(
        SelfObservation(
            location,
            SelfObservationKind(kind),
            subject,
            bool(good),
            from_ms(first_at),
            from_ms(last_at),
            detail,
        )
        for kind, subject, good, first_at, last_at, detail in fast_statements.rows(
            tx, _select_self_observations, location=location, **bounds
        )
    )


def _select_self_observations(_dialect: str) -> Select[Any]:
    columns = (sights.c[name] for name in ("kind", "subject", "good"))
    first, last = (type_coerce(column, BigInteger) for column in (sights.c.first_at, sights.c.last_at))
    since, until = (bindparam(name, type_=BigInteger) for name in ("since", "until"))
    here = sights.c.location == bindparam("location", type_=Text)
    return (
        select(*columns, raw(sights.c.first_at), raw(sights.c.last_at), sights.c.detail)
        .where(here, last >= since, first <= until)
        .order_by(sights.c.first_at, sights.c.id)
    )


def _last(tx: Connection, sight: SelfObservation) -> Any:
    mine = and_(
        sights.c.location == sight.location,
        sights.c.kind == sight.kind.value,
        sights.c.subject == sight.subject,
        sights.c.last_at >= sight.start - NEAR,
    )
    return tx.execute(
        select(sights).where(mine).order_by(sights.c.last_at.desc(), sights.c.id.desc()).limit(1)
    ).first()


def _row(sight: SelfObservation) -> dict[str, Any]:
    return {
        "location": sight.location,
        "kind": sight.kind.value,
        "subject": sight.subject,
        "good": int(sight.good),
        "first_at": sight.start,
        "last_at": sight.end,
        "detail": sight.detail,
    }
