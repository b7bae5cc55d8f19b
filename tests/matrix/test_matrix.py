"""Every fault on every pathway where it can show is called by its name, in time, over real sockets."""

from __future__ import annotations

import pytest

from monitor.checks import CHECKS
from monitor.core.model import Blame, Failure, Stage, Verdict
from monitor.sandbox.faults.catalogue import KINDS
from tests.matrix.cells import COLUMNS, GRACE, Cell, cells, expected
from tests.matrix.meet_faults import PATIENCE, Met, meet_patiently

pytestmark = pytest.mark.timeout(400)

# Columns that take long stand alone; the others share a test.
GROUPS: dict[str, tuple[str, ...]] = {
    "uploads": ("rest", "rest, OpenAI", "rest_stream", "rest_stream, first bytes"),
    "realtime": ("realtime", "realtime, OpenAI", "realtime, item"),
    "realtime_transcription": ("realtime_transcription", "realtime_transcription, item", "client_secret"),
    "dual": ("dual", "dual, REST step", "dual, session step"),
    "speech": ("speech_rest", "speech_ws"),
}


def deadline(cell: Cell) -> float:
    """What the table allows the cell, in seconds."""
    return expected()[cell.row, cell.column.name].deadline


@pytest.mark.parametrize("group", sorted(GROUPS))
async def test_every_fault_is_called_by_its_name_in_time(group: str) -> None:
    """Stage, failure, blame, verdict and words of each cell are those of the table, within its deadline."""
    table, late = expected(), set[tuple[str, str]]()

    def fits(one: Met, within: float) -> bool:
        """Whether it is what the table says, and came in time; the last word on a cell counts."""
        place = (one.cell.row, one.cell.column.name)
        late.discard(place)
        if one.ms > (within + GRACE) * 1000:
            late.add(place)
            return False
        return table[place].fits(one.told, one.said)

    chosen = (cell for cell in cells() if cell.column.name in GROUPS[group])
    met = await meet_patiently(chosen, deadline, fits)
    wrong = {
        f"{one.cell.row} × {one.cell.column.name}": (*one.told, one.said)
        for one in met
        if not table[one.cell.row, one.cell.column.name].fits(one.told, one.said)
    }
    assert wrong == {}
    assert late == set()
    assert [one.cell.row for one in met if one.outcome.verdict is not Verdict.PASSED and not one.said] == []


def test_no_cell_is_missing_and_none_is_made_up() -> None:
    """The table has exactly the cells of the catalogue, and every column is met by one test."""
    known = [(cell.row, cell.column.name) for cell in cells()]
    assert len(known) == len(set(known))
    assert set(known) == expected().keys()
    grouped = [name for group in GROUPS.values() for name in group]
    assert sorted(grouped) == sorted(column.name for column in COLUMNS)


def test_no_place_of_the_catalogue_is_without_a_cell() -> None:
    """Every fault is met on every pathway that the sandbox offers it for, and every check meets faults."""
    met = {(cell.fault, cell.column.asked) for cell in cells()}
    offered = {(name, pathway) for name, kind in KINDS.items() for pathway in kind.at}
    assert offered - met == set()
    assert {column.check for column in COLUMNS} == CHECKS.keys()


def test_the_table_speaks_in_the_closed_lists() -> None:
    """Stages, failures, blames and verdicts are those that outcomes know, and only what passed has none."""
    for place, cell in expected().items():
        if cell.verdict == "passed":
            assert (cell.stage, cell.failure, cell.blame) == ("-", "-", "-"), place
            continue
        assert set(cell.stage.split("|")) <= set(Stage), place
        assert (cell.verdict, cell.blame) in {(v, b) for v in Verdict for b in Blame}, place
        assert cell.failure in {*Failure, "-" if cell.verdict == "degraded" else ""}, place


async def test_a_true_difference_outlasts_patience() -> None:
    """More time is what a cell gets that does not fit; what never fits is told after the last time."""
    cell = next(cell for cell in cells() if cell.fault == "401")
    given: list[float] = []

    def never(_: Met, within: float) -> bool:
        given.append(within)
        return False

    (met,) = await meet_patiently([cell], lambda _: 2.0, never)
    assert given == [2.0, *(2.0 * times for times in PATIENCE)]
    assert met.outcome.verdict is Verdict.FAILED
