"""A history without its maintenance derives what one gives in which those runs measured nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.incidents.derive import derive
from monitor.core.model import Outcome, Verdict
from monitor.core.outages.maintenance import Maintenance
from monitor.core.outages.marks import Mark
from monitor.core.outages.masking import pause
from monitor.core.outages.rule import Rule
from tests.support.examples import examples
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import matrices, minutes, row

RULE = Rule()


def plan(begin: float, end: float, *targets: str) -> Maintenance:
    """Maintenance between two minutes."""
    return Maintenance(name="m", start=minutes(begin), end=minutes(end), targets=targets)


def masked(runs: Sequence[Outcome], plans: Sequence[Maintenance]) -> list[Outcome]:
    """The runs inside these plans as inconclusive ones."""

    def inside(run: Outcome) -> bool:
        at = run.started_at
        return any(
            one.concerns(run.target) and any(one.spans(at, at + timedelta(milliseconds=1))) for one in plans
        )

    return [replace(run, verdict=Verdict.INCONCLUSIVE) if inside(run) else run for run in runs]


def test_an_outage_inside_maintenance_is_none() -> None:
    """No window, no blind span, nothing pending; the same runs without it are an incident."""
    history = MemoryHistory(row("." * 10 + "FFFF" + "." * 10))
    planned = pause(history, [plan(10, 14)])
    found = derive(planned, RULE, now=minutes(24))
    assert (found.windows, found.incidents, found.blind, found.pending) == ((), (), (), ())
    assert derive(pause(history, []), RULE, now=minutes(24)).incidents
    assert derive(pause(history, [plan(10, 14, "other/*")]), RULE, now=minutes(24)).incidents


def test_a_window_goes_on_across_maintenance_and_its_runs_count_for_neither_side() -> None:
    """Passes inside do not close it."""
    history = MemoryHistory(row("." * 5 + "FFF" + "." * 6 + "FF" + "." * 10))
    (window,) = derive(pause(history, [plan(8, 14)]), RULE, now=minutes(25)).windows
    assert (window.start, window.end, window.failed, window.total) == (minutes(5), minutes(16), 5, 5)


def test_the_count_without_a_beginning_goes_on_from_the_numbers() -> None:
    """Whatever is asked, differences of numbers are counts."""
    cell = row(".")[0].cell
    history = pause(MemoryHistory(row("." * 20)), [plan(5, 8), plan(12, 13)])
    assert history.count(cell, minutes(0), None) == 16
    assert history.count(cell, minutes(6), minutes(12.5)) == 4
    last = history.last_run(cell, None)
    assert last is not None
    assert [history.start_of(cell, last.number - back) for back in (0, 6, 7, 10, 11, 15, 16)] == [
        minutes(19),
        minutes(13),
        minutes(11),
        minutes(8),
        minutes(4),
        minutes(0),
        None,
    ]
    assert history.count(cell, None, minutes(8)) + 1 == last.number - 10
    inside = history.last_run(cell, minutes(6))
    assert inside is not None
    assert (inside.verdict, inside.paused, inside.number) == (Verdict.INCONCLUSIVE, True, last.number - 11)


def test_what_is_not_about_verdicts_passes_through() -> None:
    """Cells, facets, spacing, passes, sights and marks are those of the whole."""
    runs, mark = row("..."), Mark(minutes(1), "m", "ann")
    whole = MemoryHistory(runs, marks=[mark])
    history, cell = pause(whole, [plan(0, 9)]), runs[0].cell
    assert (history.cells(), history.facets(cell)) == (whole.cells(), whole.facets(cell))
    assert (history.newest(), history.typical_spacing(cell)) == (minutes(2), timedelta(minutes=1))
    assert history.last_pass(cell, "c1", minutes(2)) == minutes(1)
    assert history.marks(minutes(0), minutes(2)) == [mark]
    assert history.sights("berlin", None, None) == []


plans = st.lists(
    st.builds(
        lambda begin, length, targets: plan(begin, begin + length, *targets),
        st.integers(-5, 150),
        st.integers(1, 60),
        st.sampled_from(((), ("one/*",), ("*/rest",))),
    ),
    max_size=4,
)


@settings(max_examples=examples(150), deadline=None)
@given(matrices(most=40, interval=True, calm=30), plans, st.integers(0, 200))
def test_windows_are_those_of_runs_that_measured_nothing(
    runs: list[Outcome], planned: list[Maintenance], begin: int
) -> None:
    """Whole, and from any instant on: windows, gaps and what is pending."""
    history = pause(MemoryHistory(runs), planned)
    now = history.newest()
    if now is None:
        return
    expected = derive(MemoryHistory(masked(runs, planned)), RULE, now=now)
    found = derive(history, RULE, now=now)
    assert found.windows == expected.windows
    assert (found.gaps, found.pending) == (expected.gaps, expected.pending)
    later = derive(history, RULE, now=now, since=minutes(begin))
    assert later.since is not None
    assert later.windows == tuple(
        window for window in found.windows if window.end is None or window.end > later.since
    )
    assert all(
        replace(one, number=0) in [replace(other, number=0) for other in found.incidents]
        for one in later.incidents
    )
