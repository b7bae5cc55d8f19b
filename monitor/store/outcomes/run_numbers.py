"""The order of a cell's runs: running numbers, fresh runs and silences, kept right when runs arrive late.

Runs are ordered by `started_at`, then `id`. A run follows from the one before it alone, so that a late run
changes itself, its successor, and the numbers of the tail.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    or_,
    select,
    type_coerce,
    update,
)

from monitor.core.model import Verdict
from monitor.core.outages.rule import GAP_INTERVALS
from monitor.store.database import fast_statements
from monitor.store.database.columns import raw
from monitor.store.database.tables import contexts, outcomes
from monitor.store.outcomes.rows import (
    CONTEXT,
    FRESH,
    NOTABLE,
    NUMBER,
    SILENCE,
    SPACING,
    STARTED,
    UID,
    VERDICT,
    Encoded,
)

# What a late run changes. Stored are A, B and D with the numbers of the conclusive runs; C comes late:
#
#   before   A 1    B 2            D 3    E 4    F 5
#   after    A 1    B 2    C 3     D 4    E 5    F 6
#                          |       |      '------'--- only the number moves: one UPDATE for the whole tail
#                          |       '----------------- what follows from the run before it is taken anew
#                          '------------------------- placed behind B
#
# An inconclusive run carries the number of the conclusive run before it and moves nothing.
_PASSED, _INCONCLUSIVE = Verdict.PASSED.value, Verdict.INCONCLUSIVE.value


@dataclass(slots=True)
class Tail:
    """The run after which the next one comes; `started_at` is None before the first."""

    started_at: int | None = None
    uid: str = ""
    number: int = 0
    configuration: str | None = None
    every_us: int | None = None


class Place(NamedTuple):
    """What follows for a run from the one before it; instants in ms."""

    number: int
    notable: int
    fresh: int
    silence_since: int | None
    spacing: int | None


def advance(tail: Tail, run: tuple[int, str, str], configuration: str | None, every_us: int | None) -> Place:
    """The place of *run* (start, id, verdict) behind *tail*, which moves on to it."""
    started_at, uid, verdict = run
    before = tail.started_at
    silence_since = spacing = None
    # The first run of a cell, and the first with another configuration, may reset the look-back.
    fresh = before is None or tail.configuration != configuration
    if before is not None:
        if tail.every_us is None:
            spacing = started_at - before
        elif (started_at - before) * 1000 > GAP_INTERVALS * tail.every_us:
            fresh, silence_since = True, before
    if verdict != _INCONCLUSIVE:
        tail.number += 1
    tail.started_at, tail.uid, tail.configuration, tail.every_us = started_at, uid, configuration, every_us
    notable = verdict != _PASSED or fresh
    return Place(tail.number, int(notable), int(fresh), silence_since, spacing)


def place(row: Encoded, tail: Tail, configuration: str | None, every_us: int | None) -> None:
    """Fill in what *row* owes to the run before it."""
    run = (row[STARTED], row[UID], row[VERDICT])
    row[NUMBER], row[NOTABLE], row[FRESH], row[SILENCE], row[SPACING] = advance(
        tail, run, configuration, every_us
    )


Facts = dict[int, tuple[str | None, int | None]]
_PAGE = 5000


def place_late(tx: Connection, cell_id: int, rows: Sequence[Encoded], facts: Facts) -> int:
    """Fill in *rows*, of which some come before stored runs, and correct the stored runs behind them.

    *rows* are sorted and not yet stored; *facts* gives configuration and interval of a context. Returns by
    how much the cell's count of runs that follow one without an interval (`unpaced`) changes.
    """
    tail = _tail_before(tx, cell_id, rows[0])
    waiting = deque(rows)
    unpaced = 0
    for page in _pages_after(tx, cell_id, rows[0]):
        changes = []
        for stored in page:
            unpaced += _place_before(stored, waiting, tail, facts)
            was = _place_of(stored)
            run = (stored.started_at, stored.uid, stored.verdict)
            there = advance(tail, run, stored.configuration, stored.every_us)
            unpaced += (there.spacing is not None) - (was.spacing is not None)
            if there != was:
                changes.append((*there, stored.id))
            # Behind the last late run one stored run was placed anew; all others keep their predecessor.
            if not waiting:
                _correct(tx, changes)
                _shift(tx, cell_id, run, there.number - was.number)
                return unpaced
        _correct(tx, changes)
    return unpaced + _place_before(None, waiting, tail, facts)


def _place_before(stored: Row[Any] | None, waiting: deque[Encoded], tail: Tail, facts: Facts) -> int:
    """Place the waiting rows that come before *stored* (all, where it is None); how many are unpaced."""
    unpaced = 0
    while waiting and (
        stored is None or (waiting[0][STARTED], waiting[0][UID]) < (stored.started_at, stored.uid)
    ):
        row = waiting.popleft()
        place(row, tail, *facts[row[CONTEXT]])
        unpaced += row[SPACING] is not None
    return unpaced


def _place_of(stored: Row[Any]) -> Place:
    return Place(stored.number, stored.notable, stored.fresh, stored.silence_since, stored.spacing)


def _select_runs(cell_id: int) -> Select[Any]:
    return (
        select(
            *(outcomes.c[name] for name in ("id", "uid", "number", "verdict", "notable", "fresh", "spacing")),
            raw(outcomes.c.started_at),
            raw(outcomes.c.silence_since),
            contexts.c.configuration,
            contexts.c.every_us,
        )
        .join_from(outcomes, contexts, outcomes.c.context_id == contexts.c.id)
        .where(outcomes.c.cell_id == cell_id)
    )


def _before(started_at: int, uid: str) -> ColumnElement[bool]:
    at = type_coerce(outcomes.c.started_at, BigInteger)
    return and_(at <= started_at, or_(at < started_at, outcomes.c.uid < uid))


def _after(started_at: int, uid: str) -> ColumnElement[bool]:
    at = type_coerce(outcomes.c.started_at, BigInteger)
    return and_(at >= started_at, or_(at > started_at, outcomes.c.uid > uid))


def _tail_before(tx: Connection, cell_id: int, row: Encoded) -> Tail:
    latest = (
        _select_runs(cell_id)
        .where(_before(row[STARTED], row[UID]))
        .order_by(outcomes.c.started_at.desc(), outcomes.c.uid.desc())
        .limit(1)
    )
    found = tx.execute(latest).first()
    if found is None:
        return Tail()
    return Tail(found.started_at, found.uid, found.number, found.configuration, found.every_us)


def _pages_after(tx: Connection, cell_id: int, row: Encoded) -> Iterator[Sequence[Row[Any]]]:
    """The stored runs behind *row* in order, in pages: what is corrected in one moves no key of the next."""
    ordered = _select_runs(cell_id).order_by(outcomes.c.started_at, outcomes.c.uid).limit(_PAGE)
    key = (row[STARTED], row[UID])
    while page := tx.execute(ordered.where(_after(*key))).all():
        yield page
        key = (page[-1].started_at, page[-1].uid)


_CORRECTED = ("number", "notable", "fresh", "silence_since", "spacing", "row_id")


def _correction(_dialect: str) -> Update:
    values = {name: bindparam(name, type_=BigInteger) for name in _CORRECTED[:-1]}
    return update(outcomes).where(outcomes.c.id == bindparam("row_id")).values(values)


def _correct(tx: Connection, changes: Sequence[tuple[Any, ...]]) -> None:
    fast_statements.run(tx, _correction, changes, _CORRECTED)


def _shift(tx: Connection, cell_id: int, after: tuple[int, str, str], by: int) -> None:
    if by:
        tail = and_(outcomes.c.cell_id == cell_id, _after(after[0], after[1]))
        tx.execute(update(outcomes).where(tail).values(number=outcomes.c.number + by))
