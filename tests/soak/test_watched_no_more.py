"""A target that leaves the configuration while it fails: its outage ends, and stands in no other's way."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.soak.scenario import Plan, World, play, watch

BOTH = [watch("alpha", every="1m"), watch("beta", every="1m", models=["whisper-1"], pathways=["rest"])]
LESS = [watch("alpha", every="1m", models=["whisper-1"]), BOTH[1]]
GONE = ["alpha/gpt-4o-transcribe/realtime", "alpha/gpt-4o-transcribe/rest"]


def test_what_is_watched_no_more_ends_without_a_word_of_health(tmp_path: Path) -> None:
    """It is told once, without *safe to go back*; replay says the same; what fails later begins later."""

    async def scene(w: World) -> None:
        await w.run(minutes=15)
        w.fail("alpha/gpt-4o-transcribe/*")
        await w.until(lambda: w.told, minutes=5)
        await w.run(minutes=10)
        left = w.now()
        await w.restart(Plan(watches=LESS))
        await w.run(minutes=2)
        assert w.kinds() == ["incident.opened", "incident.resolved"]
        last = w.told[-1].data
        assert last["title"].startswith("Watched no more: ")
        assert "safe to go back" not in last["text"]
        (incident,) = (await w.json("/api/v1/incidents"))["items"]
        assert incident["phase"] == "resolved"
        (replayed,) = w.replay()["incidents"]
        assert replayed["end"] == incident["end"]
        assert replayed["affected"] == GONE

        await w.run(hours=30)  # and no reminder of it in the meantime
        assert len(w.told) == 2
        begun = w.now()
        w.fail("alpha/*")
        await w.until(lambda: len(w.told) > 2, minutes=5)
        data = w.told[-1].data
        assert data["incident"] == 2
        assert data["affected"] == ["alpha/whisper-1/realtime", "alpha/whisper-1/rest"]
        assert data["start"] >= f"{begun:%Y-%m-%dT%H:%M:%S}"
        assert begun - left > timedelta(hours=30)

    play(tmp_path, scene, watches=BOTH)


def test_what_is_watched_again_is_judged_by_its_runs(tmp_path: Path) -> None:
    """Taken out of the configuration and put back within minutes: one outage, which still lasts."""

    async def scene(w: World) -> None:
        await w.run(minutes=15)
        w.fail("alpha/gpt-4o-transcribe/*")
        await w.until(lambda: w.told, minutes=5)
        await w.restart(Plan(watches=LESS))
        await w.run(minutes=3)
        assert w.kinds()[-1] == "incident.resolved"
        await w.restart(Plan(watches=BOTH))
        await w.run(minutes=3)
        (incident,) = (await w.json("/api/v1/incidents"))["items"]
        assert incident["phase"] == "open"
        assert [one["open"] for one in w.replay()["incidents"]] == [True]

    play(tmp_path, scene, watches=BOTH)
