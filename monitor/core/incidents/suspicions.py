"""How a cell stands now: its state, and whether bad runs wait to become a window, or to be none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.core.incidents.incident import Derivation, Suspicion
from monitor.core.model import Cell, State, Verdict
from monitor.core.outages.blind_spans import is_unreachable
from monitor.core.outages.gaps import gap_limit
from monitor.core.outages.history import History, StoredRun, until_after
from monitor.core.outages.lookback import LONGEST_SILENCE, is_settled, oldest_number, reached
from monitor.core.outages.rule import GAP_INTERVALS, Rule, Threshold
from monitor.core.outages.windows import Pending


def state_now(
    cell: Cell, derivation: Derivation, last_run: StoredRun | None, now: datetime, every: timedelta | None
) -> State:
    """The state of a cell; unknown where its last run is too old or measured nothing.

    *every* serves a last run without an `every_s`; without either no age is too old. Maintenance is
    not seen here.
    """
    if last_run is None or _is_stale(last_run, now, every) or _is_blind(cell, derivation, last_run):
        return State.UNKNOWN
    states = {window.state for window in derivation.windows if window.cell == cell and window.open}
    return next((state for state in (State.DOWN, State.DEGRADED) if state in states), State.UP)


def _is_stale(last_run: StoredRun, now: datetime, every: timedelta | None) -> bool:
    own = every if last_run.every_s is None else timedelta(seconds=last_run.every_s)
    return own is not None and now - last_run.started_at > GAP_INTERVALS * own


def _is_blind(cell: Cell, derivation: Derivation, last_run: StoredRun) -> bool:
    """Whether the last run lies in a blind span of its location and measured nothing."""
    if last_run.verdict is not Verdict.INCONCLUSIVE and not is_unreachable(last_run):
        return False
    return any(
        span.location == cell.location and span.start <= last_run.started_at <= span.end
        for span in derivation.blind
    )


def suspicions(history: History, derivation: Derivation, rule: Rule, now: datetime) -> tuple[Suspicion, ...]:
    """The cells with bad runs that no window explains yet, in order of cell.

    A suspicion lasts until its last bad run has left the look-back of *down*, or until a silence makes
    the look-back start afresh. Bad runs that would continue a window belong to its incident.
    """
    found: dict[Cell, list[Pending]] = {}
    for pending in derivation.pending:
        if _is_suspicious(history, derivation, rule, now, pending):
            found.setdefault(pending.cell, []).append(pending)
    return tuple(
        Suspicion(
            cell=cell,
            first_at=min(pending.first_at for pending in group),
            bad=max(pending.bad for pending in group),
        )
        for cell, group in sorted(found.items())
    )


def undecided(
    history: History, derivation: Derivation, rule: Rule, now: datetime
) -> Mapping[State, frozenset[Cell]]:
    """By track the cells whose bad runs may yet open a window together with the runs to come."""
    return {
        state: frozenset(
            pending.cell
            for pending in derivation.pending
            if pending.state is state and _may_open(history, pending, threshold, now)
        )
        for state, threshold in ((State.DOWN, rule.down), (State.DEGRADED, rule.degraded))
    }


def _may_open(history: History, pending: Pending, threshold: Threshold, now: datetime) -> bool:
    newest = _newest_bad(history, pending, threshold, now)
    # Of bad runs that stand together the newest keeps its place in the look-back longest.
    return newest is not None and not is_settled(threshold, [newest.number], newest.latest, newest.oldest)


class _Newest(NamedTuple):
    """The number of the newest pending bad run, of the latest run, and of the oldest in its look-back."""

    number: int
    latest: int
    oldest: int


def _newest_bad(history: History, pending: Pending, threshold: Threshold, now: datetime) -> _Newest | None:
    """Where the newest pending bad run stands; None where a silence made the look-back start afresh."""
    cell = pending.cell
    last = history.last_run(cell, now)
    if last is None:
        return None
    good_since = history.count(cell, until_after(pending.last_at), until_after(now))
    limit, silence = gap_limit(history, cell, last.every_s), now - last.started_at
    if limit is not None and silence > limit and (good_since or silence >= LONGEST_SILENCE):
        return None
    latest = history.count(cell, None, until_after(now))
    oldest = oldest_number(threshold, latest, last.started_at, reached(history, cell))
    return _Newest(latest - good_since, latest, oldest)


def _is_suspicious(
    history: History, derivation: Derivation, rule: Rule, now: datetime, pending: Pending
) -> bool:
    cell = pending.cell
    if any(
        window.cell == cell and (window.open or pending.first_at <= window.continues_until)
        for window in derivation.windows
    ):
        return False
    newest = _newest_bad(history, pending, rule.down, now)
    return newest is not None and newest.number >= newest.oldest
