"""Processes of ours that run until they are told to end, and always are."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0


class Process:
    """``python -m monitor …`` in *folder*, killed at the end of the block if it has not ended by then."""

    def __init__(self, *arguments: str, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self._said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._log = (folder / f"{arguments[0]}-{os.urandom(4).hex()}.log").open("wb+")
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "monitor", *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})},
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._log.close()

    def _read(self) -> None:
        assert self._popen.stdout is not None
        with self._popen.stdout as output:
            for line in output:
                self._lines.put(line.decode())
        self._lines.put(None)

    def wait_for(self, words: str, within_s: float = PATIENCE_S) -> str:
        """The first line of standard output, from here on, that holds these words."""
        while True:
            line = self._lines.get(timeout=within_s)
            assert line is not None, f"it ended without saying '{words}': {self.output}{self.log}"
            self._said.append(line)
            if words in line:
                return line

    @property
    def pid(self) -> int:
        """Its number."""
        return self._popen.pid

    def children(self) -> list[int]:
        """The processes that it started and that run now."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    @property
    def output(self) -> str:
        """What was read of its standard output so far."""
        return "".join(self._said)

    @property
    def log(self) -> str:
        """Its standard error so far."""
        return Path(self._log.name).read_text()

    def terminate(self, within_s: float = PATIENCE_S) -> int:
        """SIGTERM; the exit code."""
        self._popen.send_signal(signal.SIGTERM)
        return self.wait(within_s)

    def wait(self, within_s: float = PATIENCE_S) -> int:
        """The exit code, once it has ended by itself."""
        code = self._popen.wait(within_s)
        self._reader.join(within_s)
        while (line := self._lines.get(timeout=within_s)) is not None:
            self._said.append(line)
        self._lines.put(None)
        return code

    def kill(self) -> None:
        """SIGKILL to it and to what it started, whatever it is doing."""
        if self._popen.poll() is None:
            os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
