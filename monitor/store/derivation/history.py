"""What the verdict asks of stored outcomes, answered from indexes.

Only what did not pass, and where the look-back starts afresh, is read; the passes between follow from the
running numbers. It reads what was committed when its transaction began, and keeps answers: make a new one
for each transaction.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from sqlalchemy import Connection, Select, select

from monitor.core.model import Blame, Cell, Failure, Stage, Verdict
from monitor.core.outages.history import StoredRun
from monitor.core.outages.marks import Mark
from monitor.core.outages.rule import GAP_INTERVALS
from monitor.core.outages.self_observations import SelfObservation
from monitor.store.database import fast_statements
from monitor.store.database.columns import EVER, NEVER, ceil_ms, from_json, from_ms, raw, to_ms
from monitor.store.database.tables import cells, contexts, targets
from monitor.store.derivation import queries
from monitor.store.derivation.marks import read_marks
from monitor.store.derivation.self_observations import read_self_observations

_VERDICTS = {member.value: member for member in Verdict}
_FAILURES: Mapping[str | None, Failure | None] = {None: None} | {member.value: member for member in Failure}
_STAGES: Mapping[str | None, Stage | None] = {None: None} | {member.value: member for member in Stage}
_BLAMES: Mapping[str | None, Blame | None] = {None: None} | {member.value: member for member in Blame}


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a cell's row says; instants in ms."""

    row_id: int
    runs: int
    conclusive: int
    unpaced: int
    last_ms: int
    provider: str | None
    region: str | None
    unwatched_ms: int | None


