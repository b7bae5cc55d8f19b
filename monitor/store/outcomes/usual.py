"""How long the final text of a cell usually takes, clip by clip, from the runs that passed.

A few passed runs of each quarter of a day give the median of that day; the median of the newest seven such
days is what is usual. Runs that were too slow are degraded and do not count, and a day of nothing else is
passed over, however many follow each other: so a slowdown that lasts never becomes the usual. What is read
is bounded, whatever was stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, and_, bindparam, literal_column, select, type_coerce

from monitor.core.model import Verdict
from monitor.store.database import fast_statements
from monitor.store.database.columns import from_json, raw
from monitor.store.database.tables import contexts, outcomes

DAY_MS = 86_400_000
DAYS = 7  # of which each is as good as another
LEAST_OF_A_DAY, LEAST = 3, 20  # runs below which a median says nothing: of one day, and of all
_QUARTER_MS = DAY_MS // 4
_EACH = LEAST  # runs of a quarter of a day: as many as are needed on the first
_FURTHEST = 60  # days with a pass that are looked at; most of them are days with enough

_cell, _low, _high = (bindparam(name, type_=BigInteger) for name in ("cell", "low", "high"))
_at = type_coerce(outcomes.c.started_at, BigInteger)
_passed = outcomes.c.verdict == literal_column(f"'{Verdict.PASSED.value}'")


def read_usual_latency(tx: Connection, cell_id: int, before: int) -> Mapping[str, float]:
    """The usual time to the final text in ms by clip, of the runs before that instant in ms."""
    medians: dict[str, list[float]] = {}
    counted: dict[str, int] = {}
    good = 0
    for runs in _days(tx, cell_id, before):
        enough = {clip: finals for clip, finals in runs.items() if len(finals) >= LEAST_OF_A_DAY}
        for clip, finals in enough.items():
            medians.setdefault(clip, []).append(median(finals))
            counted[clip] = counted.get(clip, 0) + len(finals)
        good += bool(enough)
        if good == DAYS:
            break
    return {clip: median(days) for clip, days in medians.items() if counted[clip] >= LEAST}


def _days(tx: Connection, cell_id: int, before: int) -> Iterator[Mapping[str, Sequence[float]]]:
    """The days in which the cell passed, the newest first: latencies of some of their runs by clip."""
    for _ in range(_FURTHEST):
        newest = fast_statements.row(tx, _last_pass, cell=cell_id, high=before)
        if newest is None:
            return
        start = newest[0] - newest[0] % DAY_MS
        runs: dict[str, list[float]] = {}
        for low in range(start, min(start + DAY_MS, before), _QUARTER_MS):
            high = min(low + _QUARTER_MS, before)
            for context, document in fast_statements.rows(tx, _passes, cell=cell_id, low=low, high=high):
                _count(runs, from_json(context), from_json(document) if document else ())
        yield runs
        before = start


def _count(runs: dict[str, list[float]], context: Sequence[Any], own: Sequence[Any]) -> None:
    """Count one run under its clip, if it says how long its text took."""
    timings = dict(zip(context[5], (own[0] if own else None) or (), strict=False))
    if timings.get("final") is not None:
        runs.setdefault(context[2] or "", []).append(timings["final"])


def _last_pass(_dialect: str) -> Select[Any]:
    mine = and_(outcomes.c.cell_id == _cell, _at < _high, _passed)
    return select(raw(outcomes.c.started_at)).where(mine).order_by(outcomes.c.started_at.desc()).limit(1)


def _passes(_dialect: str) -> Select[Any]:
    mine = and_(outcomes.c.cell_id == _cell, _at >= _low, _at < _high, _passed)
    return (
        select(contexts.c.document, outcomes.c.document)
        .join_from(outcomes, contexts, outcomes.c.context_id == contexts.c.id)
        .where(mine)
        .order_by(outcomes.c.started_at)
        .limit(literal_column(str(_EACH)))
    )
