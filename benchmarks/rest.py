"""A whole REST run beside bare httpx with the same connection policy, against one sandbox process.

Both open a fresh connection per run and share one SSL context; the multipart body is built once. Ours
also keeps evidence, judges, stores and derives windows. And: how many SSL contexts and HTTP clients are
made once both pathways have run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from ssl import SSLContext
from types import CodeType, FrameType
from typing import Any, Self

import httpx
import uvloop

from benchmarks.measure import KEY_VARIABLE, Figure, folder, sandbox, side_by_side, target
from benchmarks.realtime import BLOCK, observed_runs, whole_runs
from monitor.clips import load_clip, multipart
from monitor.store.database.engine import Database, open_database
from monitor.store.database.migrate import migrate
from monitor.transport import Transport, trusted

WARM_RUNS = 25
FIELDS = (("model", "gpt-4o-transcribe"), ("language", "en"), ("response_format", "json"))
_COSTLY: frozenset[CodeType] = frozenset(
    {
        SSLContext.__new__.__code__,
        httpx.AsyncClient.__init__.__code__,
        httpx.Client.__init__.__code__,
    }
)


def run(*, rounds: int = 6, block: int = BLOCK) -> Iterator[Figure]:
    """Processor milliseconds of a run of ours and of the bare request, their ratio, and what is made anew."""
    with sandbox() as base, folder() as here:
        database = open_database(f"sqlite:///{here / 'bench.db'}")
        migrate(database)
        took = uvloop.run(_compare(base, database, rounds, block))
        database.dispose()
    ours, bare, observing = (took[name] / block * 1000 for name in ("ours", "bare", "observing"))
    yield Figure(name="REST run, stored and judged", value=ours, unit="CPU ms")
    yield Figure(name="  the part before storing", value=observing, unit="CPU ms")
    yield Figure(name="  bare httpx, the same request on a fresh connection", value=bare, unit="CPU ms")
    yield Figure(name="REST run / bare httpx", value=ours / bare, unit="×", mark=1.7)
    yield Figure(
        name=f"SSL contexts and clients made by {WARM_RUNS} warm runs of each pathway",
        value=took["made"],
        unit="",
        mark=0,
    )


async def _compare(base: str, database: Database, rounds: int, block: int) -> dict[str, float]:
    os.environ[KEY_VARIABLE] = "sandbox-key"
    transport = Transport(secret=lambda _: "sandbox-key")
    watched = target(base, "rest")
    limits = httpx.Limits(max_keepalive_connections=0)
    client = httpx.AsyncClient(verify=trusted(), trust_env=False, limits=limits)
    content_type, body = multipart(load_clip("amiable"), FIELDS)
    headers = {"Content-Type": content_type, "Authorization": "Bearer sandbox-key"}
    url = f"{base}/openai-us/v1/audio/transcriptions"

    async def bare() -> None:
        for _ in range(block):
            answer = await client.post(url, content=body, headers=headers)
            assert answer.status_code == 200, answer.text

    try:
        took = await side_by_side(
            {
                "ours": lambda: whole_runs(watched, transport, database, block),
                "observing": lambda: observed_runs(watched, transport, block),
                "bare": bare,
            },
            rounds,
        )
        await observed_runs(target(base, "realtime"), transport, 1)
        with _Counting() as counting:
            for pathway in ("rest", "realtime"):
                await observed_runs(target(base, pathway), transport, WARM_RUNS)
        return {**took, "made": counting.made}
    finally:
        await client.aclose()
        await transport.aclose()


class _Counting:
    """Counts, while it is entered, how often something is made that is to be made once."""

    made = 0

    def __enter__(self) -> Self:
        sys.setprofile(self._see)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _see(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code in _COSTLY:
            self.made += 1
