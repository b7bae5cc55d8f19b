"""What pages ask of the store: whole answers for all cells at once, from indexes and rollups; it only reads.

Counts finer than an hour come from two indexes, never from the rows of passed runs: how many runs there
were, and which of them did not pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import add
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    text,
    type_coerce,
)

from monitor.core.intervals import Span
from monitor.core.model import Cell, Verdict
from monitor.core.outages.blind_spans import BELOW_PROTOCOL
from monitor.core.views.lanes import Counts
from monitor.store.database import fast_statements
from monitor.store.database.columns import from_json, from_ms, raw, to_ms
from monitor.store.database.tables import (
    UNMEASURED,
    cells,
    contexts,
    daily,
    entries,
    hourly,
    incidents,
    maintenance,
    marks,
    notices,
    outcomes,
    sights,
    skips,
    targets,
    windows,
)
from monitor.store.outcomes.cells import cell_rows
from monitor.store.outcomes.rollups import DAY_MS, HOUR_MS, in_period

# Word for word as in the index, or no database sees that the index answers.
_UNMEASURED = text(f"({UNMEASURED})")

Buckets = dict[Cell, dict[datetime, Counts]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCell:
    """A cell with the ends of its history; `since_gap` is the first run after its last gap, if it had one.

    `every` is the interval its newest run was made at, else the watch's.
    """

    cell: Cell
    provider: str | None
    region: str | None
    configuration: str | None
    every: timedelta | None
    watched: bool
    first_at: datetime
    last_at: datetime
    last_id: str
    last_verdict: Verdict
    since_gap: datetime | None


def read_seen_cells(tx: Connection, target: str | None = None) -> tuple[SeenCell, ...]:
    """Every cell with at least one run, or those of one target key, in order."""
    found = (_seen(row) for row in fast_statements.rows(tx, _select_seen))
    return tuple(
        sorted((one for one in found if target in {None, one.cell.target}), key=lambda one: one.cell)
    )


def _select_seen(_dialect: str) -> Select[Any]:
    own = outcomes.c.cell_id == cells.c.id
    first = select(func.min(raw(outcomes.c.started_at))).where(own).scalar_subquery()
    since_gap = (
        select(raw(outcomes.c.started_at))
        .where(own, _UNMEASURED, outcomes.c.silence_since.is_not(None))
        .order_by(outcomes.c.started_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    newest = outcomes.alias("newest")
    names = (targets.c.endpoint, targets.c.model, targets.c.pathway, targets.c.provider, targets.c.region)
    return (
        select(
            *names,
            cells.c.location,
            targets.c.active,
            targets.c.every_us,
            contexts.c.document,
            raw(cells.c.last_started_at),
            cells.c.last_uid,
            newest.c.verdict,
            first.label("first_at"),
            since_gap.label("since_gap"),
        )
        .join_from(cells, targets, cells.c.target_id == targets.c.id)
        .join(newest, newest.c.uid == cells.c.last_uid)
        .join(contexts, contexts.c.id == newest.c.context_id)
    )


def _seen(row: tuple[Any, ...]) -> SeenCell:
    (endpoint, model, pathway, own_provider, own_region, location, active, every_us, context,
     last_at, last_uid, verdict, first_at, since_gap) = row  # fmt: skip
    provider, region, _clip, configuration, every_s, *_names = from_json(context)
    watch = None if every_us is None else timedelta(microseconds=every_us)
    return SeenCell(
        cell=Cell(endpoint, model, pathway, location),
        provider=own_provider or provider,
        region=own_region or region,
        configuration=configuration,
        every=timedelta(seconds=every_s) if every_s else watch,
        watched=bool(active),
        first_at=from_ms(first_at),
        last_at=from_ms(last_at),
        last_id=last_uid,
        last_verdict=Verdict(verdict),
        since_gap=None if since_gap is None else from_ms(since_gap),
    )


def read_bucket_counts(
    tx: Connection, since: datetime, until: datetime, width: timedelta, wanted: Iterable[str] | None = None
) -> Buckets:
    """Runs per cell and bucket for ``since <= started_at < until``; *since* lies on a bucket of UTC.

    *wanted* are target keys. Days and hours are read from the rollups, finer buckets from the indexes.
    """
    bucket_ms = width // timedelta(milliseconds=1)
    names = {row_id: cell for cell, row_id in cell_rows(tx, wanted).items()}
    if bucket_ms % HOUR_MS == 0:
        ids = None if wanted is None else names
        found = _from_rollup(tx, ids, since, until, bucket_ms)
    else:
        found = _from_indexes(tx, names, since, until, bucket_ms)
    return _named_buckets(names, found, bucket_ms)


def read_run_counts(
    tx: Connection, since: datetime, until: datetime, width: timedelta, wanted: Iterable[str] | None = None
) -> Buckets:
    """The same for any *since*: runs are counted in the buckets of UTC in which they began."""
    bucket_ms = width // timedelta(milliseconds=1)
    names = {row_id: cell for cell, row_id in cell_rows(tx, wanted).items()}
    return _named_buckets(names, _from_indexes(tx, names, since, until, bucket_ms), bucket_ms)


def _named_buckets(names: Mapping[int, Cell], found: _Found, bucket_ms: int) -> Buckets:
    # Cells share their buckets, so that an instant is made once for all of them.
    starts = {number: from_ms(number * bucket_ms) for number in set().union(*found.values())}
    return {
        names[cell_id]: {starts[number]: Counts._make(counts) for number, counts in buckets.items()}
        for cell_id, buckets in found.items()
    }


_Found = dict[int, dict[int, list[int]]]  # counts by cell and number of the bucket
_PLACE = {Verdict.DEGRADED.value: 1, Verdict.FAILED.value: 2, Verdict.INCONCLUSIVE.value: 3}


def _from_indexes(
    tx: Connection, names: Mapping[int, Cell], since: datetime, until: datetime, bucket_ms: int
) -> _Found:
    bucket = type_coerce(outcomes.c.started_at, BigInteger) // bucket_ms
    where = (outcomes.c.cell_id.in_(names), outcomes.c.started_at >= since, outcomes.c.started_at < until)
    runs = select(outcomes.c.cell_id, bucket, func.count()).where(*where)
    found: _Found = {}
    for cell_id, number, count in tx.execute(runs.group_by(outcomes.c.cell_id, bucket)).all():
        found.setdefault(cell_id, {})[number] = [count, 0, 0, 0]
    bad = select(outcomes.c.cell_id, bucket, outcomes.c.verdict, func.count())
    bad = bad.where(*where, outcomes.c.notable == 1, outcomes.c.verdict != Verdict.PASSED.value)
    for cell_id, number, verdict, count in tx.execute(
        bad.group_by(outcomes.c.cell_id, bucket, outcomes.c.verdict)
    ):
        counts = found[cell_id][number]
        counts[0] -= count
        counts[_PLACE[verdict]] += count
    return found


def _from_rollup(
    tx: Connection, ids: Iterable[int] | None, since: datetime, until: datetime, bucket_ms: int
) -> _Found:
    period = {"since": to_ms(since), "until": to_ms(until)}
    by_day = bucket_ms % DAY_MS == 0
    if ids is None:
        rows = fast_statements.rows(tx, _select_days if by_day else _select_hours, **period)
    else:
        chosen = _select_days_of if by_day else _select_hours_of
        rows = fast_statements.rows(tx, chosen, ids=fast_statements.many(tx, ids), **period)
    found: _Found = {}
    for cell_id, start, *counts in rows:
        buckets = found.setdefault(cell_id, {})
        number = start // bucket_ms
        sums = buckets.get(number)
        buckets[number] = counts if sums is None else [*map(add, sums, counts)]
    return found


def _select_days(_dialect: str) -> Select[Any]:
    return _select_counts(daily)


def _select_hours(_dialect: str) -> Select[Any]:
    return _select_counts(hourly)


def _select_days_of(dialect: str) -> Select[Any]:
    return _select_counts(daily).where(fast_statements.one_of(dialect, daily.c.cell_id, "ids"))


def _select_hours_of(dialect: str) -> Select[Any]:
    return _select_counts(hourly).where(fast_statements.one_of(dialect, hourly.c.cell_id, "ids"))


def _select_counts(table: Table) -> Select[Any]:
    counts = (table.c[name] for name in Counts._fields)
    return select(table.c.cell_id, raw(table.c.start), *counts).where(in_period(table))


def read_silences(tx: Connection, since: datetime, until: datetime) -> dict[Cell, list[Span]] | None:
    """The gaps that runs with ``since <= started_at <= until`` ended, per cell.

    None where that is not all: a run measured nothing or reached nothing, so that there may be a blind
    span, or a cell's runs say no interval, so that its gaps follow from their spacing.
    """
    if fast_statements.rows(tx, _select_unpaced):
        return None
    names = {row_id: cell for cell, row_id in cell_rows(tx).items()}
    found: dict[Cell, list[Span]] = {}
    told = fast_statements.rows(tx, _select_unmeasured, since=to_ms(since), until=to_ms(until))
    for cell_id, silence_since, started_at, verdict, failure in told:
        if verdict == Verdict.INCONCLUSIVE.value or failure in BELOW_PROTOCOL:
            return None
        found.setdefault(names[cell_id], []).append(Span(from_ms(silence_since), from_ms(started_at)))
    return found


def _select_unpaced(_dialect: str) -> Select[Any]:
    return select(cells.c.id).where(cells.c.unpaced > 0).limit(1)


def _select_unmeasured(_dialect: str) -> Select[Any]:
    start = type_coerce(outcomes.c.started_at, BigInteger)
    since, until = (bindparam(name, type_=BigInteger) for name in ("since", "until"))
    # Naming the cells lets the index answer, which is by cell.
    within = and_(outcomes.c.cell_id.in_(select(cells.c.id)), start.between(since, until))
    told = (outcomes.c.verdict, outcomes.c.failure)
    return select(outcomes.c.cell_id, raw(outcomes.c.silence_since), raw(outcomes.c.started_at), *told).where(
        within, _UNMEASURED
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CellTotals:
    """All runs of a cell ever stored, and the slots on record as skipped."""

    cell: Cell
    counts: Counts
    skipped: int


def read_counts_of_days(
    tx: Connection, since: datetime | None = None, until: datetime | None = None
) -> dict[int, Counts]:
    """The runs of every cell by its row, from the daily rollups of ``since <= day < until``."""
    sums = select(daily.c.cell_id, *(func.sum(daily.c[name]) for name in Counts._fields))
    if since is not None:
        sums = sums.where(daily.c.start >= since)
    if until is not None:
        sums = sums.where(daily.c.start < until)
    return {row[0]: Counts(*map(int, row[1:])) for row in tx.execute(sums.group_by(daily.c.cell_id))}


def read_cell_totals(tx: Connection, counts: Mapping[int, Counts]) -> tuple[CellTotals, ...]:
    """The totals of every cell; *counts* are its runs by its row (`read_counts_of_days`)."""
    skips_of = select(skips.c.cell_id, func.sum(skips.c.slots)).group_by(skips.c.cell_id)
    skipped = {row[0]: int(row[1]) for row in tx.execute(skips_of)}
    return tuple(
        CellTotals(cell=cell, counts=counts.get(row_id, Counts()), skipped=skipped.get(row_id, 0))
        for cell, row_id in sorted(cell_rows(tx).items())
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryTotal:
    """How many notices of a channel were `sent`, `given up` or are `owed`."""

    channel: str
    result: str
    count: int


def read_delivery_totals(tx: Connection) -> tuple[DeliveryTotal, ...]:
    """Notices by channel and by what became of them."""
    result = case(
        (notices.c.sent_at.is_not(None), "sent"),
        (notices.c.gave_up_at.is_not(None), "given up"),
        else_="owed",
    )
    counted = select(notices.c.channel, result, func.count()).group_by(notices.c.channel, result)
    rows = tx.execute(counted.order_by(notices.c.channel, result))
    return tuple(DeliveryTotal(channel=row[0], result=row[1], count=row[2]) for row in rows)


def read_revision(tx: Connection) -> str:
    """A text that differs whenever what pages show does.

    That is an outcome, an entry, a mark, a pause, an incident, what was seen of our own side, or the fate
    of a notice.
    """
    return "-".join(str(part or 0) for part in fast_statements.rows(tx, _select_revision)[0])


def _select_revision(_dialect: str) -> Select[Any]:
    parts = (
        select(func.max(outcomes.c.id)),
        select(func.max(entries.c.id)),
        select(func.max(marks.c.id)),
        select(func.max(sights.c.id)),
        select(func.max(maintenance.c.id)),
        select(func.count(maintenance.c.withdrawn_at)),
        select(func.max(type_coerce(incidents.c.updated_at, BigInteger))),
        select(func.count(notices.c.sent_at)),
        select(func.sum(notices.c.attempts)),
    )
    return select(*(part.scalar_subquery() for part in parts))


def read_newest_run(tx: Connection, now: datetime | None = None) -> datetime | None:
    """When the newest run of all began; with *now* the newest that is not dated ahead of it."""
    ((found,),) = fast_statements.rows(tx, _newest_start)
    if now is not None and found is not None and found > to_ms(now):
        ((found,),) = fast_statements.rows(tx, _newest_start_by, now=to_ms(now))
    return None if found is None else from_ms(found)


def _newest_start_by(_dialect: str) -> Select[Any]:
    at = type_coerce(outcomes.c.started_at, BigInteger)
    return select(func.max(at)).where(at <= bindparam("now", type_=BigInteger))


def _newest_start(_dialect: str) -> Select[Any]:
    return select(func.max(type_coerce(cells.c.last_started_at, BigInteger)))


def read_incident_of_run(tx: Connection, cell: Cell, started_at: datetime) -> int | None:
    """The number of the incident whose window of the cell holds a run that began then."""
    row_id = cell_rows(tx, [cell.target]).get(cell)
    wanted = (
        select(incidents.c.number)
        .join_from(windows, incidents, windows.c.incident_id == incidents.c.id)
        .where(windows.c.cell_id == row_id, windows.c.start <= started_at)
        .where(or_(windows.c.end.is_(None), windows.c.end > started_at))
        .order_by(incidents.c.number.desc())
        .limit(1)
    )
    return tx.execute(wanted).scalar()
