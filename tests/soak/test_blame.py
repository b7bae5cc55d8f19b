"""Whose fault it is, in the running service: who is told, and what they read."""

from __future__ import annotations

from pathlib import Path

from tests.soak.scenario import World, play, watch

CHANNELS = {"oncall": None, "owner": ["account", "monitor"]}
ONE = "alpha/whisper-1/rest"


def test_an_unavailable_target_that_never_passed_is_told_to_on_call(tmp_path: Path) -> None:
    """503 names itself: no history is asked, and the page and the notice say so."""

    async def scene(w: World) -> None:
        w.fail("*", "unavailable")
        w.start()
        await w.until(lambda: w.told, minutes=15)
        assert (w.kinds("oncall"), w.kinds("owner")) == (["incident.opened"], [])
        assert w.told[0].data["blame"] == "provider"
        assert "the answer says server: HTTP 503" in w.told[0].data["text"]
        assert "provider" in await w.page("/incidents/1")

    play(tmp_path, scene, begin=False, channels=CHANNELS, watches=[watch("alpha", every="1m")])


def test_an_outage_inside_a_spent_quota_is_told_to_on_call(tmp_path: Path) -> None:
    """The owner is told of the quota; when the provider fails in the same window, on-call is told of both."""

    async def scene(w: World) -> None:
        await w.run(minutes=20)
        quota = w.fail(ONE, "quota")
        await w.until(lambda: w.told, minutes=15)
        assert (w.kinds("oncall"), w.kinds("owner")) == ([], ["incident.opened"])
        await w.run(minutes=30)
        w.mend(quota)
        w.fail(ONE, "server")
        await w.until(lambda: w.kinds("oncall"), minutes=15)
        (told,) = (said.data for said in w.told if said.channel == "oncall")
        assert (told["blame"], told["severity"]) == ("account", "major")
        assert "Looks like: our account and provider" in told["text"]
        (one,) = w.replay()["incidents"]
        assert one["blame"] == "account"
        page = await w.page("/incidents/1")
        assert "provider in " in page

    play(tmp_path, scene, channels=CHANNELS, watches=[watch("alpha", every="1m")])
