"""The look-back of a rule: how long it is, what opens, and when it is settled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model import Cell
from monitor.core.outages.lookback import is_settled, oldest_number, reached
from monitor.core.outages.rule import Rule, Threshold
from monitor.core.scheduling.attention import Attention, watch
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import minutes, row

CELL = Cell("azure-sweden", "gpt-4o-transcribe", "realtime", "berlin")
DOWN = Rule().down


def could_open(bad: list[bool], threshold: Threshold) -> bool:
    """By brute force: could runs to come open a window whose look-back holds a bad run seen already?"""
    for more in range(threshold.of):
        future = [*bad, *[True] * more]
        look_back = future[-threshold.of :]
        kept = look_back[: len(look_back) - more] if more else look_back
        if any(kept) and future[-1] and sum(look_back) >= threshold.bad:
            return True
    return False


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_a_look_back_is_settled_exactly_when_nothing_seen_can_still_open_a_window(bad: list[bool]) -> None:
    """Settled means: however the next runs go, no window opens with what was seen."""
    numbers = [index for index, is_bad in enumerate(bad, 1) if is_bad]
    assert is_settled(DOWN, numbers, len(bad), len(bad) - DOWN.of + 1) is not could_open(bad, DOWN)


def test_a_bad_run_in_a_look_back_by_span_is_settled_when_it_has_left() -> None:
    """How many runs such a look-back will hold nobody can say."""
    assert not is_settled(DOWN, [3], 9, 3)
    assert is_settled(DOWN, [3], 10, 4)


def test_a_look_back_covers_the_span() -> None:
    """As many runs as cover a minute less a second, and never fewer than `of`."""
    runs = row("." * 20, step=10)
    by = reached(MemoryHistory(runs), CELL)
    assert oldest_number(DOWN, 20, runs[-1].started_at, by) == 14
    assert oldest_number(replace(DOWN, span=timedelta(0)), 20, runs[-1].started_at, by) == 16
    assert oldest_number(replace(DOWN, of=9), 20, runs[-1].started_at, by) == 12


def attention(marks: str, step: float) -> Attention:
    """How closely a cell with these runs is watched."""
    runs = row(marks, step=step, every_s=step)
    return watch(MemoryHistory(runs), CELL, Rule(), (), runs[-1].started_at).attention


def test_confirming_lasts_until_the_look_back_is_settled() -> None:
    """Three good runs at 20 s, a minute of them at 10 s; a silence after the bad run changes nothing."""
    assert attention("..F..", 20) is Attention.CONFIRMING
    assert attention("..F...", 20) is Attention.CALM
    assert attention("........F......", 10) is Attention.CONFIRMING
    assert attention("........F.......", 10) is Attention.CALM
    silent = [*row("..F"), *row(".", start=minutes(60))]
    assert watch(MemoryHistory(silent), CELL, Rule(), (), minutes(60)).attention is Attention.CONFIRMING
    good = [*row("..F."), *row(".", start=minutes(60))]
    assert watch(MemoryHistory(good), CELL, Rule(), (), minutes(60)).attention is Attention.CALM
