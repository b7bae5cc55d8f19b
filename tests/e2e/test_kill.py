"""`kill -9` at any moment: the same single incident, no notice doubled under another id, nothing lost."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from monitor.core.incidents.codec import incident_to_json, window_to_json
from monitor.store.database.engine import open_database
from monitor.store.derivation.history import StoreHistory
from monitor.store.incidents.incidents import read_numbered_incidents, read_windows
from monitor.store.outcomes.read import stream_outcomes
from tests.support.memory_history import MemoryHistory
from tests.support.service_processes import FAILING, House

pytestmark = pytest.mark.timeout(180)

KILLS = 4


def test_a_killed_service_goes_on_with_the_same_incident(tmp_path: Path) -> None:
    """Killed while the incident is open, then a few times at moments drawn by a seed, it resolves the one."""
    moments = random.Random(20251117)
    with House(tmp_path) as house:
        service = house.serve()
        house.await_passes(2)
        house.break_down(model="gpt-4o-transcribe", pathway="realtime", fault="failed")
        house.await_phase("open")
        house.await_told("incident.opened")
        before = house.incidents()[0]
        for _ in range(KILLS):
            service.kill()
            service = house.serve()
            time.sleep(moments.uniform(0.2, 2.0))
        house.await_phase("open")
        after = house.incidents()[0]
        assert [(one["number"], one["id"], one["start"]) for one in house.incidents()] == [
            (1, before["id"], before["start"])
        ]
        assert after["windows"][0]["failed"] >= before["windows"][0]["failed"]
        house.mend()
        house.await_phase("resolved", 60)
        house.await_told("incident.resolved", 75)  # whoever was killed with a notice in hand left a lease
        assert [one["id"] for one in house.incidents()] == [before["id"]]
        assert service.terminate() == 0
        told = Counter(zip(house.receiver.ids(), kinds(house), strict=True))
        replay = json.loads(house.command("replay", "--json").stdout)
    of_kind = Counter(kind for _, kind in told)
    assert all(of_kind[kind] == 1 for kind in ("incident.opened", "incident.resolved")), told
    check_store(tmp_path, replay)


def kinds(house: House) -> list[str]:
    """The kind of every notice in the order of arrival."""
    return [str(said["type"]) for said in house.receiver.verified()]


def check_store(folder: Path, replay: dict[str, list[dict[str, object]]]) -> None:
    """What is stored agrees with itself and with the replay."""
    database = open_database(f"sqlite:///{folder / 'earwitness.db'}", create=False)
    with database.read() as tx:
        stored = list(stream_outcomes(tx))
        memory, history = MemoryHistory(stored), StoreHistory(tx)
        windows = [window_to_json(window) for window in read_windows(tx)]
        (incident,) = read_numbered_incidents(tx)
        for cell in memory.cells():
            assert history.count(cell, None, None) == memory.count(cell, None, None)
            assert history.not_passed(cell, None, None) == memory.not_passed(cell, None, None)
    database.dispose()
    assert len({(one.cell, one.slot) for one in stored if one.kind == "scheduled"}) == sum(
        one.kind == "scheduled" for one in stored
    )
    assert windows == replay["windows"]
    (derived,) = replay["incidents"]
    assert incident_to_json(incident) == derived
    assert derived["affected"] == [FAILING]
