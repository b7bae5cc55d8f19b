from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Run, configure, home, run, sandbox, shared_sandbox, spawn
from tests.support.recorded_hour import day

__all__ = ["configure", "home", "run", "sandbox", "shared_sandbox", "spawn"]


@pytest.fixture
def lines(home: Path) -> Path:
    """The day as a file."""
    path = home / "day.jsonl"
    path.write_bytes(b"\n".join(day()) + b"\n")
    return path


@pytest.fixture
def stored(run: Run, lines: Path) -> str:
    """The day, imported without any configuration; the replay of it as JSON."""
    assert run("import", str(lines)).code == 0
    return run("replay", "--json").out
