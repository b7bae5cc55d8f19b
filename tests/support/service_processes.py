"""The real service and the real sandbox as processes, and a way to look at both from outside."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.support.processes import ROOT, Process
from tests.support.webhook_receiver import SECRET, Receiver

KEY = "canary-2f9a77c1e4b84d06"  # must be found nowhere
FAILING = "azure-sweden/gpt-4o-transcribe/realtime"
TARGETS = [
    FAILING,
    "azure-sweden/gpt-4o-transcribe/rest",
    "azure-sweden/whisper-1/realtime",
    "azure-sweden/whisper-1/rest",
]
EVERY_S = 2.0

CONFIG = """
[monitor]
location = "berlin"
timezone = "Europe/Berlin"

[web]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"

[database]
url = "sqlite:///{folder}/earwitness.db"

[endpoint.azure-sweden]
provider = "azure_openai"
url = "{base}/azure-sweden"
region = "swedencentral"
key = "env:E2E_KEY"

[[watch]]
endpoint = "azure-sweden"
models = ["gpt-4o-transcribe", "whisper-1"]
pathways = ["realtime", "rest"]
session_model = "gpt-realtime"
every = "2s"
pace = "burst"
max_per_minute = 1000

[rule.down]
bad = 3
of = 5
span = "2s"
good = 3
merge = "9s"
merge_intervals = 1

[rule.degraded]
bad = 4
of = 20
good = 3
merge = "9s"
merge_intervals = 1

[channel.oncall]
kind = "webhook"
url = "env:E2E_HOOK_URL"
secret = "env:E2E_HOOK_SECRET"
"""

SCRIPT = """
[latency]
committed = 0
transcription = 0.02
response = 0.02
rest = 0.02

[endpoint.azure-sweden]
kind = "azure"
region = "swedencentral"
models = ["gpt-4o-transcribe", "whisper-1"]
hosts = ["gpt-realtime"]
key = "{key}"
"""
Found = TypeVar("Found")


class House:
    """A sandbox, a receiver of webhooks and a service over a database in *folder*; all end with the block."""

    def __init__(self, folder: Path, *, more: str = "") -> None:
        self.folder, self._more = folder, more
        self.receiver = Receiver()
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._ends = ExitStack()
        self._logs: list[Process] = []

    def __enter__(self) -> Self:
        with ExitStack() as ends:
            ends.enter_context(self.receiver)
            (self.folder / "script.toml").write_text(SCRIPT.format(key=KEY))
            sandbox = Process("sandbox", "--port", "0", "--script", "script.toml", folder=self.folder)
            ends.enter_context(sandbox)
            said = sandbox.wait_for("The sandbox answers at")
            self.sandbox = next(word for word in said.replace(",", "").split() if word.startswith("http://"))
            text = CONFIG.format(folder=self.folder, base=self.sandbox, port=self.port)
            (self.folder / "config.toml").write_text(text + self._more)
            self._ends = ends.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            print(self.log)  # shown by pytest beside the failure
        self._ends.close()

    @property
    def environ(self) -> Mapping[str, str]:
        """The secrets that the configuration refers to."""
        return {"E2E_KEY": KEY, "E2E_HOOK_URL": self.receiver.url, "E2E_HOOK_SECRET": SECRET}

    @property
    def log(self) -> str:
        """What every service started here has logged."""
        return "".join(process.log + process.output for process in self._logs)

    def serve(self) -> Process:
        """Start the service; it answers afterwards."""
        process = self._ends.enter_context(Process("serve", folder=self.folder, environ=self.environ))
        self._logs.append(process)
        process.wait_for("Earwitness watches")
        return process

    def command(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """One command over the same configuration."""
        return subprocess.run(
            [sys.executable, "-m", "monitor", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **self.environ},
            capture_output=True,
            timeout=60,
            check=False,
        )

    def get(self, path: str) -> bytes:
        """A page or file of the service; its body whatever the status."""
        try:
            with urlopen(self.address + path, timeout=20) as answer:  # noqa: S310 - it is ours
                body: bytes = answer.read()
        except HTTPError as refusal:
            return refusal.read()
        return body

    def text(self, path: str) -> str:
        """The same as text."""
        return self.get(path).decode()

    def json(self, path: str) -> Any:
        """The same as JSON."""
        return json.loads(self.get(path))

    def incidents(self) -> Sequence[Mapping[str, Any]]:
        """The numbered incidents, the newest first."""
        found: Sequence[Mapping[str, Any]] = self.json("/api/v1/incidents")["items"]
        return found

    def phase(self) -> str:
        """The phase of the newest incident; empty where there is none."""
        found = self.incidents()
        return str(found[0]["phase"]) if found else ""

    def await_phase(self, phase: str, within_s: float = 40.0) -> None:
        """Wait until the newest incident is in that phase."""
        wait_for(lambda: self.phase() == phase, within_s, f"the incident is {phase}")

    def await_passes(self, count: int, within_s: float = 40.0) -> None:
        """Wait until every target has passed so often."""

        def passed() -> bool:
            items = self.json("/api/v1/targets")["items"]
            return [item["target"] for item in items] == TARGETS and all(
                item["runs"]["passed"] >= count for item in items
            )

        wait_for(passed, within_s, f"every target has passed {count} times")

    def await_told(self, kind: str, within_s: float = 20.0) -> None:
        """Wait until the receiver has a notice of that kind."""
        wait_for(
            lambda: kind in [said["type"] for said in self.receiver.verified()], within_s, f"{kind} is told"
        )

    def break_down(self, **fault: str) -> None:
        """Put a fault in force in the sandbox."""
        control(self.sandbox, "POST", fault)

    def mend(self) -> None:
        """End every fault of the sandbox."""
        control(self.sandbox, "DELETE", None)


def control(sandbox: str, method: str, body: Mapping[str, Any] | None) -> None:
    """Ask a sandbox's control API."""
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(f"{sandbox}/_control/faults", data, method=method), timeout=20) as answer:  # noqa: S310
        assert answer.status in {201, 204}


def wait_for(look: Callable[[], Found], within_s: float, what: str) -> Found:
    """What *look* gives once it is truthy."""
    deadline = time.monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"within {within_s} s it did not come to pass that {what}"
        time.sleep(0.1)


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
