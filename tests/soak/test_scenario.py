"""The instrument, used as the tests of the running service use it: one outage at the intervals of people."""

from __future__ import annotations

from pathlib import Path

from tests.soak.scenario import World, play, watch


def test_an_outage_is_told_and_its_end_too(tmp_path: Path) -> None:
    """At five minutes one target fails for an hour: one opening, one end, nothing of anybody else."""

    async def scene(w: World) -> None:
        await w.run(minutes=30)
        outage = w.fail("alpha/gpt-4o-transcribe/rest")
        await w.until(lambda: w.told, minutes=30)
        assert w.told[0].kind == "incident.opened"
        assert w.told[0].data["affected"] == ["alpha/gpt-4o-transcribe/rest"]
        await w.run(minutes=20)
        w.mend(outage)
        await w.run(hours=1)
        assert w.kinds()[-1] == "incident.resolved"
        assert (await w.get("/")).status_code == 200
        (incident,) = (await w.json("/api/v1/incidents"))["items"]
        assert incident["phase"] == "resolved"
        assert w.rows("select count(*) as n from outcomes")[0]["n"] > 200

    play(tmp_path, scene, watches=[watch("alpha", every="5m"), watch("beta", every="1m")])


def test_a_killed_service_is_taken_over(tmp_path: Path) -> None:
    """After `kill -9` in the middle of runs the next life goes on, and no slot is without an answer."""

    async def scene(w: World) -> None:
        await w.run(minutes=10)
        await w.until(w.service.scheduler.in_flight, minutes=5)
        w.kill()
        await w.run(minutes=3)
        w.start()
        await w.run(minutes=10)
        await w.restart()
        await w.run(minutes=5)
        slots = w.rows("select slot from outcomes where kind = 'scheduled' union select slot from skips")
        assert len(w.rows("select * from skips")) >= 1
        assert len(slots) > 4 * 20

    play(tmp_path, scene, watches=[watch("alpha", every="1m")])
