"""Targets and their cells: which are watched, and the rows that outcomes hang on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, bindparam, insert, select, update

from monitor.core.model import Cell, Outcome, Target
from monitor.store.database import fast_statements
from monitor.store.database.id_cache import IdCache
from monitor.store.database.tables import cells, targets
from monitor.store.outcomes.rows import every_us


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTarget:
    """A target that is watched or was; `active` says whether the configuration in force watches it."""

    key: str
    endpoint: str
    model: str
    pathway: str
    provider: str | None
    region: str | None
    configuration: str | None
    every: timedelta | None
    active: bool
    first_seen: datetime


class FirstSight(NamedTuple):
    """What is known of a target that no configuration names when it is first seen."""

    first_seen: datetime
    provider: str | None = None
    region: str | None = None
    configuration: str | None = None
    every_us: int | None = None


_Name = tuple[str, str, str]


def sync_targets(tx: Connection, watched: Iterable[Target], now: datetime) -> None:
    """Make exactly the *watched* targets active; the others stay, with all that was seen of them."""
    known = {(row.endpoint, row.model, row.pathway): row for row in tx.execute(select(targets))}
    wanted = {(target.endpoint.name, target.model, target.pathway): _values(target) for target in watched}
    new = [
        {**_named(name), **values, "first_seen": now} for name, values in wanted.items() if name not in known
    ]
    changed = [{"row_id": known[name].id, **values} for name, values in wanted.items() if name in known]
    stale = [row.id for name, row in known.items() if name not in wanted and row.active]
    if new:
        tx.execute(insert(targets), new)
    if changed:
        values: dict[str, Any] = {name: bindparam(name) for name in changed[0] if name != "row_id"}
        tx.execute(update(targets).where(targets.c.id == bindparam("row_id")).values(values), changed)
    if stale:
        tx.execute(update(targets).where(targets.c.id.in_(stale)).values(active=0, unwatched_at=now))


def _values(target: Target) -> dict[str, Any]:
    return {
        "provider": target.endpoint.provider,
        "region": target.endpoint.region,
        "configuration": target.configuration,
        "every_us": target.every // timedelta(microseconds=1),
        "active": 1,
        "unwatched_at": None,
    }


def _named(name: _Name) -> dict[str, str]:
    return dict(zip(("endpoint", "model", "pathway"), name, strict=True))


def read_targets(tx: Connection) -> tuple[StoredTarget, ...]:
    """Every target ever seen, by endpoint, model and pathway."""
    rows = tx.execute(select(targets))
    return tuple(
        sorted((_stored(row) for row in rows), key=lambda one: (one.endpoint, one.model, one.pathway))
    )


def _stored(row: Row[Any]) -> StoredTarget:
    return StoredTarget(
        key=f"{row.endpoint}/{row.model}/{row.pathway}",
        endpoint=row.endpoint,
        model=row.model,
        pathway=row.pathway,
        provider=row.provider,
        region=row.region,
        configuration=row.configuration,
        every=None if row.every_us is None else timedelta(microseconds=row.every_us),
        active=bool(row.active),
        first_seen=row.first_seen,
    )


def cell_rows(tx: Connection, wanted: Iterable[str] | None = None) -> dict[Cell, int]:
    """The row ids of the cells of some target keys, or of all."""
    found = {Cell(*name): row_id for row_id, *name in fast_statements.rows(tx, _select_cells)}
    if wanted is None:
        return found
    keys = set(wanted)
    return {cell: row_id for cell, row_id in found.items() if cell.target in keys}


def _select_cells(_dialect: str) -> Select[Any]:
    named = select(cells.c.id, targets.c.endpoint, targets.c.model, targets.c.pathway, cells.c.location)
    return named.join_from(cells, targets, cells.c.target_id == targets.c.id)


def ensure_cells(
    tx: Connection, known: IdCache, wanted: Iterable[Cell], describe: Callable[[Cell], FirstSight]
) -> Mapping[Cell, int]:
    """The row ids of all cells; those of *wanted* that nobody has seen yet are made as *describe* says."""
    wanted = set(wanted)
    if not wanted <= known.cells.keys():
        known.cells.update(cell_rows(tx))
    missing = sorted(wanted - known.cells.keys())
    if missing:
        _add_cells(tx, missing, describe)
        known.cells.update(cell_rows(tx))
    return known.cells


def _add_cells(tx: Connection, missing: Sequence[Cell], describe: Callable[[Cell], FirstSight]) -> None:
    ids = _target_rows(tx)
    new = {cell[:3]: describe(cell) for cell in missing if cell[:3] not in ids}
    if new:
        tx.execute(
            insert(targets), [{**_named(name), **sight._asdict(), "active": 0} for name, sight in new.items()]
        )
        ids = _target_rows(tx)
    nothing_yet = {"runs": 0, "conclusive": 0, "unpaced": 0}
    rows = [{"target_id": ids[cell[:3]], "location": cell.location, **nothing_yet} for cell in missing]
    tx.execute(insert(cells), rows)


def _target_rows(tx: Connection) -> dict[_Name, int]:
    return {(row.endpoint, row.model, row.pathway): row.id for row in tx.execute(select(targets))}


def sight_of(outcome: Outcome) -> FirstSight:
    """What an outcome says of a target that no configuration names."""
    return FirstSight(
        first_seen=outcome.started_at,
        provider=outcome.provider,
        region=outcome.region,
        configuration=outcome.configuration,
        every_us=every_us(outcome.every_s),
    )
