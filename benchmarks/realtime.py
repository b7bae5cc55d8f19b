"""A whole realtime run beside the same conversation with bare websockets, against one sandbox process.

Ours: conversation, evidence, classification, storing and windows, for passed runs that share a
commit of 100. Bare: `websockets` without compression, with audio frames built once; it neither records nor
judges. Both are processor time of this process, kernel and threads included, taken in turns.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import orjson
import uvloop
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.measure import KEY_VARIABLE, Figure, folder, sandbox, side_by_side, target
from monitor.clips import append_frames, load_clip
from monitor.core.model import Kind, Target, Verdict
from monitor.pipeline.derive import DerivationSettings
from monitor.pipeline.observe import Due, observe
from monitor.pipeline.record import record
from monitor.store.database.engine import Database, open_database
from monitor.store.database.migrate import migrate
from monitor.transport import Transport

BLOCK = 100
PLAIN_GET_MS = 2.5  # the least that Uptime Kuma was seen to spend on a plain HTTP GET check
SESSION = {
    "type": "realtime",
    "output_modalities": ["text"],
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "transcription": {"model": "gpt-4o-transcribe", "language": "en"},
            "turn_detection": None,
        }
    },
}
UPDATE = orjson.dumps({"type": "session.update", "session": SESSION}).decode()
COMMIT = '{"type":"input_audio_buffer.commit","event_id":"commit-1"}'


def run(*, rounds: int = 6, block: int = BLOCK) -> Iterator[Figure]:
    """Processor milliseconds of a run of ours and of the bare conversation, and their ratio."""
    with sandbox() as base, folder() as here:
        database = open_database(f"sqlite:///{here / 'bench.db'}")
        migrate(database)
        took = uvloop.run(_compare(base, database, rounds, block))
        database.dispose()
    ours, bare, observing = (took[name] / block * 1000 for name in ("ours", "bare", "observing"))
    yield Figure(name="realtime run, stored and judged", value=ours, unit="CPU ms", mark=PLAIN_GET_MS)
    yield Figure(name="  the part before storing", value=observing, unit="CPU ms")
    yield Figure(name="  bare websockets, the same conversation", value=bare, unit="CPU ms")
    yield Figure(name="realtime run / bare websockets", value=ours / bare, unit="×", mark=1.7)


async def _compare(base: str, database: Database, rounds: int, block: int) -> dict[str, float]:
    os.environ[KEY_VARIABLE] = "sandbox-key"
    transport = Transport(secret=lambda _: "sandbox-key")
    watched = target(base, "realtime")
    url = f"ws{base.removeprefix('http')}/openai-us/v1/realtime?model=gpt-realtime"
    try:
        return await side_by_side(
            {
                "ours": lambda: whole_runs(watched, transport, database, block),
                "observing": lambda: observed_runs(watched, transport, block),
                "bare": lambda: bare_runs(url, block),
            },
            rounds,
        )
    finally:
        await transport.aclose()


async def whole_runs(watched: Target, transport: Transport, database: Database, count: int) -> None:
    """That many runs, and one commit of what they gave."""
    seen = []
    for _ in range(count):
        now = datetime.now(UTC)
        due = Due(target=watched, slot=now, kind=Kind.MANUAL, location="bench")
        seen.append(await observe(due, transport, now=now))
    assert {one.outcome.verdict for one in seen} == {Verdict.PASSED}, seen[0].outcome
    record(database, seen, DerivationSettings(location="bench"), now=datetime.now(UTC))


async def observed_runs(watched: Target, transport: Transport, count: int) -> None:
    """That many runs, of which nothing is kept."""
    for _ in range(count):
        now = datetime.now(UTC)
        await observe(Due(target=watched, slot=now, kind=Kind.MANUAL, location="bench"), transport, now=now)


async def bare_runs(url: str, count: int) -> None:
    """The same conversations, with the library as it is meant to be used, and nothing else."""
    frames = append_frames(load_clip("amiable"))
    headers = {"Authorization": "Bearer sandbox-key"}
    for _ in range(count):
        async with connect(
            url,
            compression=None,
            additional_headers=headers,
            proxy=None,
            ping_interval=None,
            close_timeout=0.1,
        ) as socket:
            await _until(socket, "session.created")
            await socket.send(UPDATE)
            await _until(socket, "session.updated")
            for frame in frames:
                await socket.send(frame)
            await socket.send(COMMIT)
            await _until(socket, "conversation.item.input_audio_transcription.completed")


async def _until(socket: ClientConnection, kind: str) -> None:
    while orjson.loads(await socket.recv())["type"] != kind:
        pass
