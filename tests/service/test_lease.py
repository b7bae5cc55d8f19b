"""A second process at one location, on the running service."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from monitor.core.errors import MonitorError
from monitor.service.lease import Lease
from tests.soak.scenario import World, play, watch

ONE = [watch("alpha", models=["whisper-1"], pathways=["rest"], every="1m")]


def test_a_second_monitor_at_one_location_is_refused(tmp_path: Path) -> None:
    """Within seconds, naming the location; the first goes on and nothing of it is booked as lost."""

    async def scene(w: World) -> None:
        await w.run(minutes=2)
        second = Lease(w.database, "berlin", clock=w.now)
        asked = w.now()
        with pytest.raises(MonitorError, match="another monitor checks from location 'berlin'"):
            await second.take()
        assert (w.now() - asked).total_seconds() < 10
        await w.run(minutes=2)
        assert not w.rows("select * from skips")
        assert len(w.rows("select * from outcomes")) >= 4

    play(tmp_path, scene, watches=ONE)


def test_a_clean_stop_gives_the_location_back_at_once(tmp_path: Path) -> None:
    """The next process does not wait."""

    async def scene(w: World) -> None:
        await w.run(minutes=2)
        await w.stop()
        assert not w.rows("select * from leases")
        w.start()
        await w.run(seconds=2)
        assert len(w.rows("select * from leases")) == 1

    play(tmp_path, scene, watches=ONE)


def test_a_killed_monitor_is_followed_within_fifteen_seconds(tmp_path: Path) -> None:
    """The next one waits for the lease to run out, and then checks as before."""

    async def scene(w: World) -> None:
        await w.run(minutes=2)
        (held,) = w.rows("select instance from leases")
        w.kill()
        w.start()
        await w.run(seconds=10)
        assert w.rows("select instance from leases") == [held]
        await w.run(seconds=8)
        assert w.rows("select instance from leases") != [held]
        before = len(w.rows("select * from outcomes"))
        await w.run(minutes=2)
        assert len(w.rows("select * from outcomes")) >= before + 2

    play(tmp_path, scene, watches=ONE)


def test_a_monitor_that_slept_while_another_took_over_ends(tmp_path: Path) -> None:
    """Two never check side by side: the one that lost the lease says so and stops."""

    async def scene(w: World) -> None:
        await w.run(minutes=1)
        with w.database.write() as tx:
            tx.exec_driver_sql("update leases set instance = 'another'")
        stored = w.rows("select * from outcomes")
        with pytest.raises(MonitorError, match="another monitor took over location 'berlin'"):
            await w.run(seconds=10)
        w.forget()
        assert w.rows("select * from outcomes") == stored
        await asyncio.sleep(0)

    play(tmp_path, scene, watches=ONE)
