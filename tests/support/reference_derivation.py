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
from monitor.core.outages.rule import Rule, Threshold
from monitor.core.timefmt import parse_instant, rfc3339

Span = tuple[str, datetime, datetime]


def by_cell(outcomes: Sequence[Outcome]) -> dict[Cell, list[Outcome]]:
    """The runs of each cell in order."""
    cells: dict[Cell, list[Outcome]] = {}
    for outcome in sorted(outcomes, key=lambda one: (one.started_at, one.id)):
        cells.setdefault(outcome.cell, []).append(outcome)
    return cells


def every_of(outcome: Outcome, runs: Sequence[Outcome]) -> timedelta | None:
    """The interval after a run: its own, else the median spacing behind the runs that say none."""
    if outcome.every_s is not None:
        return timedelta(seconds=outcome.every_s)
    pairs = [*pairwise(runs)]
    own = [pair for pair in pairs if pair[0].every_s is None] or pairs
    spacings = [(later.started_at - one.started_at).total_seconds() for one, later in own]
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
    return sorted(found, key=lambda gap: (parse_instant(gap["from"]), gap["target"], gap["location"]))


def is_dark(outcome: Outcome) -> bool:
    """Failed below the protocol."""
    return outcome.verdict is Verdict.FAILED and outcome.failure in (
        Failure.DNS,
        Failure.CONNECT,
        Failure.TLS,
    )


def blocks(outcomes: Sequence[Outcome]) -> list[tuple[list[Outcome], datetime]]:
    """The masked runs of each row of instants with one, with the instant that ends it."""
    cells, found = by_cell(outcomes), []
    for location in sorted({one.location for one in outcomes}):
        instants: dict[datetime, list[Outcome]] = {}
        for one in outcomes:
            if one.location == location and one.verdict is not Verdict.INCONCLUSIVE:
                instants.setdefault(one.started_at, []).append(one)
        stretch: list[Outcome] = []
        for at in [*sorted(instants), None]:
            runs = instants[at] if at is not None else []
            if runs and all(map(is_dark, runs)):
                stretch += runs
                continue
            found += _rows(stretch, at, cells)
            stretch = []
    return found


def _rows(
    stretch: Sequence[Outcome], after: datetime | None, cells: dict[Cell, list[Outcome]]
) -> list[tuple[list[Outcome], datetime]]:
    """What is masked in a stretch in which nothing was reached."""

    def host(one: Outcome) -> str:
        others = (other.host for other in stretch if other.endpoint == one.endpoint and other.host)
        return one.host or next(others, one.endpoint)

    def is_masked(one: Outcome) -> bool:
        near = every_of(one, cells[one.cell]) or timedelta(0)
        for name in {host(other) for other in stretch} - {host(one)}:
            times = [other.started_at for other in stretch if host(other) == name]
            if min(times) - near <= one.started_at <= max(times) + near:
                return True
        return False

    found: list[tuple[list[Outcome], datetime]] = []
    row: list[Outcome] = []
    for at in sorted({one.started_at for one in stretch}):
        here = [one for one in stretch if one.started_at == at and is_masked(one)]
        if row and not here:
            found.append((row, at))
            row = []
        row += here
    if row:
        found.append((row, after or max(one.started_at for one in row)))
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


def windows(outcomes: Sequence[Outcome], rule: Rule) -> list[dict[str, Any]]:
    """Every window of both tracks, the degraded ones only where enough lies outside the others."""
    masked = {one.id for block, _ in blocks(outcomes) for one in block}
    found = []
    for cell, runs in by_cell(outcomes).items():
        down, slow = _tracks(runs, masked, rule)
        _describe(runs, masked, down, {Verdict.FAILED})
        _describe(runs, masked, slow, {Verdict.FAILED, Verdict.DEGRADED})
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
    return sorted(
        found, key=lambda one: (parse_instant(one["start"]), one["target"], one["location"], one["state"])
    )


