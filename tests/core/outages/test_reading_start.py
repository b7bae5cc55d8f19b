"""From where reading is enough: what is derived from there equals what the whole history gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.incidents.derive import derive, to_json
from monitor.core.model import Cell, Outcome
from monitor.core.outages.reading_start import Clearings, clear_instant
from monitor.core.outages.rule import Rule, Threshold
from monitor.core.timefmt import parse_instant
from tests.support.examples import examples
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import RULES, T0, matrices, minutes, row, together

CELL = Cell("azure-sweden", "gpt-4o-transcribe", "realtime", "berlin")


def _reaching(shown: dict[str, Any], key: str, end: str, since: str) -> list[dict[str, Any]]:
    bound = parse_instant(since)
    return [one for one in shown[key] if one[end] is None or parse_instant(one[end]) > bound]


def _without_number(incident: dict[str, Any]) -> dict[str, Any]:
    return incident | {"number": 0}


@settings(max_examples=examples(200), deadline=None)
@given(matrices(most=120, interval=True, calm=50), st.floats(0, 1), st.sampled_from(RULES))
def test_deriving_from_anywhere_equals_deriving_from_the_beginning(
    outcomes: list[Outcome], share: float, rule: Rule
) -> None:
    """What reaches beyond an instant is the same whether reading began near it or at the first run."""
    if not outcomes:
        return
    history = MemoryHistory(outcomes)
    now = history.newest()
    assert now is not None
    everything = to_json(derive(history, rule, now=now))
    near = derive(history, rule, now=now, since=T0 + (now - T0) * share)
    shown = to_json(near)
    assert near.since is not None
    bound = near.since.isoformat()
    assert shown["windows"] == _reaching(everything, "windows", "end", bound)
    assert shown["gaps"] == _reaching(everything, "gaps", "to", bound)
    assert shown["blind"] == _reaching(everything, "blind", "to", bound)
    late = [one for one in everything["incidents"] if parse_instant(one["start"]) >= near.since]
    assert list(map(_without_number, shown["incidents"])) == list(map(_without_number, late))


def test_a_long_row_of_passes_is_clear() -> None:
    """Twenty passes after a bad run, and past the time of its continuation, nothing earlier matters."""
    history = MemoryHistory(row("." * 5 + "FFF" + "." * 40))
    assert clear_instant(history, CELL, Rule(), minutes(47)) == minutes(47)


def test_a_row_too_short_is_not_clear() -> None:
    """Nineteen passes after a bad run could still share a look-back with it."""
    history = MemoryHistory(row("F" + "." * 19))
    assert clear_instant(history, CELL, Rule(), minutes(40)) is None


def test_a_row_too_young_is_not_clear() -> None:
    """Many passes in a short time do not end the time in which a window is continued."""
    history = MemoryHistory(row("F" + "." * 50, step=10, every_s=10))
    assert clear_instant(history, CELL, Rule(), minutes(60)) is None


def test_a_bad_run_that_a_look_back_by_span_may_hold_is_not_clear() -> None:
    """Forty passes in twenty seconds: a run after them still looks back a minute."""
    short = Threshold(bad=3, of=5, span=timedelta(minutes=1), good=5, merge=timedelta(0), merge_intervals=0)
    rule = Rule(down=short, degraded=replace(short, span=timedelta(0)))
    burst = row("F" + "." * 40, step=0.5, every_s=0.5)
    assert clear_instant(MemoryHistory(burst), CELL, rule, minutes(1)) is None
    later = MemoryHistory([*burst, *row(".", start=minutes(1.5), every_s=0.5)])
    assert clear_instant(later, CELL, rule, minutes(2)) == minutes(1.5)


def test_looks_past_trouble_to_the_calm_before() -> None:
    """A clear instant lies before the troubles that are still near."""
    history = MemoryHistory(row("." * 60 + "F..F"))
    assert clear_instant(history, CELL, Rule(), minutes(63)) == minutes(59)


def test_a_longer_interval_demands_a_longer_look_back() -> None:
    """Where runs are hours apart a stretch of six hours proves nothing, and more is read."""
    runs = row("F" + "." * 60, step=7200, every_s=7200)
    history = MemoryHistory(runs)
    assert clear_instant(history, CELL, Rule(), runs[-1].started_at) == runs[-1].started_at


def test_reads_everything_where_runs_are_days_apart() -> None:
    """Beyond fourteen days the whole history is read, and a clear instant still found."""
    runs = row("F" + "." * 60, step=3 * 86_400, every_s=3 * 86_400)
    history = MemoryHistory(runs)
    assert clear_instant(history, CELL, Rule(), runs[-1].started_at) == runs[-1].started_at


def test_nothing_is_clear_before_the_first_run() -> None:
    """Without a conclusive run there is nothing to begin at."""
    history = MemoryHistory(together(row("?"), row(".", model="b")))
    assert clear_instant(history, CELL, Rule(), minutes(1)) is None
    assert clear_instant(history, CELL, Rule(), T0 - timedelta(days=1)) is None


def test_what_is_clear_is_found_again_until_something_else_is_stored() -> None:
    """The same basis gives what was found before; another basis, or a late run, asks anew."""
    before, after = (MemoryHistory(row(letters)) for letters in ("." * 60, "." * 45 + "F" + "." * 14))
    bound = minutes(50)
    known = Clearings()
    known.hold("first", minutes(58))
    assert known.find(before, CELL, Rule(), bound) == minutes(50)
    known.hold("first", minutes(59))
    assert known.find(after, CELL, Rule(), bound) == minutes(50)
    known.hold("second", minutes(59))
    assert known.find(after, CELL, Rule(), bound) == minutes(44)
    known.forget()
    assert known.find(before, CELL, Rule(), bound) == minutes(50)


def test_what_may_still_change_is_asked_every_time() -> None:
    """A bound that is not settled may see runs before it that are on their way."""
    before, after = (MemoryHistory(row(letters)) for letters in ("." * 60, "." * 45 + "F" + "." * 14))
    known = Clearings()
    known.hold("first", minutes(50))
    assert known.find(before, CELL, Rule(), minutes(50)) == minutes(50)
    assert known.find(after, CELL, Rule(), minutes(50)) == minutes(44)


def test_a_bound_inside_overlapping_spans_goes_back_to_the_first_of_them() -> None:
    """One cell's unmeasured stretch ended before the bound, another's reaches over it: both are one span."""
    first = row(".????......")
    second = row(".." + "?" * 8 + ".", endpoint="openai-us", start=minutes(0.5))
    history = MemoryHistory(together(first, second))
    now = history.newest()
    assert now is not None
    whole = to_json(derive(history, Rule(), now=now))["blind"]
    for minute in range(3, 10):
        assert to_json(derive(history, Rule(), now=now, since=minutes(minute)))["blind"] == whole
