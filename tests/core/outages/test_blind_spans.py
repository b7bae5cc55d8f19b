"""Blind spans: what counts as our own blindness, and the history without it."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings

from monitor.core.incidents.derive import derive
from monitor.core.model import Blame, Cell, Outcome, Verdict
from monitor.core.outages.blind_spans import find_blocks, unite, unmeasured_spans
from monitor.core.outages.masking import MaskedHistory, mask_of
from monitor.core.outages.rule import Rule
from monitor.core.outages.self_observations import BlindSpan, SelfObservation, SelfObservationKind
from tests.support import reference_derivation
from tests.support.examples import examples
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import T0, matrices, minutes, outcome, row, together

CELL = Cell("azure-sweden", "gpt-4o-transcribe", "realtime", "berlin")


def blind(*rows: list[Outcome], until: float = 60) -> list[tuple[float, float, str]]:
    """The blind spans in minutes."""
    derived = derive(MemoryHistory(together(*rows)), Rule(), now=minutes(until))
    return [
        ((span.start - T0) / timedelta(minutes=1), (span.end - T0) / timedelta(minutes=1), span.reason)
        for span in derived.blind
    ]


def test_two_inconclusive_runs_make_a_blind_span() -> None:
    """From the first of them to the next conclusive run; one alone makes none."""
    assert blind(row(".?.")) == []
    assert blind(row(".??.")) == [(1, 3, "runs could not be measured")]
    assert blind(row(".???")) == [(1, 3, "runs could not be measured")]
    assert blind(row(".??  ."), until=4) == [(1, 2, "runs could not be measured")]


def test_two_endpoints_out_of_reach_at_once_are_our_own_blindness() -> None:
    """The failures are masked: no window opens, and the span lasts to the first other run."""
    rows = row(".CCCCC..."), row(".CCCCC...", endpoint="openai-us", start=minutes(0.5))
    derived = derive(MemoryHistory(together(*rows)), Rule(), now=minutes(9))
    assert derived.windows == ()
    assert blind(*rows) == [(1, 6, "nothing was reachable: azure-sweden, openai-us")]


def test_one_endpoint_out_of_reach_is_an_outage() -> None:
    """Another endpoint answers: windows open and nothing is masked."""
    rows = row(".CCCCC..."), row(".........", endpoint="openai-us", start=minutes(0.5))
    derived = derive(MemoryHistory(together(*rows)), Rule(), now=minutes(9))
    assert len(derived.windows) == 1
    assert derived.blind == ()


def test_a_run_that_answers_with_an_error_ends_the_blindness() -> None:
    """A refused key proves that the network works."""
    rows = row("CCCA", step=120), row("CCC", step=120, endpoint="openai-us", start=minutes(1))
    assert blind(*rows) == [(0, 6, "nothing was reachable: azure-sweden, openai-us")]


def test_blindness_to_the_end_lasts_to_its_last_run() -> None:
    """No run followed yet."""
    rows = row(".CC"), row(".CC", endpoint="openai-us", start=minutes(0.5))
    assert blind(*rows, until=2.5) == [(1, 2.5, "nothing was reachable: azure-sweden, openai-us")]


def test_runs_of_one_instant_are_taken_together() -> None:
    """Where one of them reached something, none of them was blind; where none did, all were."""
    start = minutes(1)
    both = [outcome(start, "C"), outcome(start, "C", endpoint="openai-us")]
    assert blind(both) == [(1, 1, "nothing was reachable: azure-sweden, openai-us")]
    assert blind(both, [outcome(start, ".", endpoint="third")]) == []


def test_one_failed_connect_masks_only_the_runs_beside_it() -> None:
    """An endpoint asked every half hour fails once: of another's 45 failed runs three are in doubt."""
    rows = row("." + "C" * 45, start=minutes(1)), row("C", start=minutes(20), endpoint="rare", every_s=1800)
    derived = derive(MemoryHistory(together(*rows)), Rule(), now=minutes(47))
    (window,) = derived.windows
    assert (window.start, window.failed, window.total) == (minutes(2), 42, 42)
    assert blind(*rows) == [(19, 22, "nothing was reachable: azure-sweden, rare")]


