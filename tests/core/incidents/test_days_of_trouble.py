"""Whole days of trouble over a matrix of 36 cells give exactly the incidents that were planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from monitor.core.diagnosis.diagnose import Incident
from monitor.core.incidents.derive import derive
from monitor.core.incidents.incident import Derivation, Phase
from monitor.core.model import Cell, Outcome, Verdict
from monitor.core.outages.windows import Window, overlaps
from tests.core.incidents.test_reconcile import RULE, Ledger, whole
from tests.support.days_of_trouble import GrowingHistory, Planned, Shape, Stretch, at, covers
from tests.support.memory_history import MemoryHistory
from tests.support.planned_days import SHAPES

every_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)


@dataclass(slots=True)
class Live(Ledger):
    """The live service in memory: runs arrive, and only as much is derived as must be."""

    history: GrowingHistory = field(default_factory=lambda: GrowingHistory([]))

    def read(self, added: Sequence[Outcome]) -> MemoryHistory:
        """The history with these runs added to what it was."""
        self.history.add(added)
        return self.history


def part_of(shape: Shape, plan: Planned, cell: Cell) -> Stretch | None:
    """The planned trouble of a cell: the first part that covers it."""
    return next((part for part in plan.parts if covers(part.where, shape.facets[cell])), None)


def cells_of(shape: Shape, plan: Planned) -> set[Cell]:
    """The cells that were planned to be in trouble."""
    return {cell for cell in shape.facets if part_of(shape, plan, cell) is not None}


def check_edges(shape: Shape, plan: Planned, cell: Cell, windows: Sequence[Window]) -> None:
    """The windows of a cell begin and end within an interval of what was planned, and not outside it."""
    part = part_of(shape, plan, cell)
    assert part is not None
    slack = plan.loose * shape.interval
    start = min(window.start for window in windows)
    assert timedelta(0) <= start - at(part.since) <= slack
    if part.until is None:
        assert any(window.open for window in windows)
        return
    ends = [window.end for window in windows if window.end is not None]
    assert len(ends) == len(windows)
    assert -slack < max(ends) - at(part.until) <= shape.interval


def check_controls(shape: Shape, incident: Incident, derivation: Derivation) -> None:
    """Every cell with a run in the span and no window in it is a control, counted run by run."""
    span = (incident.start, incident.end)
    hit = {window.cell for window in derivation.windows if overlaps(window, *span)}
    blind = [(one.location, one.start, one.end) for one in derivation.blind if "reachable" in one.reason]
    counts: dict[Cell, list[int]] = {}
    for run in shape.outcomes:
        inside = incident.start <= run.started_at and (incident.end is None or run.started_at < incident.end)
        masked = any(run.location == here and a <= run.started_at < b for here, a, b in blind)
        if run.cell in hit or not inside or masked or run.verdict is Verdict.INCONCLUSIVE:
            continue
        count = counts.setdefault(run.cell, [0, 0])
        count[0] += run.verdict is not Verdict.FAILED
        count[1] += 1
    assert {one.cell: [one.passed, one.total] for one in incident.unaffected} == counts


def check(shape: Shape, derivation: Derivation) -> None:
    """What was derived is what was planned: count, scope, affected, controls, blame and edges."""
    found = derivation.incidents
    assert [one.scope.conjunctions for one in found] == [plan.scope for plan in shape.expected]
    for incident, plan in zip(found, shape.expected, strict=True):
        cells = cells_of(shape, plan)
        assert {window.cell for window in incident.windows} == cells
        assert incident.affected == tuple(sorted({cell.target for cell in cells}))
        assert not incident.scope.ambiguous
        assert (incident.blame, incident.severity) == (plan.blame, plan.severity), incident.blame_reason
        assert (incident.open, incident.end is None) == (plan.open, plan.open)
        assert {window.state for window in incident.windows} == set(plan.states)
        for cell in cells:
            check_edges(shape, plan, cell, [one for one in incident.windows if one.cell == cell])
        check_controls(shape, incident, derivation)
    assert (len(derivation.gaps), len(derivation.blind)) == (shape.gaps, shape.blind)


@every_shape
def test_a_day_gives_exactly_what_was_planned(shape: Shape) -> None:
    """Derived over the whole day at once."""
    check(shape, derive(MemoryHistory(shape.outcomes), RULE, now=shape.now))


@every_shape
def test_a_day_lived_through_ends_as_the_whole_day_says(shape: Shape) -> None:
    """Runs that arrive portion by portion: the same incidents, and none that was not borne out."""
    live = Live()
    for now, runs in shape.batches():
        live.add(runs, now=now)
    live.add([], now=shape.now)
    assert comparable(live.told()) == comparable(whole(shape.outcomes, shape.now))
    numbers = sorted(one.number for one in live.incidents.values() if one.number is not None)
    assert numbers == list(range(1, len(shape.expected) + 1))
    assert not [one for one in live.incidents.values() if one.number and one.phase is Phase.DISMISSED]


def comparable(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the severity, which never falls while an incident lasts."""
    return [{key: value for key, value in one.items() if key != "severity"} for one in documents]


def test_down_from_one_location_only_is_said_in_the_title() -> None:
    """The other location is the nearest control."""
    shape = next(shape for shape in SHAPES if shape.name == "one target from one location")
    (incident,) = derive(MemoryHistory(shape.outcomes), RULE, now=shape.now).incidents
    assert incident.title.startswith(
        "gpt-4o-transcribe · realtime · swedencentral (from oslo only) down 10:00:06–12:00:06 UTC."
        " Unaffected: gpt-4o-transcribe realtime from berlin 24/24"
    ), incident.title
