"""The monitor's look at itself, with hosts, clocks and a machine that are set by hand."""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.core.conversation import FaultKind
from monitor.core.model import Stage
from monitor.core.outages.self_observations import SelfObservation, SelfObservationKind
from monitor.service.self_check import (
    FRESH,
    Clocks,
    Gauges,
    SelfCheck,
    control_url,
    free_descriptors,
    free_disk,
    read_clocks,
)
from monitor.transport import ProbeResult

START = datetime(2025, 11, 17, 8, 30, tzinfo=UTC)
HOSTS = ("example.com:443", "example.org:443")


@dataclass(slots=True)
class Machine:
    """Clocks that go when they are told to, hosts that are lost, and what is free."""

    wall: float = START.timestamp()
    steady: float = 100.0
    asleep: float = 0.0
    lost: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    descriptors: int | None = 1000
    disk: int | None = 10**12

    def clocks(self) -> Clocks:
        """The three clocks."""
        return Clocks(wall=self.wall, steady=self.steady, awake_or_not=self.steady + self.asleep)

    def now(self) -> datetime:
        """The wall clock."""
        return datetime.fromtimestamp(self.wall, UTC)

    def go(self, seconds: float) -> None:
        """Time passes."""
        self.wall += seconds
        self.steady += seconds

    async def reach(self, url: str) -> ProbeResult:
        """A host that answers once the gate is open, or is lost."""
        self.asked.append(url)
        await self.gate.wait()
        if url.partition("://")[2] in self.lost:
            return ProbeResult(stage=Stage.RESOLVE, seconds=0.1, fault=FaultKind.NAME, detail="no such name")
        return ProbeResult(stage=Stage.CONNECT, seconds=0.01)

    def selfcheck(self, hosts: tuple[str, ...] = HOSTS) -> SelfCheck:
        """A self-check of this machine."""
        self.gate.set()
        gauges = Gauges(
            clocks=self.clocks, descriptors=lambda: self.descriptors, disk=lambda _folder: self.disk
        )
        return SelfCheck(
            location="berlin",
            hosts=hosts,
            reach=self.reach,
            clock=self.now,
            folder=Path("data"),
            gauges=gauges,
        )


async def test_every_control_host_is_looked_at() -> None:
    """What was reached, and at which stage the other was lost."""
    machine = Machine(lost={"example.org:443"})
    seen = await machine.selfcheck().look()
    assert machine.asked == ["https://example.com:443", "https://example.org:443"]
    assert [(sight.subject, sight.good, sight.detail) for sight in seen] == [
        ("example.com:443", True, None),
        ("example.org:443", False, "resolve: no such name"),
    ]
    assert {(sight.location, sight.kind, sight.start, sight.end) for sight in seen} == {
        ("berlin", SelfObservationKind.CONTROL, START, START)
    }


async def test_many_runs_that_reached_nothing_share_one_look() -> None:
    """Those that ask meanwhile and soon after are told the same; later it is looked at again."""
    machine = Machine()
    check = machine.selfcheck()
    machine.gate.clear()
    looks = [asyncio.create_task(check.look()) for _ in range(50)]
    await asyncio.sleep(0)
    machine.gate.set()
    assert len({tuple(seen) for seen in await asyncio.gather(*looks)}) == 1
    machine.go(FRESH.total_seconds() - 0.1)
    await check.look()
    assert len(machine.asked) == len(HOSTS)
    machine.go(0.2)
    await check.look()
    assert len(machine.asked) == 2 * len(HOSTS)


