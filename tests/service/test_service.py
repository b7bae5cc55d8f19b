"""The service as a whole, on a driven clock: what it does while nothing happens, and how it ends."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from monitor.service.service import LONGEST_STOP
from tests.soak.scenario import World, play, watch

ONE = [watch("alpha", models=["whisper-1"], pathways=["rest"], every="1h")]


def test_a_turn_that_brings_nothing_leaves_the_database_alone(tmp_path: Path) -> None:
    """Between two runs only a sign of life is stored, every five or six seconds."""

    async def scene(w: World) -> None:
        await w.run(minutes=2)
        before = w.rows("select sum(beats) as n, max(last_at) as at from heartbeats")[0]
        await w.run(minutes=10)
        after = w.rows("select sum(beats) as n, max(last_at) as at from heartbeats")[0]
        assert 600 / 6 <= after["n"] - before["n"] <= 600 / 5 + 12  # the looks of every minute are stored too
        assert w.now().timestamp() * 1000 - after["at"] <= 6_000

    play(tmp_path, scene, watches=ONE)


def test_a_stop_waits_for_runs_under_way_and_keeps_what_they_gave(tmp_path: Path) -> None:
    """A run that gets no answer ends by its own deadline, and is stored before the service ends."""

    async def scene(w: World) -> None:
        await w.run(minutes=5)
        w.fail("*", how="silent")
        stored = len(w.rows("select * from outcomes"))
        await w.until(w.service.scheduler.in_flight, hours=2)
        asked = w.now()
        await w.stop()
        assert timedelta(seconds=5) < w.now() - asked < LONGEST_STOP
        assert len(w.rows("select * from outcomes where verdict = 'failed'")) == 1
        assert len(w.rows("select * from outcomes")) > stored

    play(tmp_path, scene, watches=ONE)
