"""Windows, gaps and blind spans the slow way: every run of every cell, one after the other.

Written from the text of the rule alone, to judge the sparse derivation by.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from monitor.core.model import Cell, Failure, Outcome, Verdict
from monitor.core.times import rfc3339
from monitor.core.windows import Rule, Threshold

Span = tuple[str, datetime, datetime]


def by_cell(outcomes: Sequence[Outcome]) -> dict[Cell, list[Outcome]]:
    """The runs of each cell in order."""
    cells: dict[Cell, list[Outcome]] = {}
    for outcome in sorted(outcomes, key=lambda one: (one.started_at, one.id)):
        cells.setdefault(outcome.cell, []).append(outcome)
    return cells


def every_of(outcome: Outcome, runs: Sequence[Outcome]) -> timedelta | None:
    """The interval after a run: its own, else the median spacing."""
    if outcome.every_s is not None:
        return timedelta(seconds=outcome.every_s)
    spacings = [(later.started_at - one.started_at).total_seconds() for one, later in pairwise(runs)]
    return timedelta(seconds=median(spacings)) if spacings else None


def gaps(outcomes: Sequence[Outcome], now: datetime) -> list[dict[str, Any]]:
    """Every silence longer than three intervals of the run before it."""
    found = []
    for cell, runs in by_cell(outcomes).items():
        ends = [*(run.started_at for run in runs[1:]), now]
        for run, end in zip(runs, ends, strict=True):
            every = every_of(run, runs)
            if every is not None and end - run.started_at > 3 * every:
                found.append(
                    {
                        "target": cell.target,
                        "location": cell.location,
                        "from": rfc3339(run.started_at),
                        "to": rfc3339(end),
                    }
                )
    return sorted(found, key=lambda gap: (gap["from"], gap["target"], gap["location"]))


def is_dark(outcome: Outcome) -> bool:
    """Failed below the protocol."""
    return outcome.verdict is Verdict.FAILED and outcome.failure in (
        Failure.DNS,
        Failure.CONNECT,
        Failure.TLS,
    )


def blocks(outcomes: Sequence[Outcome]) -> list[tuple[list[Outcome], datetime]]:
    """The stretches of a location in which nothing was reached, with the instant that ends each."""
    found = []
    for location in sorted({one.location for one in outcomes}):
        instants: dict[datetime, list[Outcome]] = {}
        for one in outcomes:
            if one.location == location and one.verdict is not Verdict.INCONCLUSIVE:
                instants.setdefault(one.started_at, []).append(one)
        block: list[Outcome] = []
        for at in [*sorted(instants), None]:
            runs = instants[at] if at is not None else []
            if runs and all(map(is_dark, runs)):
                block += runs
                continue
            if len({one.endpoint for one in block}) > 1:
                found.append((block, at or max(one.started_at for one in block)))
            block = []
    return found


def blind(outcomes: Sequence[Outcome]) -> list[tuple[str, datetime, datetime]]:
    """The blind spans of both kinds; the overlapping ones of a kind and location united."""
    kinds: dict[tuple[str, str], list[tuple[datetime, datetime]]] = {}
    for block, end in blocks(outcomes):
        key = (block[0].location, "b")
        kinds.setdefault(key, []).append((min(one.started_at for one in block), end))
    for cell, runs in by_cell(outcomes).items():
        stretch: list[Outcome] = []
        for run in [*runs, None]:
            if run is not None and run.verdict is Verdict.INCONCLUSIVE:
                stretch.append(run)
                continue
            if len(stretch) > 1:
                end = run.started_at if run is not None else stretch[-1].started_at
                kinds.setdefault((cell.location, "a"), []).append((stretch[0].started_at, end))
            stretch = []
    found = []
    for (location, kind), spans in kinds.items():
        joined: list[list[datetime]] = []
        for start, end in sorted(spans):
            if kind == "a" and joined and start <= joined[-1][1]:
                joined[-1][1] = max(joined[-1][1], end)
            else:
                joined.append([start, end])
        found += [(location, start, end) for start, end in joined]
    return sorted(found, key=lambda span: (span[1], span[0], span[2]))


def windows(outcomes: Sequence[Outcome], rule: Rule, now: datetime) -> list[dict[str, Any]]:
    """Every window of both tracks, the degraded ones only where enough lies outside the others."""
    masked = {one.id for block, _ in blocks(outcomes) for one in block}
    found = []
    for cell, runs in by_cell(outcomes).items():
        down = _track(cell, runs, masked, rule.down, {Verdict.FAILED}, now)
        slow = _track(cell, runs, masked, rule.degraded, {Verdict.FAILED, Verdict.DEGRADED}, now)
        found += [_shown(window, cell, "down") for window in down]
        for window in slow:
            lonely = [
                one
                for one in window["bad_runs"]
                if not any(
                    other["start"] <= one.started_at
                    and (other["end"] is None or one.started_at < other["end"])
                    for other in down
                )
            ]
            if len(lonely) >= rule.degraded.bad:
                found.append(_shown(window, cell, "degraded"))
    return sorted(found, key=lambda one: (one["start"], one["target"], one["location"], one["state"]))


def _track(  # noqa: C901, PLR0912 -- one plain pass, not shared with what it judges
    cell: Cell,
    runs: Sequence[Outcome],
    masked: set[str],
    threshold: Threshold,
    bad: set[Verdict],
    now: datetime,
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    look_back: list[Outcome] = []
    streak: list[Outcome] = []
    is_open = False
    previous: Outcome | None = None
    for run in runs:
        if previous is not None:
            every = every_of(previous, runs)
            late = every is not None and run.started_at - previous.started_at > 3 * every
            if late or previous.configuration != run.configuration:
                look_back = []
        previous = run
        if run.verdict is Verdict.INCONCLUSIVE or run.id in masked:
            continue
        if is_open:
            if run.verdict in bad:
                streak = []
                found[-1]["last"] = run
                continue
            streak.append(run)
            if len(streak) == threshold.good:
                found[-1]["end"] = streak[0].started_at
                is_open, look_back, streak = False, [], []
            continue
        look_back = [*look_back, run][-threshold.of :]
        bads = [one for one in look_back if one.verdict in bad]
        if run.verdict not in bad or len(bads) < threshold.bad:
            continue
        if run.started_at - bads[0].started_at < threshold.span:
            continue
        is_open, streak = True, []
        if found:
            last = found[-1]["last"]
            reach = threshold.merge
            every = every_of(last, runs)
            if every is not None:
                reach = max(reach, threshold.merge_intervals * every)
            if bads[0].started_at - last.started_at <= reach:
                found[-1] |= {"last": run, "end": None}
                continue
        found.append({"start": bads[0].started_at, "last": run, "end": None})
    conclusive = [one for one in runs if one.verdict is not Verdict.INCONCLUSIVE and one.id not in masked]
    for window in found:
        start, end = window["start"], window["end"]
        inside = [
            one for one in conclusive if start <= one.started_at and (end is None or one.started_at < end)
        ]
        good_before = [one for one in conclusive if one.started_at < start and one.verdict not in bad]
        window["bad_runs"] = [one for one in inside if one.verdict in bad]
        window["total"] = len(inside)
        window["start_after"] = good_before[-1].started_at if good_before else None
    return found


def _shown(window: dict[str, Any], cell: Cell, state: str) -> dict[str, Any]:
    return {
        "target": cell.target,
        "location": cell.location,
        "state": state,
        "start": rfc3339(window["start"]),
        "start_after": rfc3339(window["start_after"]) if window["start_after"] else None,
        "end": rfc3339(window["end"]) if window["end"] else None,
        "end_after": rfc3339(window["last"].started_at),
        "failed": len(window["bad_runs"]),
        "total": window["total"],
        "open": window["end"] is None,
    }
