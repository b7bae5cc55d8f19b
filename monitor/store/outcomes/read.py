"""Reading outcomes and their evidence: one, a page, a stream, and the nearest healthy ones."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    literal_column,
    or_,
    select,
    type_coerce,
)

from monitor.core.errors import NotFound
from monitor.core.model import Cell, Outcome, Verdict
from monitor.core.outcome_json import storable
from monitor.store.database.columns import from_ms, to_ms
from monitor.store.database.tables import cells, evidence, outcomes
from monitor.store.outcomes.cells import cell_rows
from monitor.store.outcomes.pack import unpack_evidence
from monitor.store.outcomes.rows import decode, select_outcomes

MOST = 1000
_PAGE = 1000
_at = type_coerce(outcomes.c.started_at, BigInteger)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some outcomes, and the cursor after which the next ones come; None where there are no more."""

    outcomes: tuple[Outcome, ...]
    cursor: str | None


def read_outcome(tx: Connection, uid: str) -> Outcome:
    """The outcome of that id; NotFound where there is none."""
    row = tx.execute(select_outcomes().where(outcomes.c.uid == storable(uid))).first()
    if row is None:
        raise NotFound(f"no run has the id '{uid[:200]}'")
    return decode(row)


def read_some_outcomes(tx: Connection, uids: Collection[str]) -> dict[str, Outcome]:
    """The outcomes of these ids, by id; ids that nobody has are absent."""
    wanted = sorted(set(uids))
    found: dict[str, Outcome] = {}
    for start in range(0, len(wanted), 500):
        chosen = outcomes.c.uid.in_(wanted[start : start + 500])
        found.update((row.uid, decode(row)) for row in tx.execute(select_outcomes().where(chosen)))
    return found


def read_evidence(tx: Connection, uid: str) -> dict[str, Any] | None:
    """The evidence document of a run; None where none is kept."""
    joined = select(evidence.c.document).join_from(evidence, outcomes, evidence.c.outcome_id == outcomes.c.id)
    packed = tx.execute(joined.where(outcomes.c.uid == storable(uid))).scalar()
    return None if packed is None else unpack_evidence(packed)


def read_latest_outcomes(tx: Connection) -> dict[Cell, Outcome]:
    """The newest outcome of every cell."""
    rows = tx.execute(select_outcomes().where(outcomes.c.uid == cells.c.last_uid))
    return {one.cell: one for one in map(decode, rows)}


def read_outcomes_page(
    tx: Connection,
    *,
    targets: Collection[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    verdicts: Collection[Verdict] | None = None,
    after: str | None = None,
    limit: int = 100,
    newest_first: bool = True,
) -> Page:
    """Outcomes with ``since <= started_at < until``, at most *limit* (at most 1000), behind a cursor.

    *targets* are keys. Raises ValueError for a cursor that is not ours.
    """
    limit = max(1, min(limit, MOST))
    wanted = _wanted(tx, targets, since, until, verdicts)
    if after is not None:
        wanted = wanted.where(_beyond(*_read_cursor(after), newest_first=newest_first))
    ordered = wanted.order_by(*_order(newest_first=newest_first)).limit(limit + 1)
    found = [decode(row) for row in tx.execute(ordered)]
    page = tuple(found[:limit])
    return Page(outcomes=page, cursor=_cursor(page[-1]) if len(found) > limit else None)


def stream_outcomes(
    tx: Connection,
    *,
    targets: Collection[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    verdicts: Collection[Verdict] | None = None,
) -> Iterator[Outcome]:
    """Every such outcome, oldest first, in pages: memory stays flat however many there are."""
    wanted = _wanted(tx, targets, since, until, verdicts).order_by(*_order(newest_first=False)).limit(_PAGE)
    page = tx.execute(wanted).all()
    while page:
        yield from map(decode, page)
        last = page[-1]
        beyond = _beyond(to_ms(last.started_at), last.uid, newest_first=False)
        page = tx.execute(wanted.where(beyond)).all() if len(page) == _PAGE else []


def read_first_pass_after(tx: Connection, cell: Cell, instant: datetime) -> str | None:
    """The id of the first passed run of the cell that began at or after an instant."""
    return _nearest_pass(tx, cell, outcomes.c.started_at >= instant, newest_first=False)


def read_last_pass_before(tx: Connection, cell: Cell, instant: datetime) -> str | None:
    """The id of the last passed run of the cell that began before an instant."""
    return _nearest_pass(tx, cell, outcomes.c.started_at < instant, newest_first=True)


def _nearest_pass(tx: Connection, cell: Cell, side: ColumnElement[bool], *, newest_first: bool) -> str | None:
    passed = outcomes.c.verdict == Verdict.PASSED.value
    mine = outcomes.c.cell_id == cell_rows(tx).get(cell, -1)
    nearest = select(outcomes.c.uid).where(mine, side, passed).order_by(*_order(newest_first=newest_first))
    return tx.execute(nearest.limit(1)).scalar()


def _wanted(
    tx: Connection,
    targets: Collection[str] | None,
    since: datetime | None,
    until: datetime | None,
    verdicts: Collection[Verdict] | None,
) -> Select[Any]:
    wanted = select_outcomes()
    if targets is not None:
        wanted = wanted.where(outcomes.c.cell_id.in_(list(cell_rows(tx, targets).values())))
    if since is not None:
        wanted = wanted.where(outcomes.c.started_at >= since)
    if until is not None:
        wanted = wanted.where(outcomes.c.started_at < until)
    if verdicts is not None:
        wanted = wanted.where(outcomes.c.verdict.in_([verdict.value for verdict in verdicts]))
        if Verdict.PASSED not in verdicts:
            # The literal, not a parameter, lets SQLite see that a partial index answers.
            wanted = wanted.where(outcomes.c.notable == literal_column("1"))
    return wanted


def _order(*, newest_first: bool) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    if newest_first:
        return outcomes.c.started_at.desc(), outcomes.c.uid.desc()
    return outcomes.c.started_at.asc(), outcomes.c.uid.asc()


def _beyond(started_at: int, uid: str, *, newest_first: bool) -> ColumnElement[bool]:
    if newest_first:
        return and_(_at <= started_at, or_(_at < started_at, outcomes.c.uid < uid))
    return and_(_at >= started_at, or_(_at > started_at, outcomes.c.uid > uid))


def _cursor(last: Outcome) -> str:
    return base64.urlsafe_b64encode(f"{to_ms(last.started_at)}:{last.id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[int, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        started_at, _, uid = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(":")
        instant = int(started_at)
        from_ms(instant)
        return instant, storable(uid)
    except (binascii.Error, ValueError, OverflowError):
        raise ValueError(f"cursor '{cursor[:60]}' is not one of ours: leave it out to begin anew") from None
