"""A wall clock that is set, in the running service: nothing is hidden by it, and an outage stays one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.core.timefmt import rfc3339
from tests.soak.scenario import World, play, watch

ONE = "alpha/whisper-1/rest"
WATCHES = [watch("alpha", every="1m", models=["whisper-1"], pathways=["rest"])]


def test_runs_dated_ahead_hide_no_silence(tmp_path: Path) -> None:
    """The clock was six hours ahead for a while; four hours without a run are unknown, not up."""

    async def scene(w: World) -> None:
        await w.run(minutes=10)
        w.set_clock(hours=6)
        await w.run(minutes=10)
        w.set_clock(hours=-6)
        await w.run(minutes=10)
        last = datetime.fromtimestamp(
            w.rows(
                "select max(started_at) as at from outcomes where started_at < ?", w.now().timestamp() * 1000
            )[0]["at"]
            / 1000,
            UTC,
        )
        await w.stop()
        await w.run(hours=4)
        w.start()
        await w.run(seconds=0.01)
        (told,) = (await w.json("/api/v1/targets"))["items"]
        assert (told["state"], told["last_run"]["at"]) == ("unknown", rfc3339(last))
        (advised,) = (await w.json("/api/v1/advice?need=rest"))["pathways"]
        assert (advised["health"], advised["age_s"] > 4 * 3600) == ("unknown", True)
        for path in ("/", "/incidents", f"/targets/{ONE}"):
            assert "newest run 4 h" in await w.page(path), path

    play(tmp_path, scene, watches=WATCHES)


@pytest.mark.parametrize("back", [timedelta(minutes=30), timedelta(hours=3)])
def test_a_clock_set_back_behind_the_start_of_an_outage_leaves_it_one(
    tmp_path: Path, back: timedelta
) -> None:
    """Nothing is withdrawn and nothing is told a second time, and the end is told once."""

    async def scene(w: World) -> None:
        await w.run(minutes=20)
        outage = w.fail(ONE, "refused")
        await w.until(lambda: w.told, minutes=15)
        await w.run(minutes=10)
        w.set_clock(seconds=-back.total_seconds())
        w.outside.troubles[0].start = w.now() - timedelta(days=1)
        await w.run(minutes=20)
        assert w.kinds().count("incident.opened") == 1
        assert "incident.resolved" not in w.kinds()
        w.mend(outage)
        await w.run(minutes=25)
        assert w.kinds().count("incident.opened") == 1

    play(tmp_path, scene, watches=WATCHES)
