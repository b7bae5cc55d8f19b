"""The first page's sentence: the worst first, nothing called up that was not measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.model import Cell, State, Verdict
from monitor.core.views.cell_state import LastRun
from monitor.core.views.lanes import ZOOMS, period_of
from monitor.web.frame.cell_view import CellView
from monitor.web.frame.components import Freshness
from monitor.web.frame.query_params import read_shown
from monitor.web.pages.overview import OverviewPage, overview_page
from tests.support.filled_database import MINUTE, NOW, SETTINGS

FRESH = Freshness(made=NOW, age=MINUTE, stale=False, limit_s=60, revision="1")
CELL = Cell("azure-sweden", "gpt-4o-transcribe", "realtime", "berlin")


def cell(state: State, number: int = 0, *, watched: bool = True) -> CellView:
    """A cell that stands so at NOW."""
    return CellView(
        cell=CELL._replace(model=f"model-{number}"),
        provider="azure_openai",
        region=None,
        every=MINUTE,
        watched=watched,
        state=state,
        since=NOW - timedelta(hours=1),
        last=LastRun("run", NOW - MINUTE, Verdict.PASSED),
        period=period_of(ZOOMS["24h"], NOW),
        bucket=ZOOMS["24h"].bucket,
        now=NOW,
    )


def page(*cells: CellView) -> OverviewPage:
    shown = read_shown(zoom=None, day=None, until=None, now=NOW)
    return overview_page(
        cells, fresh=FRESH, unresolved=(), recent=(), shown=shown, settings=SETTINGS, now=NOW
    )


@pytest.mark.parametrize(
    ("states", "headline", "detail"),
    [
        ([State.UP, State.UP], "All up", "All 2 targets transcribe correctly"),
        ([State.UP, State.DOWN, State.DEGRADED], "1 down, 1 degraded", "1 of 3 up"),
        ([State.UP, State.UNKNOWN], "1 of 2 up", "1 unknown"),
        ([State.UNKNOWN], "Unknown", "No target was measured lately: that is neither up nor down."),
        ([State.DOWN, State.UNKNOWN], "1 down", "0 of 2 up, 1 unknown"),
    ],
)  # fmt: skip
def test_the_sentence_counts_what_is_watched(states: list[State], headline: str, detail: str) -> None:
    """Down before degraded before unknown; all up only when everything is."""
    made = page(*(cell(state, number) for number, state in enumerate(states)))
    assert (made.headline, made.detail) == (headline, detail)


def test_what_is_watched_no_longer_is_shown_and_not_counted() -> None:
    """A recorded day beside live targets does not spoil their sentence."""
    made = page(cell(State.UP, 1), cell(State.UNKNOWN, 2, watched=False))
    assert made.headline == "All up"
    assert len(made.cells) == 2
    assert page(cell(State.UNKNOWN, watched=False)).headline == "Nothing is being watched now"


def test_pathways_of_one_model_stand_next_to_each_other() -> None:
    """REST and realtime of the same model are neighbours: the difference is the diagnosis."""
    cells = [
        replace(cell(State.UP), cell=CELL._replace(model=model, pathway=pathway))
        for pathway in ("realtime", "rest")
        for model in ("whisper-1", "gpt-4o-transcribe")
    ]
    (endpoint,) = page(*cells).endpoints
    assert [(lane.name, lane.pathway) for lane in endpoint.lanes] == [
        ("gpt-4o-transcribe", "rest"),
        ("gpt-4o-transcribe", "realtime"),
        ("whisper-1", "rest"),
        ("whisper-1", "realtime"),
    ]
    assert endpoint.pathways == ["rest", "realtime"]


def test_a_pathway_that_is_not_watched_has_no_cell() -> None:
    """The matrix says so rather than showing a state."""
    cells = [cell(State.UP, 1), replace(cell(State.UP), cell=CELL._replace(model="model-2", pathway="rest"))]
    (endpoint,) = page(*cells).endpoints
    assert [[one is None for one in row.cells] for row in endpoint.rows] == [[True, False], [False, True]]
