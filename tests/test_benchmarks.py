"""The benchmarks still run; what they measure is for people to read, no figure is judged here."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest

from benchmarks import (
    added,
    darkness,
    disk,
    footprint,
    hostile,
    importing,
    lateness,
    noise,
    pages,
    realtime,
    recording,
    replay,
    rest,
    tabs,
    trouble,
)
from benchmarks.__main__ import BENCHMARKS
from benchmarks.history import CELLS, is_bad, outcomes
from benchmarks.measure import Figure, quantile
from monitor.core.model import Verdict

pytestmark = pytest.mark.xdist_group("benchmarks")

TINY: dict[str, Callable[[], Iterator[Figure]]] = {
    "realtime": partial(realtime.run, rounds=1, block=2),
    "rest": partial(rest.run, rounds=1, block=2),
    "added": partial(added.run, rate=20, seconds=0.8),
    "recording": partial(recording.run, commits=3, year=timedelta(days=1)),
    "importing": partial(importing.run, lines=200),
    "replay": partial(replay.run, count=2_000, rounds=1),
    "pages": partial(pages.run, count=2_000, rounds=1),
    "disk": partial(disk.run, count=2_000),
    "footprint": partial(footprint.run, targets=10, seconds=3, starts=1),
    "hostile": partial(hostile.run, targets=5, seconds=6, warm_up=2),
    "lateness": partial(lateness.run, rates=(2,), seconds=2, warm_up=1),
    "tabs": partial(tabs.run, targets=4, every="5s", seconds=8, tabs=(0, 1)),
    "noise": partial(noise.run, seeds=2),
    "darkness": partial(darkness.run, few=2, many=4, rounds=1),
    "trouble": partial(
        trouble.run,
        cases=[trouble.Case(failing=1, age=trouble.MINUTE)],
        targets=4,
        seconds=20,
        rounds=1,
    ),
}


def test_every_benchmark_has_a_tiny_size() -> None:
    """What ``python -m benchmarks`` can run is tried here, and nothing else."""
    assert TINY.keys() == BENCHMARKS.keys()


@pytest.mark.parametrize("name", sorted(TINY))
def test_a_benchmark_gives_finite_numbers(name: str) -> None:
    """Every figure has a name and a number that can be read and compared."""
    figures = list(TINY[name]())
    assert figures
    assert all(math.isfinite(figure.value) for figure in figures), figures
    assert all(figure.name in figure.row() for figure in figures)


def test_a_figure_says_whether_its_mark_is_met() -> None:
    """A mark is an upper bound, or a lower one where more is better; without one nothing is claimed."""
    small = Figure(name="cost", value=1.5, unit="ms", mark=1.7)
    assert [small.verdict, Figure(name="cost", value=1.8, unit="ms", mark=1.7).verdict] == ["met", "MISSED"]
    fast = Figure(name="rate", value=25_000, unit="/s", mark=20_000, at_least=True)
    assert [fast.verdict, Figure(name="rate", value=9, unit="/s").verdict] == ["met", ""]


def test_a_made_up_history_has_one_bad_run_in_a_hundred() -> None:
    """The history that is replayed is 1 % bad, alone and in outages, whatever its length."""
    bad = sum(is_bad(number // CELLS, number % CELLS) for number in range(600_000))
    assert 0.008 <= bad / 600_000 <= 0.012
    runs = list(outcomes(4_000))
    assert sum(run.verdict is Verdict.FAILED for run in runs) > 10
    assert len({run.id for run in runs}) == len({(run.cell, run.slot) for run in runs}) == 4_000


def test_a_quantile_is_one_of_the_values() -> None:
    """No value is invented between two that were measured."""
    assert [quantile([3.0, 1.0, 2.0], share) for share in (0, 0.5, 0.99, 1)] == [1.0, 2.0, 3.0, 3.0]


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    """A misspelt benchmark is told, and none is run."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "realtme"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "unknown: realtme; there are realtime, rest" in done.stderr
