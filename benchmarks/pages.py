"""The overview of 90 days over a long history, on the server: built anew, and unchanged since last time.

The application is called as the server calls it, without a socket. The floor is one aggregate over the
daily rollups with bare sqlite3.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

from starlette.types import ASGIApp

from benchmarks.history import keeping, long_history
from benchmarks.measure import Figure, cpu, cpu_of
from monitor import __version__
from monitor.store.database.engine import Database
from monitor.store.overview import read_newest_run
from monitor.web.app import create_app
from monitor.web.frame.display_settings import DisplaySettings, Liveness

FULL = 1_000_000
_FLOOR = (
    "SELECT cell_id, start, passed, degraded, failed, inconclusive FROM daily WHERE start >= ? ORDER BY 1, 2"
)


def run(*, count: int = FULL, rounds: int = 20) -> Iterator[Figure]:
    """Processor milliseconds of one answer."""
    with keeping(count), long_history(count) as database:
        with database.read() as tx:
            now = read_newest_run(tx)
        assert now is not None
        clock = Clock(now)
        app = _application(database, clock)
        fresh, unchanged, size = asyncio.run(_ask(app, clock, rounds))
        floor = median(cpu(partial(_read_bare, database)) for _ in range(rounds))
    name = f"overview of 90 days over {count:,} outcomes ({size / 1024:.0f} KiB)"
    yield Figure(name=name, value=fresh * 1000, unit="CPU ms", mark=10)
    yield Figure(name="  bare sqlite3 over the daily rollups", value=floor * 1000, unit="CPU ms")
    yield Figure(name="the same, unchanged (ETag)", value=unchanged * 1000, unit="CPU ms", mark=1)


class Clock:
    """A clock that stands until it is moved on: a page of the same minute would be the one that is kept."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def move(self) -> None:
        """A minute on."""
        self.now += timedelta(minutes=1)


def _application(database: Database, clock: Callable[[], datetime]) -> ASGIApp:
    return create_app(
        database=database,
        clock=clock,
        settings=DisplaySettings(location="berlin", public_url="http://127.0.0.1:8080", version=__version__),
        liveness=lambda: Liveness(running=True, last_cycle=None),
        bundle=lambda _: b"",
        summary=lambda _: "",
    )


async def _ask(app: ASGIApp, clock: Clock, rounds: int) -> tuple[float, float, int]:
    fresh = []
    for _ in range(rounds):
        clock.move()
        fresh.append(await cpu_of(lambda: _get(app)))
    status, headers, size = await _get(app)
    assert status == 200, status
    known = [(b"if-none-match", headers[b"etag"])]
    assert (await _get(app, known))[0] == 304
    unchanged = [await cpu_of(lambda: _get(app, known)) for _ in range(rounds)]
    return median(fresh), median(unchanged), size


async def _get(
    app: ASGIApp, extra: list[tuple[bytes, bytes]] | None = None
) -> tuple[int, dict[bytes, bytes], int]:
    told: dict[str, Any] = {}
    size = 0

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal size
        if message["type"] == "http.response.start":
            told.update(message)
        size += len(message.get("body", b""))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"zoom=90d",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:8080"), *(extra or ())],
        "client": ("127.0.0.1", 4711),
        "server": ("127.0.0.1", 8080),
    }
    await app(scope, receive, send)
    return told["status"], dict(told["headers"]), size


def _read_bare(database: Database) -> None:
    with closing(sqlite3.connect(str(database.url.database))) as connection:
        connection.execute(_FLOOR, (0,)).fetchall()
