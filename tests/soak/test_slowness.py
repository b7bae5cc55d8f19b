"""A slowdown that lasts, in the running service: it is told once and goes on being one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.scenario import World, play, watch

ONE = "alpha/whisper-1/rest"


@pytest.mark.timeout(600)
def test_a_slowdown_that_lasts_stays_a_slowdown(tmp_path: Path) -> None:
    """Degraded when slow runs are the most by far, across a restart; health on the first fast runs after it.

    While it is degraded it is asked every minute, so that its runs soon outnumber those of the hours before.
    """

    async def scene(w: World) -> None:
        await w.run(hours=4)
        slow = w.fail(ONE, "slow")
        await w.run(minutes=90)
        await w.restart()
        await w.run(minutes=30)
        newest = w.rows("select verdict from outcomes order by started_at desc limit 20")
        assert {row["verdict"] for row in newest} == {"degraded"}
        assert w.kinds()[0] == "incident.opened"
        assert "incident.recovering" not in w.kinds()
        (window,) = w.replay()["windows"]
        assert (window["state"], window["open"]) == ("degraded", True)
        w.mend(slow)
        await w.run(minutes=40)
        assert w.kinds()[-1] == "incident.recovering"
        assert len({said.data["incident_id"] for said in w.told}) == 1

    play(
        tmp_path,
        scene,
        watches=[
            watch("alpha", models=["whisper-1"], pathways=["rest"], every="10m", more='timeout = "60s"')
        ],
    )
