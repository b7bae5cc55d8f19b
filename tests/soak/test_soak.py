"""A day of the real service, in three parts with a seed each: whatever was planted is told as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.plan import KINDS, SPECIAL, keys, make_script, watched
from tests.soak.scenario import START
from tests.soak.soak import soak

SEEDS = (2, 4, 12)
PART = 8 / 24  # of a day: with three seeds a day


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_is_told_as_it_was(seed: int, tmp_path: Path) -> None:
    """Nothing missed, late, invented, withdrawn or blamed wrongly; every side says the same."""
    script = make_script(seed, days=PART, targets=9, start=START)
    found = soak(seed, tmp_path, days=PART, targets=9)
    assert found.planted == sum(not one.hidden for one in script.planted) > 0
    assert [one.line() for one in found.differences] == []


def test_a_seed_always_gives_the_same_script() -> None:
    """What a seed plants depends on the seed, the length and the size alone."""
    first, again = (make_script(7, days=5, targets=50, start=START) for _ in range(2))
    assert (first.planted, first.acts, first.plan) == (again.planted, again.acts, again.plan)
    assert first.planted != make_script(8, days=5, targets=50, start=START).planted


def test_a_week_plants_every_kind() -> None:
    """Each kind of trouble is there once before any comes twice."""
    script = make_script(3, days=(len(KINDS) + len(SPECIAL)) / 6, targets=50, start=START)
    wanted = {kind.name for kind in KINDS} | (SPECIAL.keys() - {"removed"})
    assert wanted <= {one.kind for one in script.planted}
    assert {"kill", "restart", "suspend", "clock", "away", "reconfigure"} <= {act.what for act in script.acts}


def test_fifty_targets_have_the_intervals_that_people_use() -> None:
    """About so many targets as were asked for; five minutes, one minute and twenty seconds all occur."""
    plan = watched(50)
    assert 45 <= len(keys(plan)) <= 55
    assert len(keys(plan)) == len(set(keys(plan)))
    assert {one.every for one in plan.watches} == {"5m", "1m", "20s"}
