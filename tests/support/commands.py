"""Commands run in this process: a folder with a configuration, and a practice provider on a thread."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from monitor.cli import main
from monitor.sandbox import Script, create_app, running
from monitor.sandbox.common.script import NO_LATENCY

ROOT = Path(__file__).parents[2]
KEY = "sandbox-key"
KEY_VARIABLE = "EARWITNESS_TEST_KEY"

CONFIG = """
[monitor]
location = "berlin"

[database]
url = "sqlite:///{folder}/data/earwitness.db"

[web]
listen = "127.0.0.1:{port}"

[endpoint.azure-sweden]
provider = "azure_openai"
url = "{base}/azure-sweden"
region = "swedencentral"
key = "env:EARWITNESS_TEST_KEY"

[[watch]]
endpoint = "azure-sweden"
models = ["gpt-4o-transcribe", "whisper-1"]
pathways = ["realtime", "rest"]
session_model = "gpt-realtime"
pace = "burst"
timeout = "5s"
"""
DEAD = "http://127.0.0.1:9"  # "discard", where nothing listens


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


class Sandbox:
    """The practice provider at `base`, served by a thread of its own until it is closed."""

    def __init__(self) -> None:
        self.base = ""
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._ready.wait(20)

    def _serve(self) -> None:
        self._loop.run_until_complete(self._run())
        self._loop.close()

    async def _run(self) -> None:
        async with running(create_app(Script(latency=NO_LATENCY))) as base:
            self.base = base
            self._ready.set()
            await self._stop.wait()

    def break_down(self, **fault: str) -> None:
        """Put a fault in force."""
        self._control("POST", fault)

    def mend(self) -> None:
        """End every fault."""
        self._control("DELETE", None)

    def _control(self, method: str, body: Mapping[str, Any] | None) -> None:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.base}/_control/faults", data, method=method), timeout=10) as answer:  # noqa: S310
            assert answer.status in {201, 204}

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """One practice provider for all tests of this process."""
    sandbox = Sandbox()
    yield sandbox
    sandbox.close()


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The practice provider, whole at the start and at the end."""
    shared_sandbox.mend()
    yield shared_sandbox
    shared_sandbox.mend()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands are run in, with the key set and no configuration yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EARWITNESS_CONFIG", raising=False)
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    return tmp_path


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


Configure = Callable[..., Path]


@pytest.fixture
def configure(home: Path) -> Configure:
    """Writes ./config.toml for a provider at some address, with *more* behind it."""

    def write(base: str = DEAD, more: str = "", text: str = CONFIG) -> Path:
        path = home / "config.toml"
        path.write_text(text.format(folder=home, base=base, port=free_port()) + more)
        return path

    return write


Run = Callable[..., Ran]


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command in this process, in the folder."""

    def call(*arguments: str) -> Ran:
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 99
        said = capsys.readouterr()
        return Ran(code=code, out=said.out, err=said.err)

    return call


@pytest.fixture
def spawn(home: Path) -> Run:
    """Runs one command in a process of its own, in the folder; *stdin* is what it may read."""

    def call(*arguments: str, stdin: bytes = b"", timeout: float = 60) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "monitor", *arguments],
            input=stdin,
            capture_output=True,
            timeout=timeout,
            cwd=home,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
        return Ran(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())

    return call