class StoreHistory:
    """The `History` protocol over stored outcomes.

    *every* holds the watches' intervals by target key; they serve runs without an `every_s`.
    """

    def __init__(self, tx: Connection, every: Mapping[str, timedelta] | None = None) -> None:
        self._tx = tx
        self._every = every or {}
        self._facts = _read_facts(tx)
        self._contexts: dict[int, tuple[float | None, str | None, str | None]] = {}
        self._spacings: dict[Cell, timedelta | None] = {}
        self._held: dict[Cell, list[StoredRun]] = {}
        self._held_range: tuple[int, int] | None = None
        self._counts: dict[tuple[int, int], int] = {}
        self._lasts: dict[tuple[int, int], StoredRun | None] = {}
        self._newest: Mapping[int, Any] | None = None  # by the cell's row

    def prefetch(self, since: datetime | None = None, until: datetime | None = None) -> StoreHistory:
        """Read at once every cell's notable runs with ``since <= started_at <= until``; returns itself."""
        low, high = _bounds(since, until)
        names = {facts.row_id: cell for cell, facts in self._facts.items()}
        held: dict[Cell, list[Any]] = defaultdict(list)
        for row in queries.notable_of_all(self._tx, low, high):
            held[names[row[queries.CELL]]].append(row)
        self._held = {cell: self._notable_runs(cell, held[cell], low, high) for cell in self._facts}
        oldest = queries.oldest(self._tx)
        self._held_range = (EVER if oldest is None or low <= oldest else low, high)
        return self

    def cells(self) -> Sequence[Cell]:
        """Every cell with at least one run, sorted."""
        return sorted(self._facts)

    def facets(self, cell: Cell) -> Mapping[str, str | None]:
        """The facets of the cell's newest run."""
        facts = self._facts[cell]
        return {
            "endpoint": cell.endpoint,
            "region": facts.region,
            "provider": facts.provider,
            "model": cell.model,
            "pathway": cell.pathway,
            "location": cell.location,
        }

    def unwatched_since(self, cell: Cell) -> datetime | None:
        """Return when the cell's target left the configuration; None while it is watched."""
        at = self._facts[cell].unwatched_ms
        return None if at is None else from_ms(at)

    def not_passed(self, cell: Cell, since: datetime | None, until: datetime | None) -> Sequence[StoredRun]:
        """The notable runs with ``since <= started_at <= until``, in order."""
        low, high = _bounds(since, until)
        if self._holds(low, high):
            runs = self._held[cell]
            first = 0 if since is None else bisect_left(runs, since, key=_start)
            last = len(runs) if until is None else bisect_right(runs, until, key=_start)
            return runs[first:last]
        rows = queries.notable_of(self._tx, self._facts[cell].row_id, low, high)
        return self._notable_runs(cell, rows, low, high)

    def _holds(self, low: int, high: int) -> bool:
        return self._held_range is not None and self._held_range[0] <= low and high <= self._held_range[1]

    def _notable_runs(self, cell: Cell, rows: Sequence[Any], low: int, high: int) -> list[StoredRun]:
        limit = self._silence_limit(cell)
        if limit is not None:
            silent = queries.after_silence(self._tx, self._facts[cell].row_id, limit, low, high)
            every = {row[queries.UID]: row for row in (*rows, *silent)}
            rows = sorted(every.values(), key=lambda row: (row[queries.STARTED], row[queries.UID]))
        return self._runs(rows, limit)

    def _silence_limit(self, cell: Cell) -> int | None:
        """The longest pause in ms that is no gap behind a run without an interval; None without such runs."""
        if not self._facts[cell].unpaced:
            return None
        typical = self.typical_spacing(cell)
        return None if typical is None else GAP_INTERVALS * typical // timedelta(milliseconds=1)

    def count(self, cell: Cell, since: datetime | None, until: datetime | None) -> int:
        """How many conclusive runs have ``since <= started_at < until``."""
        before = 0 if since is None else self._count_before(cell, ceil_ms(since))
        up_to = self._facts[cell].conclusive if until is None else self._count_before(cell, ceil_ms(until))
        return max(0, up_to - before)

    def _count_before(self, cell: Cell, at: int) -> int:
        facts = self._facts[cell]
        if at > facts.last_ms:
            return facts.conclusive
        key = facts.row_id, at
        if key not in self._counts:
            self._counts[key] = queries.number_before(self._tx, *key)
        return self._counts[key]

    def start_of(self, cell: Cell, number: int) -> datetime | None:
        """When the conclusive run of that number began."""
        facts = self._facts[cell]
        if not 0 < number <= facts.conclusive:
            return None
        low, high = (EVER, 0), (facts.last_ms, facts.conclusive)
        runs = self._held.get(cell, [])
        at = bisect_left(runs, number, key=_number)
        if at:
            low = (to_ms(runs[at - 1].started_at) - 1, runs[at - 1].number)
        if at < len(runs):
            high = (to_ms(runs[at].started_at), runs[at].number)
        return from_ms(queries.start_of(self._tx, facts.row_id, number, low, high))

    def last_run(self, cell: Cell, until: datetime | None) -> StoredRun | None:
        """The latest run of any verdict with ``started_at <= until``."""
        facts, at = self._facts[cell], _bounds(None, until)[1]
        if at >= facts.last_ms:
            return self._newest_of(cell)
        key = facts.row_id, at
        if key not in self._lasts:
            row = queries.last_run(self._tx, *key)
            self._lasts[key] = self._runs([row], self._silence_limit(cell))[0] if row else None
        return self._lasts[key]

    def _newest_of(self, cell: Cell) -> StoredRun:
        # Whoever asks for one asks for all: one question instead of one per cell.
        if self._newest is None:
            self._newest = {row[queries.CELL]: row for row in queries.newest_of_all(self._tx)}
        row = self._newest[self._facts[cell].row_id]
        return self._runs([row], self._silence_limit(cell))[0]

    def last_pass(self, cell: Cell, configuration: str | None, before: datetime) -> datetime | None:
        """When the latest passed run with this configuration before an instant began."""
        found = queries.last_pass(self._tx, self._facts[cell].row_id, configuration, ceil_ms(before))
        return None if found is None else from_ms(found)

    def typical_spacing(self, cell: Cell) -> timedelta | None:
        """The watch's `every` for this cell, else the median spacing behind its runs that say none."""
        if cell.target in self._every:
            return self._every[cell.target]
        if cell not in self._spacings:
            self._spacings[cell] = self._median_spacing(self._facts[cell])
        return self._spacings[cell]

    def _median_spacing(self, facts: _Facts) -> timedelta | None:
        if facts.runs < 2:
            return None
        if facts.unpaced:  # runs that do say their interval have no part in that of the others
            middle = queries.middle_spacings(self._tx, facts.row_id, facts.unpaced)
        else:  # every run says its own: rarely asked for, and read in full
            middle = [later - start for start, later in pairwise(queries.starts(self._tx, facts.row_id))]
        return timedelta(milliseconds=median(middle))

    def runs(self) -> int:
        """How many runs there are of all cells."""
        return sum(facts.runs for facts in self._facts.values())

    def newest(self) -> datetime | None:
        """The start of the newest run of all."""
        return from_ms(max(facts.last_ms for facts in self._facts.values())) if self._facts else None

    def sights(
        self, location: str, since: datetime | None, until: datetime | None
    ) -> Sequence[SelfObservation]:
        """What was seen of our own side at a location, as far as it reaches into ``[since, until]``."""
        return read_self_observations(self._tx, location, since, until)

    def marks(self, since: datetime, until: datetime) -> Sequence[Mark]:
        """What people noted with ``since <= at <= until``, in order."""
        return read_marks(self._tx, since, until)

    def _runs(self, rows: Iterable[Any], limit: int | None) -> list[StoredRun]:
        known = self._contexts
        missing = {row[queries.CONTEXT] for row in rows} - known.keys()
        if missing:
            self._learn_contexts(sorted(missing))
        return [_run(row, *known[row[queries.CONTEXT]], limit) for row in rows]

    def _learn_contexts(self, missing: Sequence[int]) -> None:
        ids = fast_statements.many(self._tx, missing)
        for row_id, text in fast_statements.rows(self._tx, _select_contexts, ids=ids):
            document = from_json(text)
            self._contexts[row_id] = (document[4], document[3], document[7] if len(document) > 7 else None)


