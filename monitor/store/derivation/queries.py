"""The single questions behind a history, each a seek in an index; instants in ms, cells by row id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    type_coerce,
)

from monitor.core.model import Verdict
from monitor.store.database import fast_statements
from monitor.store.database.columns import EVER, raw
from monitor.store.database.tables import cells, contexts, outcomes, passes

# A run as it is read, in this order.
_RUN = (
    raw(outcomes.c.started_at),
    *(outcomes.c[name] for name in ("uid", "number", "verdict", "failure", "stage", "blame", "type", "code")),
    *(outcomes.c[name] for name in ("message", "http_status", "close_code", "context_id", "fresh")),
    raw(outcomes.c.silence_since),
    outcomes.c.spacing,
    outcomes.c.cell_id,
)
STARTED, UID, CONTEXT, CELL = 0, 1, 12, 16
_SCAN = 64  # so many index entries are read one by one rather than searched
_ROUNDS = 8  # of interpolation; then plain halving, which always ends

_cell = bindparam("cell", type_=BigInteger)
_low = bindparam("low", type_=BigInteger)
_high = bindparam("high", type_=BigInteger)
_at = type_coerce(outcomes.c.started_at, BigInteger)
# The literal, not a parameter, lets SQLite see that the partial index answers.
_is_notable = outcomes.c.notable == literal_column("1")
_in_range = and_(_at >= _low, _at <= _high)
_in_order = (outcomes.c.started_at, outcomes.c.uid)


def notable_of_all(tx: Connection, low: int, high: int) -> Sequence[Any]:
    """The notable runs of every cell that began in the range, by cell and in order."""
    return fast_statements.rows(tx, _notable_of_all, low=low, high=high)


def _notable_of_all(_dialect: str) -> Select[Any]:
    # Naming the cells lets a short range be sought in each, however long the history.
    every_cell = outcomes.c.cell_id.in_(select(cells.c.id))
    return select(*_RUN).where(every_cell, _is_notable, _in_range).order_by(outcomes.c.cell_id, *_in_order)


def oldest(tx: Connection) -> int | None:
    """The start of the oldest run of all."""
    found = fast_statements.row(tx, _oldest)
    return found[0] if found else None


def _oldest(_dialect: str) -> Select[Any]:
    return select(func.min(_at))


def notable_of(tx: Connection, cell_id: int, low: int, high: int) -> Sequence[Any]:
    """The notable runs of one cell that began in the range, in order."""
    return fast_statements.rows(tx, _notable_of, cell=cell_id, low=low, high=high)


def _notable_of(_dialect: str) -> Select[Any]:
    return select(*_RUN).where(outcomes.c.cell_id == _cell, _is_notable, _in_range).order_by(*_in_order)


def after_silence(tx: Connection, cell_id: int, limit: int, low: int, high: int) -> Sequence[Any]:
    """The runs in the range that follow one without an interval by more than *limit* ms."""
    return fast_statements.rows(tx, _after_silence, cell=cell_id, limit=limit, low=low, high=high)


def _after_silence(_dialect: str) -> Select[Any]:
    longer = outcomes.c.spacing > bindparam("limit", type_=BigInteger)
    return select(*_RUN).where(outcomes.c.cell_id == _cell, longer, _in_range)


def middle_spacings(tx: Connection, cell_id: int, count: int) -> list[int]:
    """The one or two spacings in the middle of *count* sorted ones."""
    size = 2 - count % 2
    found = fast_statements.rows(tx, _middle_spacings, cell=cell_id, size=size, skip=(count - 1) // 2)
    return [row[0] for row in found]


def _middle_spacings(_dialect: str) -> Select[Any]:
    known = and_(outcomes.c.cell_id == _cell, outcomes.c.spacing.is_not(None))
    size, skip = (bindparam(name, type_=BigInteger) for name in ("size", "skip"))
    return select(outcomes.c.spacing).where(known).order_by(outcomes.c.spacing).limit(size).offset(skip)


def starts(tx: Connection, cell_id: int) -> list[int]:
    """Every start of the cell, in order."""
    return [row[0] for row in fast_statements.rows(tx, _starts, cell=cell_id)]


def _starts(_dialect: str) -> Select[Any]:
    return (
        select(raw(outcomes.c.started_at)).where(outcomes.c.cell_id == _cell).order_by(outcomes.c.started_at)
    )


def number_before(tx: Connection, cell_id: int, at: int) -> int:
    """How many conclusive runs of the cell began before *at*."""
    row = _newest_by(tx, cell_id, at - 1)
    return 0 if row is None else int(row[1])


def _newest_by(tx: Connection, cell_id: int, at: int) -> Any:
    """Start and number of the last run that began by *at*."""
    return fast_statements.row(tx, _newest_by_statement, cell=cell_id, high=at)


def _newest_by_statement(_dialect: str) -> Select[Any]:
    begun = and_(outcomes.c.cell_id == _cell, _at <= _high)
    latest = (outcomes.c.started_at.desc(), outcomes.c.number.desc())
    return select(raw(outcomes.c.started_at), outcomes.c.number).where(begun).order_by(*latest).limit(1)


def start_of(tx: Connection, cell_id: int, number: int, low: tuple[int, int], high: tuple[int, int]) -> int:
    """When the conclusive run of *number* began.

    *low* and *high* are a start and a number each: up to the one every number is smaller, by the other it is
    reached. Numbers grow with starts, so that it is searched like a name in a book.
    """
    if low[0] == EVER:
        low = (_only(fast_statements.row(tx, _first_start, cell=cell_id)) - 1, 0)
    rounds = 0
    # Where the number is little more than *low*'s, or the next one's start is all that is left, looking ends.
    while number - low[1] > _SCAN and high[0] - low[0] > 1:
        guess = _guess(low, high, number - _SCAN // 2, halve=rounds >= _ROUNDS)
        rounds += 1
        at, reached = _newest_by(tx, cell_id, guess) or low
        if reached >= number:
            high = (at, reached)
        else:
            low = (guess, reached)
    return _only(fast_statements.row(tx, _first_reaching, cell=cell_id, low=low[0], number=number))


def _only(found: tuple[Any, ...] | None) -> int:
    if found is None:
        raise LookupError("the cell has no such run")
    return int(found[0])


def _guess(low: tuple[int, int], high: tuple[int, int], number: int, *, halve: bool) -> int:
    """An instant after *low* and before *high* by which *number* may be reached."""
    span, share = high[0] - low[0], (number - low[1]) / (high[1] - low[1])
    return low[0] + min(max(span // 2 if halve else int(span * share), 1), span - 1)


def _first_start(_dialect: str) -> Select[Any]:
    mine = outcomes.c.cell_id == _cell
    return select(raw(outcomes.c.started_at)).where(mine).order_by(outcomes.c.started_at).limit(1)


def _first_reaching(_dialect: str) -> Select[Any]:
    reaching = and_(
        outcomes.c.cell_id == _cell, _at > _low, outcomes.c.number >= bindparam("number", type_=BigInteger)
    )
    in_order = (outcomes.c.started_at, outcomes.c.number)
    return select(raw(outcomes.c.started_at)).where(reaching).order_by(*in_order).limit(1)


def last_run(tx: Connection, cell_id: int, high: int) -> Any:
    """The last run of any verdict that began by *high*."""
    return fast_statements.row(tx, _last_run, cell=cell_id, high=high)


def _last_run(_dialect: str) -> Select[Any]:
    latest = (outcomes.c.started_at.desc(), outcomes.c.uid.desc())
    return select(*_RUN).where(outcomes.c.cell_id == _cell, _at <= _high).order_by(*latest).limit(1)


def newest_of_all(tx: Connection) -> Sequence[Any]:
    """The last run of any verdict of every cell."""
    return fast_statements.rows(tx, _newest_of_all)


def _newest_of_all(_dialect: str) -> Select[Any]:
    return select(*_RUN).join_from(cells, outcomes, outcomes.c.uid == cells.c.last_uid)


def last_pass(tx: Connection, cell_id: int, configuration: str | None, before: int) -> int | None:
    """When the cell last passed with the configuration before an instant.

    What never passed by then is known without looking; what did is usually found at once.
    """
    name = configuration or ""
    first = fast_statements.row(tx, _first_pass, cell=cell_id, configuration=name)
    if first is None or first[0] >= before:
        return None
    found = fast_statements.row(tx, _last_pass, cell=cell_id, high=before, configuration=name)
    return found[0] if found else None


def _first_pass(_dialect: str) -> Select[Any]:
    mine = and_(passes.c.cell_id == _cell, passes.c.configuration == bindparam("configuration", type_=Text))
    return select(raw(passes.c.first_at)).where(mine)


def _last_pass(_dialect: str) -> Select[Any]:
    passed = outcomes.c.verdict == literal_column(f"'{Verdict.PASSED.value}'")
    same = func.coalesce(contexts.c.configuration, "") == bindparam("configuration", type_=Text)
    return (
        select(raw(outcomes.c.started_at))
        .join_from(outcomes, contexts, outcomes.c.context_id == contexts.c.id)
        .where(outcomes.c.cell_id == _cell, _at < _high, passed, same)
        .order_by(outcomes.c.started_at.desc())
        .limit(1)
    )
