"""How much hostile peers delay everybody else: 50 healthy targets alone, and beside 50 hostile ones.

The service runs as it is installed. The hostile ones flood, drip, send a packed bomb or one huge frame, or
stop reading; they and the healthy ones live in processes of their own. Lag is from the slot to the start
of a healthy run, as stored. The same service is measured twice in one go: the ratio does not depend on
the machine as the figures do.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import (
    KEY_VARIABLE,
    MODELS,
    Figure,
    command,
    configuration,
    cpu_seconds_of,
    folder,
    free_port,
    quantile,
    sandbox,
)

EVERY_S = 5
TIMEOUT_S = 4
WARM_UP_S = 8
MARK_MS = 1000
ASSAULTS = {
    "flood": "realtime",
    "drip": "realtime",
    "gzip_bomb": "rest",
    "never_reads": "realtime",
    "huge_frame": "realtime",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one service stored: lag and length of its healthy runs, length of the others, all in ms."""

    late: list[float]
    took: list[float]
    hostile: list[float]
    passed: int
    busy: float  # share of a core


def run(*, targets: int = 50, seconds: float = 15, warm_up: float = WARM_UP_S) -> Iterator[Figure]:
    """The lag of healthy runs without and with hostile neighbours, and whether those end in time."""
    with sandbox() as healthy, hostile_peers() as hostile, folder() as here:
        alone = _measure(_configured(here, healthy, None, targets), seconds, warm_up)
        beside = _measure(_configured(here, healthy, hostile, targets), seconds, warm_up)
    about = f"lag of {targets} healthy targets"
    lag = max(beside.late)
    yield Figure(name=f"{about} alone, the largest", value=max(alone.late), unit="ms")
    yield Figure(
        name=f"{about} beside {targets} hostile ones, the largest", value=lag, unit="ms", mark=MARK_MS
    )
    yield Figure(name="  p99 beside / alone", value=_ratio(beside.late, alone.late, 0.99), unit="×")
    yield Figure(name="  length of a healthy run, p99 beside", value=quantile(beside.took, 0.99), unit="ms")
    yield Figure(
        name="  healthy runs that did not pass", value=len(beside.took) - beside.passed, unit="", mark=0
    )
    late = max(beside.hostile, default=float("nan"))
    yield Figure(name="longest hostile run", value=late, unit="ms", mark=(TIMEOUT_S + 1) * 1000)
    yield Figure(name="processor time of the service beside them", value=beside.busy * 100, unit="% core")


def _ratio(ours: list[float], others: list[float], share: float) -> float:
    return quantile(ours, share) / max(1.0, quantile(others, share))


@contextmanager
def hostile_peers() -> Iterator[str]:
    """A sandbox in another process of which every endpoint is hostile in its own way; its base URL."""
    tables = []
    for name, pathway in ASSAULTS.items():
        for number in (1, 2):
            endpoint = f"{name.replace('_', '-')}-{number}"
            extra = "\ndelay = 0.1" if name == "drip" else ""
            tables.append(f'[endpoint.{endpoint}]\nkind = "openai"\nmodels = {list(MODELS)!r}')
            tables.append(
                f'[[fault]]\nfault = "{name}"\nendpoint = "{endpoint}"\npathway = "{pathway}"{extra}'
            )
    with folder() as here:
        script = here / "script.toml"
        script.write_text("\n\n".join(sorted(tables, key=lambda table: table.startswith("[["))), "utf-8")
        with command("sandbox", "--port", "0", "--script", script) as (_, line):
            yield next(word.rstrip(",") for word in line.split() if word.startswith("http"))


def _configured(here: Path, healthy: str, hostile: str | None, targets: int) -> Path:
    """A service of that many healthy targets, and as many hostile ones where there are any."""
    place = here / ("beside" if hostile else "alone")
    place.mkdir()
    path = configuration(healthy, place, targets=targets, every=f"{EVERY_S}s", port=free_port())
    if hostile is None:
        return path
    parts, left = [path.read_text("utf-8")], targets
    for name, pathway in ASSAULTS.items():
        for number in (1, 2):
            endpoint, models = f"{name.replace('_', '-')}-{number}", MODELS[: max(0, left)]
            left -= len(models)
            if models:
                parts.append(_watch(f"{hostile}/{endpoint}/v1", endpoint, pathway, models))
    path.write_text("\n\n".join(parts), "utf-8")
    return path


def _watch(url: str, endpoint: str, pathway: str, models: tuple[str, ...]) -> str:
    return (
        f'[endpoint.{endpoint}]\nprovider = "openai"\nurl = "{url}"\nkey = "env:{KEY_VARIABLE}"\n\n'
        f'[[watch]]\nendpoint = "{endpoint}"\nmodels = {list(models)!r}\npathways = ["{pathway}"]\n'
        f'session_model = "gpt-realtime"\nevery = "{EVERY_S}s"\ntimeout = "{TIMEOUT_S}s"\n'
        f'pace = "burst"\nmax_per_minute = 6000'
    )


def _measure(path: Path, seconds: float, warm_up: float) -> Seen:
    """Serve for a while, and read what was stored of the slots after the first seconds."""
    with command("serve", "--config", path) as (process, _):
        time.sleep(warm_up)
        begin, busy = datetime.now(UTC), cpu_seconds_of(process.pid)
        time.sleep(seconds)
        end, busy = datetime.now(UTC), cpu_seconds_of(process.pid) - busy
        time.sleep(TIMEOUT_S + 1)
    low, high = (int(instant.timestamp() * 1000) for instant in (begin, end))
    with closing(sqlite3.connect(path.parent / "bench.db")) as connection:
        rows = connection.execute(
            "SELECT endpoint LIKE 'endpoint-%', started_at - slot, finished_at - started_at,"
            " verdict = 'passed'"
            " FROM outcomes JOIN cells ON cells.id = cell_id JOIN targets ON targets.id = target_id"
            " WHERE kind = 'scheduled' AND slot >= ? AND slot < ?",
            (low, high),
        ).fetchall()
    mine = [row for row in rows if row[0]]
    return Seen(
        late=[float(row[1]) for row in mine],
        took=[float(row[2]) for row in mine],
        hostile=[float(row[2]) for row in rows if not row[0]],
        passed=sum(row[3] for row in mine),
        busy=busy / seconds,
    )