def _select_contexts(dialect: str) -> Select[Any]:
    chosen = fast_statements.one_of(dialect, contexts.c.id, "ids")
    return select(contexts.c.id, contexts.c.document).where(chosen)


def _read_facts(tx: Connection) -> dict[Cell, _Facts]:
    return {
        Cell(*row[:4]): _Facts(*row[4:9], *from_json(row[9])[:2], *row[10:])
        for row in fast_statements.rows(tx, _select_facts)
    }


def _select_facts(_dialect: str) -> Select[Any]:
    columns = (targets.c.endpoint, targets.c.model, targets.c.pathway, cells.c.location)
    counts = (cells.c.id, cells.c.runs, cells.c.conclusive, cells.c.unpaced, raw(cells.c.last_started_at))
    return (
        select(*columns, *counts, contexts.c.document, raw(targets.c.unwatched_at))
        .join_from(cells, targets, cells.c.target_id == targets.c.id)
        .join(contexts, cells.c.last_context_id == contexts.c.id)
    )


def _bounds(since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """The range in ms, both ends included."""
    return (
        EVER if since is None else ceil_ms(since),
        NEVER if until is None else to_ms(until),
    )


def _run(
    row: Any, every_s: float | None, configuration: str | None, host: str | None, limit: int | None
) -> StoredRun:
    (started_at, uid, number, verdict, failure, stage, blame, kind, code, message, http_status, close_code,
     _context, fresh, silence_since, spacing, _cell) = row  # fmt: skip
    if limit is not None and spacing is not None and spacing > limit:
        fresh, silence_since = 1, started_at - spacing
    return StoredRun(
        from_ms(started_at),
        uid,
        number,
        _VERDICTS[verdict],
        _FAILURES[failure],
        _STAGES[stage],
        _BLAMES[blame],
        kind,
        code,
        message,
        http_status,
        close_code,
        every_s,
        configuration,
        bool(fresh),
        None if silence_since is None else from_ms(silence_since),
        host=host,
    )


def _start(run: StoredRun) -> datetime:
    return run.started_at


def _number(run: StoredRun) -> int:
    return run.number
