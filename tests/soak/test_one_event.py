"""One event is one alert, in the running service at the intervals of people."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.soak.scenario import World, play, watch

MODELS = (
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "whisper-1",
    *(f"model-{number}" for number in range(7)),
)
PATHWAYS = ("rest", "realtime")
REGIONS = ("sweden", "france", "virginia", "tokyo")


@pytest.mark.timeout(900)  # eighty targets, second by second
@pytest.mark.parametrize("every", ["60s", "5m"])
def test_a_provider_wide_outage_of_eighty_targets_is_told_once(tmp_path: Path, every: str) -> None:
    """503 on all in four regions: one opening, nothing withdrawn, one recovery."""

    async def scene(w: World) -> None:
        await w.run(minutes=2 if every == "60s" else 6)
        begun = w.now()
        outage = w.fail("*")
        await w.until(lambda: w.told, minutes=12)
        patience = timedelta(minutes=1 if every == "60s" else 5) + timedelta(minutes=3)
        assert w.now() - begun <= patience
        await w.run(minutes=4)
        w.mend(outage)
        await w.until(lambda: "incident.recovering" in w.kinds(), minutes=12)
        assert w.kinds().count("incident.opened") == 1
        assert len({said.data["incident_id"] for said in w.told}) == 1
        assert not [said for said in w.told if said.data["title"].startswith(("Withdrawn", "Now part"))]
        assert len(w.replay()["incidents"]) == 1

    more = "max_per_minute = 20"
    watches = [watch(region, models=MODELS, pathways=PATHWAYS, every=every, more=more) for region in REGIONS]
    play(tmp_path, scene, watches=watches)


def test_two_causes_at_once_are_told_as_two(tmp_path: Path) -> None:
    """A model in one region and a pathway in another fail together, the rest passes: two openings."""

    async def scene(w: World) -> None:
        await w.run(minutes=11)
        w.fail("sweden/whisper-1/*")
        w.fail("tokyo/*/realtime")
        await w.run(minutes=12)
        assert w.kinds().count("incident.opened") == 2
        assert len({said.data["incident_id"] for said in w.told}) == 2
        assert len(w.replay()["incidents"]) == 2

    watches = [
        watch(region, models=MODELS[:3], pathways=PATHWAYS, every="60s", more="max_per_minute = 20")
        for region in REGIONS
    ]
    play(tmp_path, scene, watches=watches)


@pytest.mark.parametrize("every", ["1m", "5m"])
def test_one_target_is_told_within_eighty_seconds(tmp_path: Path, every: str) -> None:
    """From the first failed run, where nothing else fails."""

    async def scene(w: World) -> None:
        await w.run(minutes=11)
        w.fail("alpha/whisper-1/rest")
        await w.until(lambda: w.told, minutes=12)
        first = w.rows("select min(started_at) as at from outcomes where verdict = 'failed'")[0]["at"]
        opened = w.rows("select opened_at as at from incidents where number = 1")[0]["at"]
        assert opened - first <= 80_000
        assert w.now().timestamp() * 1000 - opened <= 5_000

    play(tmp_path, scene, watches=[watch("alpha", every=every), watch("beta", every=every)])
