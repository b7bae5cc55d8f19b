"""A history under a rule, from runs to incidents: what the live service stores and what `replay` prints.

One composition for both, so that they cannot disagree. `since` only saves reading: what is derived
from there on equals what the whole history gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.core.diagnosis.diagnose import diagnose
from monitor.core.diagnosis.observed_runs import ObservedRuns
from monitor.core.incidents.codec import blind_to_json, gap_to_json, incident_to_json, window_to_json
from monitor.core.incidents.incident import Derivation, StoredIncident
from monitor.core.incidents.reconcile import horizon
from monitor.core.model import Cell
from monitor.core.outages.blind_spans import unite
from monitor.core.outages.history import INSTANT, History, StoredRun
from monitor.core.outages.masking import MaskedHistory, mask_of
from monitor.core.outages.reading_start import Clearings, dark_since
from monitor.core.outages.rule import Rule, rule_to_json
from monitor.core.outages.unmeasured import Unmeasured, find_unmeasured
from monitor.core.outages.windows import Pending, Window, derive_windows


def derive(
    history: History,
    rule: Rule,
    *,
    now: datetime,
    since: datetime | None = None,
    clearings: Clearings | None = None,
) -> Derivation:
    """Windows, gaps, blind spans and incidents of the runs begun by *now*.

    With *since*, only what reaches beyond it: reading goes back to the start of the earliest window
    open then, and on until no window, and no stretch in which a location reached nothing, reaches
    across the bound; the derivation's own `since` says where that is. Incidents are numbered by start,
    then title. *clearings* only save asking again.
    """
    clearings = clearings or Clearings()
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    reading = _read(history, rule, now, since, clearings)
    windows, pending = _follow(reading, rule, now, since)
    # A bound must not cut anything in two. Each round moves it back to the start of what reaches across it,
    # and what is read then may reach farther back: until nothing does.
    #
    #          since |
    #     ── window ─┼───          read again from the start of that window, or of a stretch in the dark
    while since is not None and (earlier := _earlier(history, reading, windows, since)) < since:
        since = earlier
        reading = _read(history, rule, now, since, clearings)
        windows, pending = _follow(reading, rule, now, since)
    gaps = (gap for gap in reading.unmeasured.gaps if _reaches(gap.end, since))
    unmeasured = [
        span for span in reading.unmeasured.blind if _reaches(None if span.lasting else span.end, since)
    ]
    scene = ObservedRuns(history=reading.history, whole=history, runs=reading.runs, now=now)
    return Derivation(
        rule=rule,
        windows=tuple(windows),
        gaps=tuple(sorted(gaps, key=lambda gap: (gap.start, gap.cell))),
        blind=unite([span for span in unmeasured if _reaches(span.end, since)]),
        incidents=diagnose(scene, windows),
        pending=tuple(pending),
        unmeasured=tuple(unmeasured),
        since=since,
    )


def _earlier(history: History, reading: _ReadHistory, windows: Sequence[Window], since: datetime) -> datetime:
    """Where reading must begin so that nothing reaches across *since*."""
    locations = {cell.location for cell in reading.raw}
    dark = (
        dark_since(
            history, {cell: runs for cell, runs in reading.raw.items() if cell.location == here}, since
        )
        for here in locations
    )
    # Spans that overlap or touch are shown as one: a bound in or between them would cut off the earlier ones.
    # An instant earlier, since reading a cell may begin with the very run that ended its span.
    spans = (span for span in reading.unmeasured.blind if span.lasting or span.end >= since)
    unmeasured = (span.start - INSTANT for span in spans)
    return min([since, *(window.start for window in windows[:1]), *dark, *unmeasured])


def settle(
    history: History,
    rule: Rule,
    *,
    now: datetime,
    touched: datetime | None,
    stored_since: Callable[[datetime], Sequence[StoredIncident]],
    clearings: Clearings | None = None,
) -> tuple[Sequence[StoredIncident], Derivation]:
    """What to hand to `reconcile` after runs begun at *touched* or later were added (None: none were).

    ``stored_since(instant)`` gives the unresolved incidents and those resolved at or after it. Asked
    again, further back, until derived and stored incidents cover the same stretch.
    """
    since = now if touched is None else touched
    derivation: Derivation | None = None
    while True:
        stored = stored_since(since)
        reach = horizon(stored, history, now, touched=since)
        if derivation is None or reach != derivation.since:  # from the same bound the same would follow
            derivation = derive(history, rule, now=now, since=reach, clearings=clearings)
        if derivation.since is None or derivation.since >= since:
            return stored, derivation
        since = derivation.since


def _follow(
    reading: _ReadHistory, rule: Rule, now: datetime, since: datetime | None
) -> tuple[list[Window], list[Pending]]:
    """The windows that reach beyond *since*, in order, and what is undecided now."""
    windows: list[Window] = []
    pending: list[Pending] = []
    for cell, runs in reading.runs.items():
        clear = reading.clear[cell]
        enough = [run for run in runs if run.started_at >= clear] if clear else runs
        found, undecided = derive_windows(reading.history, cell, enough, rule, now=now)
        windows += (window for window in found if _reaches(window.end, since))
        pending += undecided
    windows.sort(key=lambda window: (window.start, window.cell, window.state))
    pending.sort(key=lambda one: (one.first_at, one.cell, one.state))
    return windows, pending


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReadHistory:
    """What was read: the notable runs as they are, and the history and its runs without what is masked.

    `clear` says from which instant on a cell's runs may be followed.
    """

    history: History
    raw: Mapping[Cell, Sequence[StoredRun]]
    runs: Mapping[Cell, Sequence[StoredRun]]
    clear: Mapping[Cell, datetime | None]
    unmeasured: Unmeasured


def _read(
    history: History, rule: Rule, now: datetime, since: datetime | None, clearings: Clearings
) -> _ReadHistory:
    locations: dict[str, list[Cell]] = {}
    for cell in history.cells():
        locations.setdefault(cell.location, []).append(cell)
    clear: dict[Cell, datetime | None] = {}
    notable: dict[Cell, Sequence[StoredRun]] = {}
    for cells in locations.values():
        here = {cell: clearings.find(history, cell, rule, since) if since else None for cell in cells}
        floor = min((at for at in here.values() if at), default=None) if all(here.values()) else None
        clear |= here
        notable |= {cell: history.not_passed(cell, floor, now) for cell in cells}
    found = find_unmeasured(history, notable, since=since, now=now)
    stretches = mask_of(found.blocks)
    masked = MaskedHistory(history, lambda cell: stretches.get(cell, ()))
    runs = {cell: masked.mask(cell, own) for cell, own in notable.items()}
    known = masked if found.blocks else history
    return _ReadHistory(history=known, raw=notable, runs=runs, clear=clear, unmeasured=found)


def _reaches(end: datetime | None, since: datetime | None) -> bool:
    return since is None or end is None or end > since


def to_json(derivation: Derivation) -> dict[str, Any]:
    """The object that ``replay --json`` prints; the same for the same outcomes in any order."""
    return {
        "rule": rule_to_json(derivation.rule),
        "windows": [window_to_json(window) for window in derivation.windows],
        "gaps": [gap_to_json(gap) for gap in derivation.gaps],
        "blind": [blind_to_json(span) for span in derivation.blind],
        "incidents": [incident_to_json(incident) for incident in derivation.incidents],
    }