def test_a_host_is_unreachable_between_its_own_failed_runs() -> None:
    """Twice in a row with nothing reached between: all that lies between is in doubt."""
    rare = row("CC", step=1800, start=minutes(10), endpoint="rare", every_s=1800)
    derived = derive(MemoryHistory(together(row("." + "C" * 50), rare)), Rule(), now=minutes(60))
    assert [window.start for window in derived.windows] == [minutes(1)]
    assert [(span.start, span.end) for span in derived.blind] == [(minutes(9), minutes(42))]


def test_two_endpoints_of_one_address_are_one_host() -> None:
    """Both out of reach at once: that host's outage, told like any other."""
    rows = (
        row(".CCCCC...", host="h:1"),
        row(".CCCCC...", endpoint="openai-us", host="h:1", start=minutes(0.5)),
    )
    assert blind(*rows) == []
    assert len(derive(MemoryHistory(together(*rows)), Rule(), now=minutes(9)).windows) == 2


def test_a_run_that_names_no_host_is_of_the_host_that_its_endpoint_names() -> None:
    """What an older version stored beside what this one does is no second host."""
    runs = [*row(".CC"), *row("CC", start=minutes(3), host="h:1")]
    assert blind(runs) == []


def test_a_second_location_has_its_own_sight() -> None:
    """What another location reaches says nothing about this one's network."""
    rows = row("CC"), row("CC", endpoint="openai-us", start=minutes(0.5)), row("....", location="paris")
    derived = derive(MemoryHistory(together(*rows)), Rule(), now=minutes(9))
    assert [span.location for span in derived.blind] == ["berlin"]


def test_overlapping_spans_of_one_reason_become_one() -> None:
    """Other locations and other reasons stay apart."""
    spans = [
        BlindSpan(location="x", start=minutes(0), end=minutes(5), reason="r"),
        BlindSpan(location="x", start=minutes(4), end=minutes(9), reason="r"),
        BlindSpan(location="x", start=minutes(4), end=minutes(9), reason="other"),
        BlindSpan(location="y", start=minutes(4), end=minutes(9), reason="r"),
    ]
    united = unite(spans[::-1])
    assert [(one.location, one.start, one.end, one.reason) for one in united] == [
        ("x", minutes(0), minutes(9), "r"),
        ("x", minutes(4), minutes(9), "other"),
        ("y", minutes(4), minutes(9), "r"),
    ]


@settings(max_examples=examples(100), deadline=None)
@given(matrices(most=30))
def test_a_masked_history_answers_like_one_where_those_runs_were_inconclusive(
    outcomes: list[Outcome],
) -> None:
    """Every question: the same answer as from outcomes rewritten as not measured."""
    masked_ids = {one.id for block, _ in reference_derivation.blocks(outcomes) for one in block}
    rewritten = MemoryHistory(
        [outcome(one.started_at, "?", **_identity(one)) if one.id in masked_ids else one for one in outcomes]
    )
    whole = MemoryHistory(outcomes)
    blocks = []
    for location in {cell.location for cell in whole.cells()}:
        here = {
            cell: whole.not_passed(cell, None, None) for cell in whole.cells() if cell.location == location
        }
        blocks += find_blocks(whole, here, now=minutes(100_000))
    stretches = mask_of(blocks)
    masked = MaskedHistory(whole, lambda cell: stretches.get(cell, ()))
    assert masked.cells() == whole.cells()
    assert masked.newest() == whole.newest()
    for cell in whole.cells():
        assert masked.facets(cell) == whole.facets(cell)
        assert masked.typical_spacing(cell) == whole.typical_spacing(cell)
        total = rewritten.count(cell, None, None)
        moved = masked.count(cell, None, None) - total  # only differences of numbers mean something
        for number in range(total + 2):
            assert masked.start_of(cell, number + moved) == rewritten.start_of(cell, number)
        for at in (minutes(3), minutes(10)):
            assert masked.count(cell, at, None) == rewritten.count(cell, at, None)
            assert masked.count(cell, None, at) == rewritten.count(cell, None, at) + moved
            assert masked.last_pass(cell, "c1", at) == rewritten.last_pass(cell, "c1", at)
            last, expected = masked.last_run(cell, at), rewritten.last_run(cell, at)
            assert (last and (last.id, last.verdict, last.number)) == (
                expected and (expected.id, expected.verdict, expected.number + moved)
            )
        seen = [
            (run.id, run.number, run.verdict, run.may_reset_lookback)
            for run in masked.not_passed(cell, None, None)
        ]
        assert seen == [
            (run.id, run.number + moved, run.verdict, run.may_reset_lookback)
            for run in rewritten.not_passed(cell, None, None)
        ]


