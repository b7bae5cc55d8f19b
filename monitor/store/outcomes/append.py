"""Writing checked rows behind or between the runs of their cells, and what the cells then say of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Insert,
    Select,
    Text,
    Update,
    bindparam,
    case,
    func,
    insert,
    select,
    update,
)

from monitor.core.model import Kind, Verdict
from monitor.store.database import fast_statements
from monitor.store.database.columns import raw
from monitor.store.database.engine import known_of
from monitor.store.database.id_cache import IdCache
from monitor.store.database.tables import cells, contexts, outcomes, passes
from monitor.store.outcomes.rows import (
    CELL,
    COLUMNS,
    CONTEXT,
    KIND,
    SLOT,
    SPACING,
    STARTED,
    UID,
    VERDICT,
    Encoded,
)
from monitor.store.outcomes.run_numbers import Facts, Tail, place, place_late

_PASSED, _INCONCLUSIVE, _SCHEDULED = Verdict.PASSED.value, Verdict.INCONCLUSIVE.value, Kind.SCHEDULED.value
_NEVER, _EVER = -(2**62), 2**62


@dataclass(slots=True)
class CellRow:
    """What a cell's row knows of its runs; instants in ms. It is changed as rows are appended."""

    cell_id: int
    runs: int
    conclusive: int
    unpaced: int
    last_started_at: int | None
    last_uid: str
    last_context_id: int | None
    last_slot: int
    configuration: str | None
    every_us: int | None


def read_states(tx: Connection, cell_ids: Iterable[int]) -> dict[int, CellRow]:
    """The state of each cell."""
    rows = fast_statements.rows(tx, _select_states, cells=fast_statements.many(tx, cell_ids))
    return {row[0]: CellRow(*row) for row in rows}


def _select_states(dialect: str) -> Select[Any]:
    return (
        select(
            cells.c.id,
            cells.c.runs,
            cells.c.conclusive,
            cells.c.unpaced,
            raw(cells.c.last_started_at),
            func.coalesce(cells.c.last_uid, ""),
            cells.c.last_context_id,
            func.coalesce(raw(cells.c.last_slot), _NEVER),
            contexts.c.configuration,
            contexts.c.every_us,
        )
        .join_from(cells, contexts, cells.c.last_context_id == contexts.c.id, isouter=True)
        .where(fast_statements.one_of(dialect, cells.c.id, "cells"))
    )


def append(tx: Connection, rows: Sequence[Encoded], states: Mapping[int, CellRow]) -> None:
    """Give every row its place, store it, and bring the rows of their cells up to date."""
    known = known_of(tx)
    by_cell: dict[int, list[Encoded]] = defaultdict(list)
    for row in rows:
        by_cell[row[CELL]].append(row)
    for cell_id, mine in by_cell.items():
        mine.sort(key=_in_order)
        _place(tx, states[cell_id], mine, known.context_facts)
    fast_statements.run(tx, _insert, [tuple(row) for row in rows], COLUMNS)
    changed = [states[cell_id] for cell_id in sorted(by_cell)]
    fast_statements.run(tx, _update_cell, [_cell_values(state) for state in changed], _CELL)
    _note_passes(tx, rows, known)


_in_order = itemgetter(STARTED, UID)


def _place(tx: Connection, state: CellRow, rows: Sequence[Encoded], facts: Facts) -> None:
    """Place the sorted rows of one cell."""
    last = rows[-1]
    newest = (state.last_started_at, state.last_uid)
    is_first = state.last_started_at is None
    if is_first or _in_order(rows[0]) > newest:
        tail = Tail(*newest, state.conclusive, state.configuration, state.every_us)
        for row in rows:
            place(row, tail, *facts[row[CONTEXT]])
            state.unpaced += row[SPACING] is not None
    else:
        state.unpaced += place_late(tx, state.cell_id, rows, facts)
    state.runs += len(rows)
    for row in rows:
        state.conclusive += row[VERDICT] != _INCONCLUSIVE
        if row[KIND] == _SCHEDULED and row[SLOT] > state.last_slot:
            state.last_slot = row[SLOT]
    if is_first or _in_order(last) > newest:
        state.last_started_at, state.last_uid, state.last_context_id = last[STARTED], last[UID], last[CONTEXT]


def _insert(_dialect: str) -> Insert:
    return insert(outcomes).values({name: bindparam(name, type_=_plain(name)) for name in COLUMNS})


def _plain(name: str) -> Any:
    """The column's type without the conversion of instants: hot paths hand over milliseconds."""
    return getattr(outcomes.c[name].type, "impl", outcomes.c[name].type)


_CELL = (
    "runs", "conclusive", "unpaced", "last_started_at", "last_uid", "last_context_id", "last_slot", "row_id"
)  # fmt: skip


def _update_cell(_dialect: str) -> Update:
    values = {name: bindparam(name, type_=Text if name == "last_uid" else BigInteger) for name in _CELL[:-1]}
    return update(cells).where(cells.c.id == bindparam("row_id")).values(values)


def _cell_values(state: CellRow) -> tuple[Any, ...]:
    return (
        state.runs,
        state.conclusive,
        state.unpaced,
        state.last_started_at,
        state.last_uid,
        state.last_context_id,
        None if state.last_slot == _NEVER else state.last_slot,
        state.cell_id,
    )


_PASSES = ("cell_id", "configuration", "first_at")


def _note_passes(tx: Connection, rows: Iterable[Encoded], known: IdCache) -> None:
    """Keep since when each configuration passes; only the first pass of all changes anything."""
    earlier: dict[tuple[int, str], int] = {}
    for row in rows:
        if row[VERDICT] == _PASSED:
            key = (row[CELL], known.context_facts[row[CONTEXT]][0] or "")
            if row[STARTED] < known.passes.get(key, _EVER):
                earlier[key] = known.passes[key] = row[STARTED]
    fast_statements.run(tx, _passes_upsert, [(*key, earlier[key]) for key in sorted(earlier)], _PASSES)


def _passes_upsert(dialect: str) -> fast_statements.Insert:
    values = {
        name: bindparam(name, type_=Text if name == "configuration" else BigInteger) for name in _PASSES
    }
    statement = fast_statements.insert_into(dialect)(passes).values(values)
    stored, new = passes.c.first_at, statement.excluded["first_at"]
    first = case((new < stored, new), else_=stored)
    return statement.on_conflict_do_update(
        index_elements=["cell_id", "configuration"], set_={"first_at": first}
    )
