"""Records the reference day: every conversation is really held against the sandbox, under a driven clock.

17 November 2025, with the 24 hours before it as baseline: two models on two pathways, one run a
minute each; input transcription with gpt-4o-transcribe fails in realtime sessions from 08:30 to
15:30 UTC. The whole spine runs: check, sockets, evidence, classification, store, windows, incident.
Only the wall clock is driven, so that 40 hours take some minutes.

    python scripts/reference_day.py            # writes monitor/cli/demo_data/reference-day.jsonl.xz
    python scripts/reference_day.py --latency 0.05 --output /tmp/day.jsonl.xz
"""

from __future__ import annotations

import argparse
import asyncio
import lzma
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from monitor.cli.demo_data import RECORDING, reference_configuration
from monitor.config import Settings, load
from monitor.core.incidents.derive import derive, to_json
from monitor.core.model import Kind, Outcome, Target
from monitor.core.outcome_json import outcome_to_line
from monitor.core.scheduling.slots import slots_between
from monitor.pipeline.observe import Due, Observed, observe
from monitor.pipeline.record import record
from monitor.sandbox import Latency, Script, ServedEndpoint, create_app, parse_fault, running
from monitor.service.build import derivation_settings_of, secrets
from monitor.store.database.engine import Database, open_database
from monitor.store.database.migrate import migrate
from monitor.store.derivation.history import StoreHistory
from monitor.store.outcomes.read import read_evidence, stream_outcomes
from monitor.transport import Transport

BEGIN = datetime(2025, 11, 16, 8, 30, tzinfo=UTC)
FAILING = datetime(2025, 11, 17, 8, 30, tzinfo=UTC)
MENDED = datetime(2025, 11, 17, 15, 30, tzinfo=UTC)
END = datetime(2025, 11, 18, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LATE = timedelta(milliseconds=4)  # what a scheduler is late by
EDGE = timedelta(minutes=3)
KEY_VARIABLE = "REFERENCE_DAY_KEY"
LOCATION = "berlin"


class DrivenClock:
    """A wall clock that is set for every run and goes on from there at its own pace."""

    def __init__(self) -> None:
        self.set(BEGIN)

    def set(self, instant: datetime) -> None:
        """From now on it is *instant*."""
        self._instant, self._since = instant, time.monotonic()

    def __call__(self) -> datetime:
        """What it shows."""
        return self._instant + timedelta(seconds=time.monotonic() - self._since)

    def timestamp(self) -> float:
        """The same in seconds since the epoch."""
        return self().timestamp()


def script(latency: float) -> Script:
    """The practice provider as it was that day."""
    deployed = {"stt-prod": "gpt-4o-transcribe", "whisper": "whisper-1"}
    contoso = ServedEndpoint(
        name="contoso-sweden",
        kind="azure",
        region="swedencentral",
        deployments=deployed,
        hosts=("rt-host",),
    )
    outage = {
        "endpoint": "contoso-sweden",
        "model": "gpt-4o-transcribe",
        "pathway": "realtime",
        "fault": "failed",
        "from": FAILING.isoformat(),
        "until": MENDED.isoformat(),
    }
    return Script(
        endpoints={contoso.name: contoso},
        latency=Latency(committed=latency / 4, transcription=latency, response=latency, rest=latency),
        faults=(parse_fault(outage),),
    )


async def record_day(folder: Path, latency: float, say: Callable[[str], None]) -> tuple[Settings, Database]:
    """Run the day; the settings it was watched with and the database that holds it."""
    clock = DrivenClock()
    os.environ[KEY_VARIABLE] = "sandbox-key"
    async with running(create_app(script(latency), clock=clock)) as base:
        path = folder / "config.toml"
        path.write_text(reference_configuration(base, f"env:{KEY_VARIABLE}"))
        settings = load(path, environ=os.environ)
        database = open_database(f"sqlite:///{folder / 'day.db'}")
        migrate(database)
        transport = Transport(secret=secrets(), wall=clock.timestamp)
        house, minute = derivation_settings_of(settings), BEGIN
        while minute < END:
            seen = [await run_at(slot, target, transport, clock) for slot, target in due(settings, minute)]
            now = seen[-1].outcome.finished_at
            await asyncio.to_thread(record, database, seen, house, now=now)
            minute += MINUTE
            if minute.minute == 0:
                say(f"{minute:%d %b %H:%M} recorded")
        await transport.aclose()
    return settings, database


def due(settings: Settings, minute: datetime) -> Sequence[tuple[datetime, Target]]:
    """The slots of one minute, in order."""
    before = minute - timedelta(milliseconds=1)
    slots = [
        (slot, target)
        for target in settings.targets
        for slot in slots_between(target.key, target.every, before, minute + MINUTE)
    ]
    return sorted(slots, key=lambda one: one[0])


async def run_at(slot: datetime, target: Target, transport: Transport, clock: DrivenClock) -> Observed:
    """The run of one slot, a little late as a scheduler is."""
    clock.set(slot + LATE)
    due_run = Due(target=target, slot=slot, kind=Kind.SCHEDULED, location=LOCATION)
    return await observe(due_run, transport, now=clock())


def lines(database: Database) -> Iterator[bytes]:
    """The recording: every outcome, and evidence of what failed and of a sample of the rest."""
    with database.read() as tx:
        for outcome in stream_outcomes(tx):
            evidence = read_evidence(tx, outcome.id) if is_kept(outcome) else None
            yield orjson.dumps(outcome_to_line(outcome, evidence), option=orjson.OPT_APPEND_NEWLINE)


def is_kept(outcome: Outcome) -> bool:
    """Whether the frames are shipped: failures, runs near an edge, and one pass in fifteen minutes."""
    started = outcome.started_at
    near = min(abs(started - FAILING), abs(started - MENDED)) <= EDGE
    return outcome.failure is not None or near or started.minute % 15 == 0


def check(settings: Settings, database: Database) -> None:
    """Say what was derived; exit where the day is not what it must be."""
    with database.read() as tx:
        history = StoreHistory(tx, {target.key: target.every for target in settings.targets})
        newest = history.newest()
        found = to_json(derive(history, settings.rule, now=newest or END))
    print(orjson.dumps(found["incidents"], option=orjson.OPT_INDENT_2).decode())
    (incident,) = found["incidents"]
    controls = {(one["passed"], one["total"]) for one in incident["unaffected"]}
    assert incident["affected"] == ["contoso-sweden/gpt-4o-transcribe/realtime"], incident
    assert incident["blame"] == "provider", incident
    assert controls == {(420, 420)}, controls


def main(arguments: Sequence[str]) -> None:
    """Record, check, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--latency", type=float, default=0.02, help="seconds to a transcript")
    parser.add_argument("--output", type=Path, default=RECORDING)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        settings, database = asyncio.run(record_day(Path(folder), options.latency, print))
        check(settings, database)
        with lzma.open(options.output, "wb", preset=9) as sink:
            for line in lines(database):
                sink.write(line)
        database.dispose()
    print(f"{options.output}: {options.output.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main(sys.argv[1:])
