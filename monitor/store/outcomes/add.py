"""Adding outcomes: many in one commit, each once, in any order of arrival.

The usual run comes after the newest of its cell, whose row says all that it needs; only a late one reads
the runs around its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Insert,
    LargeBinary,
    Row,
    Select,
    bindparam,
    insert,
    literal_column,
    select,
    tuple_,
    type_coerce,
)

from monitor.core.model import Kind, Outcome
from monitor.core.sanitize import one_line
from monitor.core.timefmt import rfc3339
from monitor.store.database import fast_statements
from monitor.store.database.columns import from_ms, raw
from monitor.store.database.engine import known_of
from monitor.store.database.tables import evidence, outcomes
from monitor.store.outcomes import dedupe
from monitor.store.outcomes.append import CellRow, append, read_states
from monitor.store.outcomes.cells import ensure_cells, sight_of
from monitor.store.outcomes.pack import pack_evidence
from monitor.store.outcomes.rollups import add_to_rollups
from monitor.store.outcomes.rows import (
    CELL,
    COLUMNS,
    KIND,
    SLOT,
    UID,
    Encoded,
    context_key,
    encode,
    same_content,
    shared_transcript,
)

Evidence = Mapping[str, Any] | bytes
_CHUNK = 500  # bound parameters of one statement; SQLite before 3.32 allows 999
_SCHEDULED = Kind.SCHEDULED.value
_SHOWN = 200  # of an id in a sentence: all of it, in one line


class Added(StrEnum):
    """What became of one outcome."""

    ADDED = "added"
    DUPLICATE = "duplicate"  # stored already, with the same content
    CONFLICT = "conflict"  # its id or its slot is taken by another


class AddResult(NamedTuple):
    """What became of one outcome; `reason` is one sentence where it conflicts."""

    id: str
    added: Added
    reason: str | None = None


def add_outcomes(tx: Connection, items: Sequence[tuple[Outcome, Evidence | None]]) -> list[AddResult]:
    """Store outcomes with their evidence, rollups, running numbers and flags; one result each, in order.

    The same id with the same content is a duplicate and changes nothing; with other content, and for a slot
    of the same cell that another scheduled run has taken, it is a conflict and nothing of it is stored.
    """
    if not items:
        return []
    rows = _encoded(tx, [outcome for outcome, _ in items])
    states = read_states(tx, {row[CELL] for row in rows})
    results = _check(tx, rows, states)
    fresh = [index for index, result in enumerate(results) if result.added is Added.ADDED]
    if fresh:
        added = [rows[index] for index in fresh]
        append(tx, added, states)
        add_to_rollups(tx, [(rows[index], items[index][0]) for index in fresh])
        _store_evidence(tx, [items[index] for index in fresh])
    return results


def _encoded(tx: Connection, batch: Sequence[Outcome]) -> list[Encoded]:
    known = known_of(tx)
    known.trim()
    names = [(one.endpoint, one.model, one.pathway, one.location) for one in batch]
    if not known.cells.keys() >= set(names):
        first = {one.cell: one for one in reversed(batch)}
        ensure_cells(tx, known, first, lambda cell: sight_of(first[cell]))
    rows_of: Mapping[Any, int] = known.cells  # a cell and the tuple of its parts are equal
    keys = [context_key(outcome) for outcome in batch]
    texts = [shared_transcript(outcome) for outcome in batch]
    dedupe.share_contexts(tx, known, keys)
    dedupe.share_transcripts(tx, known, (text for text in texts if text is not None))
    ids = known.transcripts
    return [
        encode(outcome, rows_of[name], known.contexts[key], None if text is None else ids[text])
        for outcome, name, key, text in zip(batch, names, keys, texts, strict=True)
    ]


def _check(tx: Connection, rows: Sequence[Encoded], states: Mapping[int, CellRow]) -> list[AddResult]:
    """What becomes of each row, against what is stored and against the rows before it."""
    uids = fast_statements.many(tx, {row[UID] for row in rows})
    found = [uid for (uid,) in fast_statements.rows(tx, _stored_uids, uids=uids)]
    stored = {row.uid: row for row in _in_chunks(tx, _by_uid, found)}
    doubtful = {
        (row[CELL], row[SLOT])
        for row in rows
        if row[KIND] == _SCHEDULED and row[SLOT] <= states[row[CELL]].last_slot
    }
    taken = {(row.cell_id, row.slot): row.uid for row in _in_chunks(tx, _by_slot, doubtful)}
    seen: dict[str, Encoded] = {}
    return [_judge(row, stored, taken, seen) for row in rows]


def _judge(
    row: Encoded,
    stored: Mapping[str, Row[Any]],
    taken: dict[tuple[int, int], str],
    seen: dict[str, Encoded],
) -> AddResult:
    uid = row[UID]
    if uid in stored or uid in seen:
        there = stored.get(uid)
        if seen.get(uid) == row or (there is not None and same_content(there, row)):
            return AddResult(id=uid, added=Added.DUPLICATE)
        return _conflict(uid, f"id '{one_line(uid, _SHOWN)}' is stored already with other content")
    if row[KIND] == _SCHEDULED:
        owner = taken.setdefault((row[CELL], row[SLOT]), uid)
        if owner != uid:
            slot, run = rfc3339(from_ms(row[SLOT])), one_line(owner, _SHOWN)
            return _conflict(
                uid, f"slot {slot} of this target and location is taken by the scheduled run '{run}'"
            )
    seen[uid] = row
    return AddResult(uid, Added.ADDED)


def _conflict(uid: str, reason: str) -> AddResult:
    return AddResult(id=uid, added=Added.CONFLICT, reason=reason)


def _stored_uids(dialect: str) -> Select[Any]:
    return select(outcomes.c.uid).where(fast_statements.one_of(dialect, outcomes.c.uid, "uids"))


def _by_uid(uids: Sequence[Any]) -> Select[Any]:
    return select(*(outcomes.c[name] for name in COLUMNS)).where(outcomes.c.uid.in_(uids))


def _by_slot(slots: Sequence[Any]) -> Select[Any]:
    slot = type_coerce(outcomes.c.slot, BigInteger)
    # The literal lets SQLite see that the partial index answers this.
    scheduled = outcomes.c.kind == literal_column(f"'{_SCHEDULED}'")
    columns = (outcomes.c.cell_id, raw(outcomes.c.slot), outcomes.c.uid)
    return select(*columns).where(scheduled, tuple_(outcomes.c.cell_id, slot).in_(slots))


def _in_chunks(
    tx: Connection, statement: Callable[[Sequence[Any]], Select[Any]], wanted: Iterable[Any]
) -> Iterator[Row[Any]]:
    rest = list(wanted)
    for start in range(0, len(rest), _CHUNK):
        yield from tx.execute(statement(rest[start : start + _CHUNK]))


_EVIDENCE = ("document", "uid")


def _evidence_insert(_dialect: str) -> Insert:
    document = bindparam("document", type_=LargeBinary)
    chosen = select(outcomes.c.id, document).where(outcomes.c.uid == bindparam("uid"))
    return insert(evidence).from_select(["outcome_id", "document"], chosen)


def _store_evidence(tx: Connection, items: Iterable[tuple[Outcome, Evidence | None]]) -> None:
    rows = [
        (document if isinstance(document, bytes) else pack_evidence(document), outcome.id)
        for outcome, document in items
        if document is not None
    ]
    fast_statements.run(tx, _evidence_insert, rows, _EVIDENCE)
