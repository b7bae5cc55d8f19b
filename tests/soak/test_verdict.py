"""The rule as the running service keeps it: pauses asked for, other hosts' failures, refused connections."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.timefmt import rfc3339
from tests.soak.scenario import World, play, watch

FAILING = "alpha/gpt-4o-transcribe/rest"
FAILED_AT_BETA = """select 1 from outcomes join cells on cells.id = outcomes.cell_id
    join targets on targets.id = cells.target_id
    where targets.endpoint = 'beta' and outcomes.verdict = 'failed'"""


@pytest.mark.parametrize("every", ["5m", "1m"])
def test_an_outage_whose_answers_ask_for_a_pause_is_told(tmp_path: Path, every: str) -> None:
    """Each failure asks for twenty minutes: the silences between them are no sign of health."""

    async def scene(w: World) -> None:
        await w.run(minutes=30)
        w.fail(FAILING, "unavailable", retry_after=1200)
        await w.until(lambda: w.told, hours=2)
        assert w.told[0].kind == "incident.opened"
        assert w.told[0].data["affected"] == [FAILING]

    play(tmp_path, scene, watches=[watch("alpha", every=every)])


def test_one_failed_connect_elsewhere_withdraws_nothing(tmp_path: Path) -> None:
    """Another endpoint fails to connect once while an outage goes on, and no control host says more."""

    async def scene(w: World) -> None:
        await w.run(minutes=40)
        w.fail("alpha/*", "refused")
        await w.until(lambda: w.told, minutes=30)
        await w.run(minutes=20)
        blip = w.fail("beta/*", "refused")
        await w.until(lambda: w.rows(FAILED_AT_BETA), minutes=31)
        w.mend(blip)
        await w.run(minutes=10)
        # A withdrawal ends an incident as well, and a masked outage would have no window left.
        assert "incident.resolved" not in w.kinds()
        down = [window for window in w.replay()["windows"] if window["open"]]
        assert len(down) == 4
        assert max(window["start"] for window in down) < rfc3339(blip.start)
        assert min(window["failed"] for window in down) >= 25  # one a minute; the blip masks two of them

    watches = [
        watch("alpha", every="1m"),
        watch("beta", every="30m", models=["whisper-1"], pathways=["rest"]),
    ]
    play(tmp_path, scene, watches=watches, control_hosts=[])


def test_a_refused_connection_is_told_as_down_at_once(tmp_path: Path) -> None:
    """The first that is said of it is *down*."""

    async def scene(w: World) -> None:
        await w.run(minutes=30)
        w.fail(FAILING, "refused")
        await w.until(lambda: w.told, minutes=30)
        assert w.told[0].data["title"].startswith("Down: ")
        assert w.told[0].data["severity"] == "major"

    play(tmp_path, scene, watches=[watch("alpha", every="5m"), watch("beta", every="1m")])
