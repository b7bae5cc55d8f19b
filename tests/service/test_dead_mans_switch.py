"""The dead man's switch: called while the service measures and stores, not merely while it lives."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.pipeline.writer import Backlog
from monitor.service.dead_mans_switch import Pulse, longest_rest, why_unwell
from tests.soak.outside import HEARTBEAT
from tests.soak.scenario import World, play, watch

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
IDLE = Backlog(waiting=0, failing_since=None, dropped=0)
WELL = Pulse(
    running=True,
    last_slot=NOW - timedelta(minutes=9),
    last_stored=NOW - timedelta(seconds=5),
    backlog=IDLE,
    patience=timedelta(minutes=15),
)
FAILING = Backlog(waiting=3, failing_since=NOW - timedelta(seconds=90), dropped=0, reason="the disk is full")


@pytest.mark.parametrize(
    ("pulse", "reason"),
    [
        (WELL, None),
        (replace(WELL, patience=None, last_slot=NOW - timedelta(days=9)), None),
        (replace(WELL, running=False), "the scheduler does not run"),
        (replace(WELL, backlog=FAILING), "nothing could be stored for 1 min 30 s: the disk is full"),
        (replace(WELL, last_stored=None), "nothing was stored for more than a minute"),
        (replace(WELL, last_stored=NOW - timedelta(seconds=61)), "nothing was stored for more than a minute"),
        (replace(WELL, last_slot=NOW - timedelta(minutes=16)), "no run was due to start for 16 min"),
    ],
)
def test_it_is_well_only_while_it_starts_runs_and_stores_them(pulse: Pulse, reason: str | None) -> None:
    """Every part that stops is named."""
    assert why_unwell(pulse, NOW) == reason


def test_no_slot_may_be_missing_for_three_intervals_of_the_closest_target() -> None:
    """At least a minute is allowed; without targets there is nothing to wait for."""
    assert longest_rest([timedelta(minutes=5), timedelta(hours=1)]) == timedelta(minutes=15)
    assert longest_rest([timedelta(seconds=5)]) == timedelta(minutes=1)
    assert longest_rest([]) is None


def test_a_service_that_cannot_store_says_so_once_and_calls_again_when_it_can(tmp_path: Path) -> None:
    """Start, a call a minute, one fail with the reason in place of calls, calls again."""
    (tmp_path / "heartbeat.url").write_text(f"{HEARTBEAT}/\n")

    async def scene(w: World) -> None:
        await w.run(minutes=5, seconds=1)
        assert [path for _, path, _ in w.outside.beats] == ["/start", "", "", "", "", ""]
        beats = len(w.outside.beats)
        with w.database.write() as tx:
            tx.exec_driver_sql("alter table outcomes rename to outcomes_away")
        await w.run(minutes=8)
        (fail,) = w.outside.beats[beats:]
        assert fail[1] == "/fail"
        assert fail[2].startswith("nothing could be stored for ")
        with w.database.write() as tx:
            tx.exec_driver_sql("alter table outcomes_away rename to outcomes")
        await w.run(minutes=3)
        assert [path for _, path, _ in w.outside.beats[beats + 1 :]][-2:] == ["", ""]

    more = f'[heartbeat]\nurl = "file:{tmp_path}/heartbeat.url"'
    play(tmp_path, scene, watches=[watch("alpha", every="1m")], more=more)