async def test_a_run_that_is_cancelled_does_not_end_the_look_of_another() -> None:
    """The look goes on for whoever waits for it."""
    machine = Machine()
    check = machine.selfcheck()
    machine.gate.clear()
    first, second = (asyncio.create_task(check.look()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    machine.gate.set()
    assert len(await second) == len(HOSTS)


async def test_without_control_hosts_nothing_is_asked() -> None:
    """There is nothing to see."""
    machine = Machine()
    assert await machine.selfcheck(hosts=()).look() == []
    assert machine.asked == []


def only(seen: list[SelfObservation]) -> SelfObservation:
    """The only one."""
    (sight,) = seen
    return sight


async def test_a_turn_in_which_time_passed_as_it_should_sees_nothing() -> None:
    """Slewing and a little lateness are no step."""
    machine = Machine()
    check = machine.selfcheck()
    machine.go(2.0)
    machine.wall += 1.9
    assert check.turn(0.5) == []


async def test_a_clock_that_is_set_leaves_a_stretch() -> None:
    """From the last turn to now when it is set forward, over the repeated time when it is set back."""
    machine = Machine()
    check = machine.selfcheck()
    machine.go(2.0)
    machine.wall += 3600
    forward = only(check.turn(0.0))
    assert (forward.start, forward.end) == (START, START + timedelta(hours=1, seconds=2))
    assert forward.detail == "the wall clock was set forward by 1 h"
    machine.go(2.0)
    machine.wall -= 3600
    back = only(check.turn(0.0))
    assert (back.start, back.end) == (START + timedelta(seconds=4), START + timedelta(hours=1, seconds=2))
    assert back.detail == "the wall clock was set back by 1 h"
    machine.go(2.0)
    assert check.turn(0.0) == []


async def test_a_suspended_machine_leaves_a_stretch() -> None:
    """The clock that counts sleep tells it from a clock that was set."""
    machine = Machine()
    check = machine.selfcheck()
    machine.go(2.0)
    machine.wall += 600
    machine.asleep += 600
    seen = only(check.turn(0.0))
    assert seen.kind is SelfObservationKind.OWN
    assert seen.detail == "the machine was suspended for 10 min"


async def test_a_loop_that_stood_still_leaves_a_stretch() -> None:
    """From when the turn was due."""
    machine = Machine()
    check = machine.selfcheck()
    machine.go(32.0)
    seen = only(check.turn(30.0))
    assert (seen.start, seen.end) == (START + timedelta(seconds=2), START + timedelta(seconds=32))
    assert "stood still for 30 s" in (seen.detail or "")


def answered(seconds_off: float) -> dict[str, Any]:
    """The evidence of a run whose server's clock shows another time."""
    date = START - timedelta(seconds=seconds_off)
    return {
        "started_at": "2025-11-17T08:30:00Z",
        "finished_at": "2025-11-17T08:30:01Z",
        "response_headers": [["date", f"{date:%a, %d %b %Y %H:%M:%S GMT}"]],
    }


async def test_complaints_name_what_is_wrong_and_the_remedy() -> None:
    """Clock, descriptors, disk, hosts; a sound machine has none."""
    machine = Machine()
    check = machine.selfcheck()
    check.hear("azure", answered(0))
    check.hear("openai", None)
    await check.look()
    assert check.complaints() == []
    check.hear("azure", answered(30))
    machine.descriptors, machine.disk, machine.lost = 3, 5 * 1024**2, {"example.com:443"}
    machine.go(60)
    await check.look()
    told = check.complaints()
    assert [sentence.partition(":")[0] for sentence in told] == [
        "our wall clock is at least 29 s ahead of the servers'",
        "only 3 more files and sockets can be opened",
        "only 5 MiB are free where the database lies",
        "control hosts out of reach",
    ]


async def test_what_cannot_be_read_is_no_complaint() -> None:
    """A system without these gauges is not called broken."""
    machine = Machine(descriptors=None, disk=None)
    assert machine.selfcheck().complaints() == []


def test_the_real_gauges_read_this_machine(tmp_path: Path) -> None:
    """They give numbers that can be true here."""
    first, second = read_clocks(), read_clocks()
    assert second.steady >= first.steady
    assert replace(second, wall=0.0).wall == 0.0
    descriptors = free_descriptors()
    assert descriptors is None or descriptors > 0
    assert (free_disk(tmp_path) or 0) > 0
    assert free_disk(tmp_path / "nowhere") is None


def test_a_process_without_any_descriptor_left_has_none() -> None:
    """Where not even a look can be had, the answer is none and no exception."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        assert free_descriptors() in {0, None}
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_control_host_with_tls_must_prove_who_it_is() -> None:
    """Whoever reads along lets any connection stand: only the certificate shows that it is not the host."""
    assert control_url("example.com:443") == "https://example.com:443"
    assert control_url("10.0.0.1:8443") == "http://10.0.0.1:8443"
    assert control_url("resolver.example:53") == "http://resolver.example:53"
