"""What every benchmark shares: figures with their marks, clocks, peers in processes of their own.

A figure is a fact of this machine in this minute: neighbours move absolutes and tails by orders of
magnitude, so whatever can be is given as a ratio to the bare library, measured alternately with it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

from monitor.core.model import Endpoint, Target

KEY_VARIABLE = "EARWITNESS_BENCH_KEY"
MODELS = ("gpt-4o-transcribe", "gpt-4o-mini-transcribe", "whisper-1", "gpt-transcribe", "gpt-live-transcribe")
_NO_LATENCY = """
[latency]
committed = 0
transcription = 0
response = 0
rest = 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value; with a `mark` it is met when not above it (below it, for `at_least`)."""

    name: str
    value: float
    unit: str
    mark: float | None = None
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """``met``, ``MISSED``, or nothing where there is no mark."""
        if self.mark is None:
            return ""
        return "met" if (self.value >= self.mark if self.at_least else self.value <= self.mark) else "MISSED"

    def row(self) -> str:
        """One line of the table."""
        sign = "≥" if self.at_least else "≤"
        mark = "" if self.mark is None else f"{sign} {_number(self.mark)}"
        return (
            f"  {self.name:<62} {_number(self.value):>10} {self.unit:<6} {mark:>10}  {self.verdict}".rstrip()
        )


def _number(value: float) -> str:
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def cpu(work: Callable[[], object]) -> float:
    """Seconds of processor time that *work* took, the kernel's and every thread's included."""
    before = time.process_time()
    work()
    return time.process_time() - before


async def cpu_of(work: Callable[[], Awaitable[object]]) -> float:
    """The same for work on the event loop."""
    before = time.process_time()
    await work()
    return time.process_time() - before


async def side_by_side(works: Mapping[str, Callable[[], Awaitable[object]]], rounds: int) -> dict[str, float]:
    """The median seconds of processor time of each; one round of all warms up, then they take turns."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            taken[name].append(await cpu_of(work))
    return {name: median(times[1:]) for name, times in taken.items()}


def quantile(values: list[float], share: float) -> float:
    """The value that *share* of the values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def resident_mb(pid: int) -> float:
    """Megabytes of a process that are in memory (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} says nothing of its memory")


def cpu_seconds_of(pid: int) -> float:
    """Seconds of processor time that another process has taken so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def folder() -> Iterator[Path]:
    """An empty directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="earwitness-bench-") as name:
        yield Path(name)


@contextmanager
def command(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """One of our commands in a process of its own, and its first line; it is asked to stop afterwards."""
    environment = {**os.environ, KEY_VARIABLE: "sandbox-key", "PYTHONUNBUFFERED": "1"}
    # What is installed was compiled then; a checkout is by its first start, unless it is told not to.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed below
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        if not first:
            log.seek(0)
            said = log.read()[-2000:]
            raise RuntimeError(f"`earwitness {' '.join(map(str, arguments))}` ended at once: {said}")
        yield process, first.strip()
    finally:
        log.close()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@contextmanager
def sandbox() -> Iterator[str]:
    """The practice provider in another process, answering at once; its base URL."""
    with folder() as here:
        script = here / "script.toml"
        script.write_text(_NO_LATENCY, "utf-8")
        with command("sandbox", "--port", "0", "--script", script) as (_, line):
            yield next(word.rstrip(",") for word in line.split() if word.startswith("http"))


@contextmanager
def peer(serve: Callable[[Connection], None]) -> Iterator[list[int]]:
    """*serve* in another process; it sends the ports it listens on, and serves until it is ended."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    process.start()
    there.close()  # so that a peer that dies is noticed
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def target(base: str, pathway: str, *, name: str = "bench") -> Target:
    """A target of the sandbox at *base* that sends its audio at once."""
    endpoint = Endpoint(name=name, provider="openai", url=f"{base}/openai-us/v1", key=f"env:{KEY_VARIABLE}")
    return Target(
        endpoint=endpoint,
        model="gpt-4o-transcribe",
        pathway=pathway,
        session_model="gpt-realtime",
        pace="burst",
        max_per_minute=1_000_000,
    )


def configuration(base: str, here: Path, *, targets: int, every: str, port: int) -> Path:
    """A configuration of that many realtime targets at the sandbox, with its database beside it."""
    endpoints = -(-targets // len(MODELS))
    parts = [
        '[monitor]\nlocation = "bench"',
        f'[web]\nlisten = "127.0.0.1:{port}"',
        f'[database]\nurl = "sqlite:///{here / "bench.db"}"',
    ]
    for number in range(endpoints):
        name = f"endpoint-{number:04}"
        parts.append(
            f'[endpoint.{name}]\nprovider = "openai"\nurl = "{base}/openai-us/v1"\nkey = "env:{KEY_VARIABLE}"'
        )
        models = MODELS[: min(len(MODELS), targets - number * len(MODELS))]
        parts.append(
            f'[[watch]]\nendpoint = "{name}"\nmodels = {list(models)!r}\npathways = ["realtime"]\n'
            f'session_model = "gpt-realtime"\nevery = "{every}"\npace = "burst"\nmax_per_minute = 6000'
        )
    path = here / "config.toml"
    path.write_text("\n\n".join(parts), "utf-8")
    return path


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port