class _Track:
    """One track, every run looked at; the look-back is a list of runs."""

    def __init__(self, threshold: Threshold, bad: set[Verdict]) -> None:
        self.threshold, self.bad = threshold, bad
        self.need = max(threshold.span - timedelta(seconds=1), timedelta(0))
        self.known: list[Outcome] = []  # the conclusive runs since the look-back began
        self.found: list[dict[str, Any]] = []
        self.streak: list[Outcome] = []
        self.is_open = False

    def look_back(self) -> list[Outcome]:
        """The last `of` runs, or as many as cover the span."""
        size = self.threshold.of
        while size < len(self.known) and (
            self.known[-1].started_at - self.known[-size].started_at < self.need
        ):
            size += 1
        return self.known[-size:]

    def is_met(self) -> bool:
        """Whether the rule is met at the newest run."""
        seen = self.look_back()
        bads = [one for one in seen if one.verdict in self.bad]
        share = self.threshold.bad / self.threshold.of * max(len(seen), self.threshold.of)
        enough = len(bads) >= share - 1e-9
        return enough and bads[-1].started_at - bads[0].started_at >= self.need

    def could_open(self, first: list[Outcome], everything: list[Outcome]) -> bool:
        """Whether runs to come could open a window that holds one of the *first* runs.

        Where the last `of` runs of all cover less than the span, every run that may still be held counts.
        """
        ids, of = {one.id for one in first}, self.threshold.of
        newest = everything[-1].started_at
        if len(everything) >= of and newest - everything[-of].started_at < self.need:
            reach = [one for one in everything if one.started_at <= newest - self.need]
            held = everything[len(reach) - 1 :] if reach else everything
            kept = {one.id for one in self.known} & {one.id for one in held}
            return any(one.id in kept for one in first if one.verdict in self.bad)
        for more in range(of):
            rest = self.known[-(of - more) :] if len(self.known) > of - more else self.known
            for index, one in enumerate(rest):
                if one.id in ids and one.verdict in self.bad:
                    bads = sum(other.verdict in self.bad for other in rest[index:])
                    if bads + more >= self.threshold.bad:
                        return True
        return False

    def open(self, first: Outcome, last: Outcome, runs: Sequence[Outcome]) -> None:
        """Open a window, or the last one again."""
        self.is_open = True
        if self.found:
            before = self.found[-1]["last"]
            reach = self.threshold.merge
            every = every_of(before, runs)
            if every is not None:
                reach = max(reach, self.threshold.merge_intervals * every)
            if first.started_at - before.started_at <= reach:
                self.found[-1] |= {"last": last, "end": None}
                return
        self.found.append({"start": first.started_at, "last": last, "end": None})

    def follow(self, run: Outcome) -> None:
        """A run while the window is open."""
        if run.verdict in self.bad:
            self.streak = []
            self.found[-1]["last"] = run
            return
        self.streak.append(run)
        if len(self.streak) >= self.threshold.good:
            self.found[-1]["end"] = self.streak[0].started_at
            self.is_open, self.known, self.streak = False, [], []


def _empties(
    earlier: Sequence[Outcome], run: Outcome, masked: set[str], bad: set[Verdict], runs: Sequence[Outcome]
) -> bool:
    """Whether the look-back starts afresh at a run behind these."""
    previous = earlier[-1]
    if previous.configuration != run.configuration:
        return True
    every, silence = every_of(previous, runs), run.started_at - previous.started_at
    if every is None or silence <= 3 * every:
        return False
    told = [one for one in earlier if one.verdict is not Verdict.INCONCLUSIVE and one.id not in masked]
    return not (told and told[-1].verdict in bad) or silence >= timedelta(days=1)


def _tracks(  # noqa: C901, PLR0912 -- one plain pass, not shared with what it judges
    runs: Sequence[Outcome], masked: set[str], rule: Rule
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    down = _Track(rule.down, {Verdict.FAILED})
    slow = _Track(rule.degraded, {Verdict.FAILED, Verdict.DEGRADED})
    waiting: list[Outcome] = []  # failed runs that satisfy degraded while down is under decision
    met: list[Outcome] = []  # those of them that satisfied it
    everything: list[Outcome] = []
    for index, run in enumerate(runs):
        counts = run.verdict is not Verdict.INCONCLUSIVE and run.id not in masked
        for track in (down, slow):
            if index and _empties(runs[:index], run, masked, track.bad, runs):
                track.known = []
        if counts:
            everything.append(run)
            for track in (down, slow):
                if not track.is_open:
                    track.known.append(run)
            if down.is_open:
                down.follow(run)
            elif run.verdict in down.bad and down.is_met():
                bads = [one for one in down.look_back() if one.verdict in down.bad]
                down.known = []
                down.open(bads[0], run, runs)
            if slow.is_open:
                slow.follow(run)
            elif waiting:
                if run.verdict in slow.bad:
                    waiting.append(run)
            elif run.verdict in slow.bad and slow.is_met():
                met = [one for one in slow.look_back() if one.verdict in slow.bad]
                waiting = list(met)
        if waiting:
            alone = all(one.verdict is Verdict.FAILED for one in waiting)
            if alone and down.known and down.could_open(met, everything):
                continue
            goods = [one for one in everything if one.started_at > waiting[-1].started_at]
            slow.known = []
            slow.open(met[0], waiting[-1], runs)
            waiting = []
            for one in goods:
                if slow.is_open:
                    slow.follow(one)
    return down.found, slow.found


def _describe(
    runs: Sequence[Outcome], masked: set[str], found: Sequence[dict[str, Any]], bad: set[Verdict]
) -> None:
    """What lies inside and just before each window."""
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
