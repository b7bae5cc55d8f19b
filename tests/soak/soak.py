"""One seed, from script to opinion: plays it on the driven clock and gathers what the judge is given."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from tests.soak.judge import Opinion, judge
from tests.soak.plan import Act, Script, make_script
from tests.soak.planted import Difference, Facts, Gauge, Heard, Promise, Sample
from tests.soak.scenario import START, World, play
from tests.support.processes import ROOT

REPLAY_EVERY = timedelta(hours=24)
LATEST_TIMER_S = 0.004
IDLE_S = 8.0  # how often the service looks for notices: less often than in life, which costs most of the time


@dataclass(slots=True)
class Watcher:
    """What is gathered while a script is played."""

    samples: list[Sample] = field(default_factory=list)
    gauges: list[Gauge] = field(default_factory=list)
    promises: dict[str, Promise] = field(default_factory=dict)
    errors: list[tuple[datetime, str]] = field(default_factory=list)
    replayed_at: datetime | None = None


def soak(seed: int, folder: Path, *, days: float, targets: int, kinds: Collection[str] = ()) -> Opinion:
    """Play one seed in *folder*, with trouble of these kinds or of all, and judge it."""
    script = make_script(seed, days=days, targets=targets, start=START, kinds=kinds)
    watcher = Watcher()
    worlds: list[World] = []

    async def scene(w: World) -> None:
        worlds.append(w)
        with _errors_kept(w, watcher):
            await _follow(w, script, watcher)

    jitter = partial(random.Random(seed).uniform, 0, LATEST_TIMER_S)
    play(folder, scene, plan=script.plan, start=START, idle_s=IDLE_S, late=jitter)
    (world,) = worlds
    facts = Facts(
        seed=seed,
        start=script.start,
        end=script.end,
        planted=script.planted,
        disturbances=tuple(script.disturbances()),
        promises=watcher.promises,
        heard=[Heard(channel=said.channel, at=said.at, body=said.body) for said in world.told],
        samples=watcher.samples,
        gauges=watcher.gauges,
    )
    opinion = judge(facts, folder / "earwitness.db")
    opinion.differences += [
        Difference(what="error", at=at, where="log", said=text) for at, text in watcher.errors
    ]
    return opinion


async def _follow(w: World, script: Script, watcher: Watcher) -> None:
    _promise(w, watcher)
    for one in script.planted:
        if one.how == "unreachable":
            w.cut(start=one.start, end=one.end)
        else:
            w.fail(
                one.targets,
                one.how,
                start=one.start,
                end=one.end,
                share=one.share,
                retry_after=one.retry_after,
                most=one.most,
            )
    for away in script.acts:
        if away.what == "away":
            w.lose_receiver("oncall", start=away.at, end=away.at + away.length)
    for at, act in _moments(script):
        await w.run_until(at)
        if act is None:
            await _sample(w, watcher)
        else:
            await _do(w, act, watcher)
    await w.run_until(script.end)
    watcher.replayed_at = None
    await _sample(w, watcher)


def _moments(script: Script) -> list[tuple[datetime, Act | None]]:
    moments: list[tuple[datetime, Act | None]] = [(act.at, act) for act in script.acts if act.what != "away"]
    for one in script.planted:
        moments += [(one.start + (one.end - one.start) * 0.6, None), (one.end + timedelta(minutes=9), None)]
        moments.append((one.end + timedelta(minutes=100), None))
    return sorted(moments, key=lambda moment: moment[0])


async def _do(w: World, act: Act, watcher: Watcher) -> None:
    match act.what:
        case "restart":
            await w.restart()
        case "kill":
            w.kill()
            await w.run(seconds=act.length.total_seconds())
            w.start()
            await w.run(seconds=0.1)
        case "suspend":
            w.suspend(seconds=act.length.total_seconds())
        case "clock":
            w.set_clock(seconds=act.length.total_seconds())
        case "reconfigure":
            await w.restart(act.plan)
            _promise(w, watcher)


def _promise(w: World, watcher: Watcher) -> None:
    """What `validate` says of the configuration that runs now."""
    done = subprocess.run(
        [sys.executable, "-m", "monitor", "validate", "--json", "--config", str(w.path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    for target in json.loads(done.stdout)["targets"]:
        noticing = target["noticing"]
        watcher.promises[target["key"]] = Promise(
            every=timedelta(seconds=target["every"]),
            timeout=timedelta(seconds=target["timeout"]),
            confirmed=timedelta(seconds=noticing["confirmed"]),
            silent=timedelta(seconds=noticing["silent"]),
            unconfirmed=timedelta(seconds=noticing["unconfirmed"]),
        )


async def _sample(w: World, watcher: Watcher) -> None:
    incidents: list[dict[str, Any]] = (await w.json("/api/v1/incidents?limit=1000"))["items"]
    alive = [one["number"] for one in incidents if one.get("phase") in {"open", "recovering"}]
    tickets = {number: (await w.get(f"/incidents/{number}/summary.md")).text for number in alive}
    replay = None
    if watcher.replayed_at is None or w.now() - watcher.replayed_at >= REPLAY_EVERY:
        replay, watcher.replayed_at = w.replay(), w.now()
    watcher.samples.append(
        Sample(
            at=w.now(),
            api=incidents,
            page=[int(number) for number in re.findall(r'href="/incidents/(\d+)"', await w.page("/"))],
            tickets=tickets,
            targets=(await w.json("/api/v1/targets"))["items"],
            replay=replay,
        )
    )
    watcher.gauges.append(_gauge(w.now()))


def _gauge(now: datetime) -> Gauge:
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return Gauge(at=now, resident=resident, descriptors=len(os.listdir("/proc/self/fd")))  # noqa: PTH208


@contextlib.contextmanager
def _errors_kept(w: World, watcher: Watcher) -> Iterator[None]:
    """Only errors that the service logs are kept, with the driven time."""

    def keep(_logger: object, method: str, event: dict[str, Any]) -> dict[str, Any]:
        if method in {"error", "exception", "critical"}:
            watcher.errors.append((w.now(), f"{event['event']} {event.get('exc_info') or ''}".strip()))
        raise structlog.DropEvent

    processors = structlog.get_config()["processors"]
    before = list(processors)
    processors[:] = [keep]
    try:
        yield
    finally:
        processors[:] = before
