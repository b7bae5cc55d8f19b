"""The rule as the running service keeps it: pauses asked for, other hosts' failures, refused connections."""

from __future__ import annotations

from pathlib import Path

from tests.soak.scenario import World, play, watch

FAILING = "alpha/gpt-4o-transcribe/rest"


def test_an_outage_whose_answers_ask_for_a_pause_is_told(tmp_path: Path) -> None:
    """Each failure asks for twenty minutes: the silences between them are no sign of health."""

    async def scene(w: World) -> None:
        await w.run(minutes=30)
        w.fail(FAILING, "unavailable", retry_after=1200)
        await w.until(lambda: w.told, hours=2)
        assert w.told[0].kind == "incident.opened"
        assert w.told[0].data["affected"] == [FAILING]

    play(tmp_path, scene, watches=[watch("alpha", every="5m")])


def test_one_failed_connect_elsewhere_withdraws_nothing(tmp_path: Path) -> None:
    """Another endpoint is out of reach for a moment while an outage goes on: it stays told."""

    async def scene(w: World) -> None:
        await w.run(minutes=30)
        w.fail("alpha/*", "refused")
        await w.until(lambda: w.told, minutes=30)
        blip = w.fail("beta/*", "refused")
        await w.run(minutes=2)
        w.mend(blip)
        await w.run(minutes=40)
        assert "incident.resolved" not in w.kinds()  # a withdrawal ends an incident as well

    play(tmp_path, scene, watches=[watch("alpha", every="1m"), watch("beta", every="30m")])


def test_a_refused_connection_is_told_as_down_at_once(tmp_path: Path) -> None:
    """The first that is said of it is *down*."""

    async def scene(w: World) -> None:
        await w.run(minutes=30)
        w.fail(FAILING, "refused")
        await w.until(lambda: w.told, minutes=30)
        assert w.told[0].data["title"].startswith("Down: ")
        assert w.told[0].data["severity"] == "major"

    play(tmp_path, scene, watches=[watch("alpha", every="5m"), watch("beta", every="1m")])
