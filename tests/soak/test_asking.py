"""When the running service asks: confirming runs, neighbours, pauses, and what a start does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests.soak.scenario import World, play, watch

ONE = "alpha/gpt-4o-transcribe/rest"
RUNS = """
    select o.started_at, o.kind, o.verdict from outcomes o join cells c on c.id = o.cell_id
    join targets t on t.id = c.target_id
    where t.endpoint || '/' || t.model || '/' || t.pathway = ? order by o.started_at
"""


def starts(w: World, key: str = ONE) -> Sequence[tuple[float, str, str]]:
    """Start in seconds, kind and verdict of every run of a target."""
    return [(row["started_at"] / 1000, row["kind"], row["verdict"]) for row in w.rows(RUNS, key)]


@pytest.mark.parametrize("every", ["5m", "1m"])
@pytest.mark.parametrize(("quota", "apart", "closing"), [(3, 60, 120), (6, 25, 85)])
def test_confirming_runs_settle_what_began_and_what_ended(
    tmp_path: Path, every: str, quota: int, apart: float, closing: float
) -> None:
    """Every 20 s where the quota allows: from the first bad run until it opens, from the first good one
    until it closes.
    """

    async def scene(w: World) -> None:
        await w.run(minutes=20)
        outage = w.fail(ONE)
        await w.run(minutes=15)
        w.mend(outage)
        await w.run(minutes=15)
        runs = starts(w)
        bad = [at for at, _, verdict in runs if verdict == "failed"]
        (window,) = w.rows("select start, decided_at, end, closed_at from windows where state = 'down'")
        assert window["start"] == bad[0] * 1000
        assert max(b - a for a, b in pairwise(bad[:3])) <= apart
        opened = next(at for at in bad if at >= bad[0] + 59)
        assert opened - bad[0] <= 80
        good = [at for at, _, verdict in runs if verdict == "passed" and at > bad[-1]]
        assert good[4] - good[0] <= closing
        assert window["closed_at"] / 1000 - good[0] <= closing

    play(tmp_path, scene, watches=[watch("alpha", every=every, more=f"max_per_minute = {quota}")])


def test_neighbours_are_asked_once_for_a_first_bad_run_across_a_kill(tmp_path: Path) -> None:
    """The store says in every turn that it is the first one, and says it to the next life too."""

    async def scene(w: World) -> None:
        await w.run(minutes=20)
        failing = "select count(*) as n from outcomes where verdict = 'failed'"
        beside = "select count(*) as n from outcomes where kind = 'neighbour'"
        outage = w.fail(ONE)
        await w.until(lambda: w.rows(failing)[0]["n"] == 1, minutes=6)
        w.mend(outage)
        await w.run(seconds=8)
        assert w.rows(beside)[0]["n"] == 2  # the same model on the other pathway, the other model on this one
        w.kill()
        await w.run(seconds=12)
        w.start()
        await w.run(minutes=5)
        assert w.rows(beside)[0]["n"] == 2

    play(tmp_path, scene, watches=[watch("alpha", every="5m")])


@pytest.mark.parametrize("how", ["quota", "unavailable"])
def test_an_outage_whose_answers_ask_for_an_hour_is_told_and_its_end_too(tmp_path: Path, how: str) -> None:
    """Each target is asked once a quarter of an hour: three runs open, and one shows the end."""

    async def scene(w: World) -> None:
        await w.run(minutes=20)
        outage = w.fail("alpha/*", how=how, retry_after=3600)
        await w.until(lambda: w.rows("select * from windows where state = 'down'"), minutes=55)
        w.mend(outage)
        ended = w.now()
        await w.until(lambda: not w.rows("select * from windows where open = 1"), hours=3)
        assert w.now() - ended < timedelta(hours=2)
        counted = w.rows("select count(*) as n from outcomes where failure is not null")[0]["n"]
        assert counted <= 4 * 6

    play(tmp_path, scene, watches=[watch("alpha", every="5m")])


def test_everything_is_known_a_minute_after_the_start(tmp_path: Path) -> None:
    """Also what a change of the file added; what ran lately waits for its slot."""

    async def scene(w: World) -> None:
        await w.run(minutes=2)
        keys = [target.key for target in w.settings.targets]
        assert all(len(starts(w, key)) == 1 for key in keys)
        before = {key: len(starts(w, key)) for key in keys}
        plan = type(w.plan)(watches=[*w.plan.watches, watch("beta", every="1h")])
        await w.restart(plan)
        await w.run(minutes=2)
        added = [target.key for target in w.settings.targets if target.key not in before]
        assert len(added) == 4
        assert all(len(starts(w, key)) == 1 for key in added)
        assert {key: len(starts(w, key)) for key in keys} == before

    play(tmp_path, scene, watches=[watch("alpha", every="1h")])


def test_what_cannot_be_reached_is_compared_with_another_host_at_once(tmp_path: Path) -> None:
    """Asked every half an hour and without control hosts: still the provider's, not unknown."""

    async def scene(w: World) -> None:
        await w.run(minutes=40)
        w.fail("alpha/*", how="refused")
        await w.until(lambda: w.told, minutes=45)
        assert w.told[0].data["blame"] == "provider"
        first = next(at for at, _, verdict in starts(w) if verdict == "failed")
        beside = [at for at, kind, _ in starts(w, "beta/gpt-4o-transcribe/rest") if kind == "neighbour"]
        assert any(0 <= at - first <= 20 for at in beside)

    watches = [
        watch(endpoint, models=("gpt-4o-transcribe",), pathways=("rest",), every="30m")
        for endpoint in ("alpha", "beta")
    ]
    play(tmp_path, scene, watches=watches, control_hosts=())
