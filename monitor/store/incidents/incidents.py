"""Incidents, their windows and the entries of their timeline; entries are only ever appended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Connection,
    Row,
    Select,
    Text,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
    type_coerce,
    union_all,
    update,
)

from monitor.core.diagnosis.diagnose import Severity
from monitor.core.errors import NotFound
from monitor.core.incidents.annotations import KINDS, Opinion, opinion_of
from monitor.core.incidents.codec import incident_to_column, read_diagnosis
from monitor.core.incidents.incident import Diagnosis, Entry, EntryKind, IncidentKind, Phase, StoredIncident
from monitor.core.model import Blame, Cell, State
from monitor.core.outages.windows import Window
from monitor.store.database import fast_statements
from monitor.store.database.columns import EVER, NEVER, from_json, from_ms, raw, to_ms
from monitor.store.database.tables import cells, entries, incidents, targets, windows
from monitor.store.outcomes.cells import cell_rows

_SETTLED = (Phase.RESOLVED, Phase.DISMISSED)
_INSTANTS = ("start", "end", "opened_at", "recovering_at", "resolved_at", "updated_at")
_PLAIN = ("id", "number", "title", *_INSTANTS)
_IS_UNRESOLVED = f"phase NOT IN ({', '.join(repr(phase.value) for phase in _SETTLED)})"


def next_number(tx: Connection) -> int:
    """The number of the next incident; writers take turns, so that nobody else gets it."""
    return int(tx.execute(select(func.coalesce(func.max(incidents.c.number), 0))).scalar_one()) + 1


def save_incident(tx: Connection, incident: StoredIncident) -> None:
    """Store the incident, or its new value under the same `id`."""
    values = {name: getattr(incident, name) for name in _PLAIN}
    values |= {"phase": incident.phase.value, "severity": incident.severity.value}
    values |= {"kind": incident.kind.value}
    values |= {"blame": incident.blame.value, "configurations": list(incident.configurations)}
    values |= {"rule": dict(incident.rule), "document": incident_to_column(incident)}
    changed = tx.execute(update(incidents).where(incidents.c.id == incident.id).values(values))
    if changed.rowcount == 0:
        tx.execute(insert(incidents).values(values))


def read_unresolved_incidents(tx: Connection) -> tuple[StoredIncident, ...]:
    """Every incident that is neither resolved nor dismissed, by start."""
    return tuple(map(_incident, fast_statements.rows(tx, _unresolved)))


def _unresolved(_dialect: str) -> Select[Any]:
    # The literal phases let SQLite see that the partial index answers.
    return _select_incidents().where(text(_IS_UNRESOLVED)).order_by(incidents.c.start, incidents.c.id)


def read_incidents_since(tx: Connection, instant: datetime) -> tuple[StoredIncident, ...]:
    """Every unresolved incident, and those that were resolved at or after an instant, by start."""
    # Asked with every recorded run, and usually there is none.
    ids = [row[0] for row in fast_statements.rows(tx, _ids_since, instant=to_ms(instant))]
    if not ids:
        return ()
    wanted = _select_incidents().where(incidents.c.id.in_(ids))
    return _incidents(tx, wanted.order_by(incidents.c.start, incidents.c.id))


def _ids_since(_dialect: str) -> CompoundSelect[Any]:
    resolved_at = type_coerce(incidents.c.resolved_at, BigInteger)
    recent = resolved_at >= bindparam("instant", type_=BigInteger)
    resolved = incidents.c.phase == literal_column(f"'{Phase.RESOLVED.value}'")
    # Two questions, for SQLite answers an OR of them by reading every incident there ever was.
    return union_all(
        select(incidents.c.id).where(text(_IS_UNRESOLVED)), select(incidents.c.id).where(resolved, recent)
    )


def read_incident(tx: Connection, number: int) -> StoredIncident:
    """The incident of that number; NotFound where there is none."""
    found = _incidents(tx, _select_incidents().where(incidents.c.number == number))
    if not found:
        raise NotFound(f"there is no incident {number}")
    return found[0]


def read_numbered_incidents(
    tx: Connection,
    *,
    limit: int = 50,
    before: int | None = None,
    kinds: Collection[IncidentKind] = tuple(IncidentKind),
) -> tuple[StoredIncident, ...]:
    """Numbered incidents of these kinds, the newest number first.

    At most *limit* (at most 1000), below number *before*.
    """
    asked = {
        "below": NEVER if before is None else before,
        "kinds": fast_statements.many(tx, [kind.value for kind in kinds]),
        "most": max(1, min(limit, 1000)),
    }
    return tuple(map(_incident, fast_statements.rows(tx, _numbered, **asked)))


def _numbered(dialect: str) -> Select[Any]:
    below, most = (bindparam(name, type_=BigInteger) for name in ("below", "most"))
    wanted = _select_incidents().where(incidents.c.number < below)
    wanted = wanted.where(fast_statements.one_of(dialect, incidents.c.kind, "kinds"))
    return wanted.order_by(incidents.c.number.desc()).limit(most)


def _incidents(tx: Connection, wanted: Select[Any]) -> tuple[StoredIncident, ...]:
    return tuple(map(_incident, tx.execute(wanted).all()))


def _select_incidents() -> Select[Any]:
    """Every column as it is stored; instants and documents are read by `_incident`."""
    documents = ("rule", "configurations", "document")
    return select(
        *(incidents.c[name] for name in ("id", "number", "kind", "phase", "severity", "blame", "title")),
        *(raw(incidents.c[name]) for name in _INSTANTS),
        *(type_coerce(incidents.c[name], Text) for name in documents),
    )


def _incident(row: Sequence[Any]) -> StoredIncident:
    (id_, number, kind, phase, severity, blame, title, start, end, opened_at, recovering_at,
     resolved_at, updated_at, rule, configurations, document) = row  # fmt: skip
    return StoredIncident(
        id=id_,
        number=number,
        kind=IncidentKind(kind),
        phase=Phase(phase),
        severity=Severity(severity),
        blame=Blame(blame),
        title=title,
        start=from_ms(start),
        end=_instant(end),
        opened_at=_instant(opened_at),
        recovering_at=_instant(recovering_at),
        resolved_at=_instant(resolved_at),
        updated_at=from_ms(updated_at),
        rule=from_json(rule),
        configurations=tuple(from_json(configurations)),  # equal to what was saved: no change, no write
        diagnosis=_diagnosis(document),
    )


@lru_cache(maxsize=1024)  # the unresolved ones are read with every recorded run: 1 µs in place of 70 and more
def _diagnosis(document: str) -> Diagnosis:
    return read_diagnosis(from_json(document))


def add_entries(tx: Connection, added: Iterable[Entry]) -> None:
    """Append lines to timelines."""
    rows = [
        asdict(entry)
        | {
            "kind": entry.kind.value,
            "blame": entry.blame and entry.blame.value,
            "severity": entry.severity and entry.severity.value,
        }
        for entry in added
    ]
    if rows:
        tx.execute(insert(entries), rows)


def read_entries(tx: Connection, incident_id: str) -> tuple[Entry, ...]:
    """The timeline of an incident in the order in which it happened, then was written."""
    wanted = select(entries).where(entries.c.incident_id == incident_id).order_by(entries.c.at, entries.c.id)
    return tuple(_entry(row) for row in tx.execute(wanted))


def read_opinions(tx: Connection, incident_ids: Sequence[str]) -> dict[str, Opinion]:
    """What people say of these incidents, by id; incidents of which nobody says anything are left out."""
    said: dict[str, list[Entry]] = {}
    kinds = entries.c.kind.in_([kind.value for kind in KINDS])
    for start in range(0, len(incident_ids), 500):
        chosen = entries.c.incident_id.in_(incident_ids[start : start + 500])
        for row in tx.execute(select(entries).where(chosen, kinds).order_by(entries.c.id)):
            said.setdefault(row.incident_id, []).append(_entry(row))
    return {incident_id: opinion_of(lines) for incident_id, lines in said.items()}


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        incident_id=row.incident_id,
        at=row.at,
        kind=EntryKind(row.kind),
        text=row.text,
        author=row.author,
        blame=Blame(row.blame) if row.blame else None,
        severity=Severity(row.severity) if row.severity else None,
    )


def replace_windows(
    tx: Connection, since: datetime | None, derived: Sequence[tuple[Window, str | None]]
) -> None:
    """Let the stored windows that start at or after *since* (all, where it is None) be exactly these.

    Each comes with the id of its incident, or None. What is stored already is left as it is.
    """
    ids = cell_rows(tx)
    wanted = {
        (ids[window.cell], window.state.value, window.start): _window_values(window, incident_id)
        for window, incident_id in derived
    }
    stored = select(windows) if since is None else select(windows).where(windows.c.start >= since)
    for row in tx.execute(stored).mappings().all():
        values = wanted.pop((row["cell_id"], row["state"], row["start"]), None)
        mine = windows.c.id == row["id"]
        if values is None:
            tx.execute(windows.delete().where(mine))
        elif any(row[name] != value for name, value in values.items()):
            tx.execute(update(windows).where(mine).values(values))
    for (cell_id, _, _), values in wanted.items():
        tx.execute(insert(windows).values(cell_id=cell_id, **values))


def _window_values(window: Window, incident_id: str | None) -> dict[str, Any]:
    return {
        "incident_id": incident_id,
        "state": window.state.value,
        "start": window.start,
        "start_after": window.start_after,
        "end": window.end,
        "end_after": window.end_after,
        "failed": window.failed,
        "total": window.total,
        "open": int(window.open),
        "decided_at": window.decided_at,
        "closed_at": window.closed_at,
        "continues_until": window.continues_until,
        "first_uid": window.first_id,
        "last_uid": window.last_id,
    }


def read_windows(
    tx: Connection, since: datetime | None = None, until: datetime | None = None
) -> tuple[Window, ...]:
    """The windows that touch ``since … until``, by start and cell."""
    bounds = {
        "since": EVER if since is None else to_ms(since),
        "until": NEVER if until is None else to_ms(until),
    }
    return _windows(fast_statements.rows(tx, _touching_windows, **bounds))


def _touching_windows(_dialect: str) -> Select[Any]:
    start, end = (type_coerce(column, BigInteger) for column in (windows.c.start, windows.c.end))
    since, until = (bindparam(name, type_=BigInteger) for name in ("since", "until"))
    return _select_windows().where(or_(windows.c.end.is_(None), end >= since), start < until)


def read_open_windows(tx: Connection) -> tuple[Window, ...]:
    """The windows that have not ended, by start and cell."""
    return _windows(fast_statements.rows(tx, _open_windows))


def _open_windows(_dialect: str) -> Select[Any]:
    return _select_windows().where(windows.c.end.is_(None))


def read_last_ends(tx: Connection) -> dict[Cell, datetime]:
    """When the last window of each cell that had one ended."""
    return {Cell(*row[:4]): from_ms(row[4]) for row in fast_statements.rows(tx, _last_ends)}


def _last_ends(_dialect: str) -> Select[Any]:
    names = (targets.c.endpoint, targets.c.model, targets.c.pathway, cells.c.location)
    return (
        select(*names, func.max(type_coerce(windows.c.end, BigInteger)))
        .join_from(windows, cells, windows.c.cell_id == cells.c.id)
        .join(targets, cells.c.target_id == targets.c.id)
        .where(windows.c.end.is_not(None))
        .group_by(*names)
    )


def _select_windows() -> Select[Any]:
    edges = ("start", "start_after", "end", "end_after", "decided_at", "closed_at", "continues_until")
    return (
        select(
            *(targets.c[name] for name in ("endpoint", "model", "pathway")),
            cells.c.location,
            *(windows.c[name] for name in ("state", "failed", "total", "open", "first_uid", "last_uid")),
            *(raw(windows.c[name]) for name in edges),
        )
        .join_from(windows, cells, windows.c.cell_id == cells.c.id)
        .join(targets, cells.c.target_id == targets.c.id)
    )


def _windows(rows: Iterable[tuple[Any, ...]]) -> tuple[Window, ...]:
    return tuple(sorted(map(_window, rows), key=lambda window: (window.start, window.cell, window.state)))


def _window(row: tuple[Any, ...]) -> Window:
    (endpoint, model, pathway, location, state, failed, total, is_open, first_id, last_id,
     start, start_after, end, end_after, decided_at, closed_at, continues_until) = row  # fmt: skip
    return Window(
        cell=Cell(endpoint, model, pathway, location),
        state=State(state),
        start=from_ms(start),
        start_after=_instant(start_after),
        end=_instant(end),
        end_after=from_ms(end_after),
        failed=failed,
        total=total,
        open=bool(is_open),
        decided_at=from_ms(decided_at),
        closed_at=_instant(closed_at),
        continues_until=from_ms(continues_until),
        first_id=first_id,
        last_id=last_id,
    )


def _instant(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)
