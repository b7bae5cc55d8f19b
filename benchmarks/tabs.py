"""Whether an open page bends what is measured: the reported latency with no tab, with one and with ten.

A tab does what the page's script does: it follows the live stream and asks for the overview again at
each change. The service and its page run as they are installed, against the sandbox in another process.
"""

from __future__ import annotations

import http.client
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from benchmarks.measure import (
    Figure,
    command,
    configuration,
    cpu_seconds_of,
    folder,
    free_port,
    quantile,
    sandbox,
)
from monitor.store.database.engine import open_database
from monitor.store.outcomes.read import stream_outcomes

WITHIN_MS = 5.0
_PATIENCE_S = 60
_WARM_S = 5


def run(
    *, targets: int = 1_000, every: str = "20s", seconds: float = 30, tabs: Sequence[int] = (0, 1, 10)
) -> Iterator[Figure]:
    """The 99th percentile of the reported latency for each number of tabs, and what the page takes."""
    with sandbox() as base, folder() as here:
        port = free_port()
        path = configuration(base, here, targets=targets, every=every, port=port)
        with command("serve", "--config", path) as (process, _):
            _await_runs(here / "bench.db", targets)
            spoken = f"{targets:,} targets"
            alone: float | None = None
            for count in tabs:
                p99, busy, made = _phase(here / "bench.db", process.pid, port, count, seconds)
                alone = p99 if alone is None else alone
                yield Figure(name=f"reported p99, {spoken}, {count} tabs", value=p99, unit="ms")
                yield Figure(name=f"  above none, {count} tabs", value=p99 - alone, unit="ms", mark=WITHIN_MS)
                yield Figure(name=f"  processor of the service, {count} tabs", value=busy, unit="of a core")
                yield Figure(name=f"  pages read, {count} tabs", value=made / seconds, unit="/s")


def _phase(path: Path, pid: int, port: int, tabs: int, seconds: float) -> tuple[float, float, int]:
    """The reported p99, the service's share of a core, and the pages that were read."""
    with ExitStack() as open_tabs:
        opened = [open_tabs.enter_context(Tab(port)) for _ in range(tabs)]
        time.sleep(min(_WARM_S, seconds))
        began, busy = datetime.now(UTC), cpu_seconds_of(pid)
        read = sum(tab.read for tab in opened)
        time.sleep(seconds)
        share = (cpu_seconds_of(pid) - busy) / seconds
        made = sum(tab.read for tab in opened) - read
        found = _latencies(path, began)
    return quantile(found, 0.99), share, made


def _await_runs(path: Path, targets: int) -> None:
    """Wait until every target has run: the start is not what is measured."""
    until = time.monotonic() + _PATIENCE_S
    while _seen(path) < targets:
        if time.monotonic() > until:
            raise RuntimeError("not every target has run")
        time.sleep(0.2)


def _seen(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        count: int = connection.execute("SELECT count(DISTINCT cell_id) FROM outcomes").fetchone()[0]
    return count


def _latencies(path: Path, since: datetime) -> list[float]:
    database = open_database(f"sqlite:///{path}", create=False)
    with database.read() as tx:
        told = [run.timings_ms.get("final") for run in stream_outcomes(tx, since=since)]
    database.dispose()
    found = [final for final in told if final is not None]
    if not found:
        raise RuntimeError("no run has ended")
    return found


class Tab:
    """An open page: one stream, and one request for the overview at each change."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.read = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join(_PATIENCE_S)

    def _follow(self) -> None:
        stream = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_S)
        with suppress(OSError, http.client.HTTPException), closing(stream):
            stream.request("GET", "/events")
            with closing(stream.getresponse()) as answer:
                while not self._left.is_set():
                    if answer.readline() == b"event: changed\n":
                        self._read_page()

    def _read_page(self) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_S)) as asked:
            asked.request("GET", "/")
            asked.getresponse().read()
            self.read += 1
