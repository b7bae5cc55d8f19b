"""What many runs share, kept once: the ids of contexts and of transcripts, made where they are missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from monitor.store.database.id_cache import IdCache
from monitor.store.database.tables import contexts, transcripts
from monitor.store.outcomes.rows import context_values, digest

_CHUNK = 500


def share_contexts(tx: Connection, known: IdCache, keys: Iterable[tuple[Any, ...]]) -> None:
    """Let *known* hold the id, the configuration and the interval of every context key."""
    missing = {key: context_values(key) for key in keys if key not in known.contexts}
    ids = _ids(tx, contexts, list(missing.values()))
    for key, values in missing.items():
        row_id = ids[values["digest"]]
        known.contexts[key] = row_id
        known.context_facts[row_id] = (values["configuration"], values["every_us"])


def share_transcripts(tx: Connection, known: IdCache, texts: Iterable[str]) -> None:
    """Let *known* hold the id of every text."""
    missing = {text: digest(text) for text in texts if text not in known.transcripts}
    ids = _ids(tx, transcripts, [{"digest": key, "text": text} for text, key in missing.items()])
    known.transcripts.update((text, ids[key]) for text, key in missing.items())


def _ids(tx: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> dict[bytes, int]:
    """Row ids by digest; rows that are not there yet are added."""
    wanted = {row["digest"]: row for row in rows}
    found = _found(tx, table, list(wanted))
    new = [row for key, row in wanted.items() if key not in found]
    if new:
        tx.execute(insert(table), new)
        found |= _found(tx, table, [row["digest"] for row in new])
    return found


def _found(tx: Connection, table: Table, digests: Sequence[bytes]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for start in range(0, len(digests), _CHUNK):
        some = table.c.digest.in_(digests[start : start + _CHUNK])
        found.update(
            (bytes(row.digest), row.id) for row in tx.execute(select(table.c.id, table.c.digest).where(some))
        )
    return found