def _identity(one: Outcome) -> dict[str, object]:
    names = (
        "id",
        "endpoint",
        "model",
        "pathway",
        "location",
        "region",
        "provider",
        "every_s",
        "configuration",
    )
    return {name: getattr(one, name) for name in names}


def test_spans_of_a_cell_come_from_its_own_runs() -> None:
    """Two stretches are two spans."""
    history = MemoryHistory(row("??.??"))
    spans = unmeasured_spans(history, CELL, history.not_passed(CELL, None, None), now=minutes(9))
    assert [(span.start, span.end) for span in spans] == [(T0, minutes(2)), (minutes(3), minutes(4))]
    assert history.not_passed(CELL, None, None)[0].verdict is Verdict.INCONCLUSIVE


def looks(start: float, end: float, *, good: bool) -> SelfObservation:
    """Looks at a control host from one minute to another."""
    return SelfObservation(
        "berlin", SelfObservationKind.CONTROL, "example.com:443", good, minutes(start), minutes(end)
    )


def test_one_endpoint_and_a_control_host_out_of_reach_are_our_own_blindness() -> None:
    """Without the host the same runs are an outage."""
    runs = row(".CCCCC...")
    seen = [looks(0, 0.5, good=True), looks(1.1, 5.1, good=False), looks(5.5, 8, good=True)]
    derived = derive(MemoryHistory(runs, sights=seen), Rule(), now=minutes(9))
    assert derived.windows == ()
    assert [(span.start, span.end, span.reason) for span in derived.blind] == [
        (minutes(1), minutes(6), "nothing was reachable: azure-sweden, example.com:443")
    ]
    assert len(derive(MemoryHistory(runs), Rule(), now=minutes(9)).windows) == 1


def test_a_control_host_within_reach_makes_two_lost_endpoints_an_outage() -> None:
    """Our network works: both windows open, and the providers' edge is to blame."""
    rows = row(".CCCCC..."), row(".CCCCC...", endpoint="openai-us", start=minutes(0.5))
    history = MemoryHistory(together(*rows), sights=[looks(0, 9, good=True)])
    derived = derive(history, Rule(), now=minutes(9))
    assert derived.blind == ()
    assert len(derived.windows) == 2
    assert {incident.blame for incident in derived.incidents} == {Blame.PROVIDER}


def test_looks_from_elsewhere_say_nothing_about_here() -> None:
    """A control host is reached from one location at a time."""
    elsewhere = [looks(0, 9, good=False)._replace(location="oslo")]
    derived = derive(MemoryHistory(row(".CCCCC..."), sights=elsewhere), Rule(), now=minutes(9))
    assert len(derived.windows) == 1


def test_a_stretch_in_which_the_monitor_was_unfit_is_blind_and_masks_nothing() -> None:
    """It is cut at now; the runs in it were judged when they were made."""
    own = SelfObservation(
        "berlin",
        SelfObservationKind.OWN,
        "clock",
        good=False,
        start=minutes(2),
        end=minutes(30),
        detail="asleep",
    )
    derived = derive(MemoryHistory(row(".FFFF"), sights=[own]), Rule(), now=minutes(9))
    assert derived.blind == (BlindSpan(location="berlin", start=minutes(2), end=minutes(9), reason="asleep"),)
    assert len(derived.windows) == 1


@given(matrices())
@settings(max_examples=examples(50))
def test_a_control_host_that_always_answers_leaves_no_block(runs: list[Outcome]) -> None:
    """While it is within reach nothing is masked, and every run is judged as it is."""
    places = {run.location for run in runs}
    seen = [looks(-600, 6000, good=True)._replace(location=place) for place in places]
    history = MemoryHistory(runs, sights=seen)
    by_place = {
        place: {c: history.not_passed(c, None, None) for c in history.cells() if c.location == place}
        for place in places
    }
    assert all(find_blocks(history, cells, now=minutes(6000)) == [] for cells in by_place.values())
