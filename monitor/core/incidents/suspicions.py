"""Bad runs that wait to become a window, or to be none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from monitor.core.incidents.incident import Derivation, Suspicion
from monitor.core.model import Cell, State
from monitor.core.outages.gaps import gap_limit
from monitor.core.outages.history import History, until_after
from monitor.core.outages.lookback import LONGEST_SILENCE, is_settled, oldest_number, reached
from monitor.core.outages.rule import Rule, Threshold
from monitor.core.outages.windows import Pending


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
