"""What keeps the demo from starting; how it looks when it runs is shown end to end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from monitor.cli.demo_data import DAY, FOLDER, open_recording, reference_configuration
from monitor.config import load
from monitor.core.outcome_json import outcome_from_line
from tests.support.commands import ROOT, Run, free_port


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that something else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_taken_port_of_the_page_is_said_with_the_remedy(spawn: Run, taken: int) -> None:
    """One sentence, exit code 2, and nothing is left running."""
    done = spawn("demo", "--listen", f"127.0.0.1:{taken}", "--sandbox-port", "0")
    assert done.code == 2
    (said,) = done.err.splitlines()
    assert said.startswith(f"earwitness: 127.0.0.1:{taken} is in use: ")
    assert said.endswith(" with --listen")


def test_an_address_that_cannot_be_served_is_said_of_the_option(spawn: Run) -> None:
    """Not of the configuration in a folder that nobody knows of."""
    done = spawn("demo", "--listen", "8080", "--sandbox-port", "0")
    assert (done.code, done.err.splitlines()) == (
        2,
        ["earwitness: --listen '8080': must be host:port, such as 'example.com:443' or '[::1]:443'"],
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_demo_that_is_ended_while_it_starts_leaves_nothing(home: Path, number: signal.Signals) -> None:
    """Its temporary folder goes with it, and so does its sandbox, which holds its output open."""
    command = [sys.executable, "-m", "monitor", "demo", "--listen", f"127.0.0.1:{free_port()}"]
    with subprocess.Popen(
        [*command, "--sandbox-port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(home)},
        start_new_session=True,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("Starting ")
        process.send_signal(number)
        rest = process.stdout.read()
    assert (process.returncode, rest, list(home.iterdir())) == (0, "", [])


def test_a_taken_port_of_the_sandbox_is_said_with_the_remedy(spawn: Run, taken: int) -> None:
    """The sandbox's own sentence is handed on."""
    done = spawn("demo", "--listen", f"127.0.0.1:{free_port()}", "--sandbox-port", str(taken))
    assert done.code == 2
    assert f"port {taken} on 127.0.0.1 is in use" in done.err.splitlines()[-1]


def test_the_recording_is_of_outcomes_with_frames() -> None:
    """Every line is an outcome of the reference day or the day before, and failures carry their exchange."""
    count = failed = 0
    with open_recording() as lines:
        for line in lines:
            outcome, evidence = outcome_from_line(orjson.loads(line))
            count += 1
            assert outcome.started_at.isoformat() < "2025-11-18"
            if outcome.failure:
                failed += 1
                assert evidence
                assert evidence["frames"]
    assert (count, failed) == (4 * (24 * 60 + 15 * 60 + 30), 420)


def test_the_recording_s_configuration_can_be_read(tmp_path: Path) -> None:
    """What it was watched with is a configuration like anybody's, and names the day's four targets."""
    path = tmp_path / "reference.toml"
    path.write_text(reference_configuration("http://127.0.0.1:8900", "env:KEY"))
    keys = [target.key for target in load(path, environ=os.environ).targets]
    assert len(keys) == 4
    assert "contoso-sweden/gpt-4o-transcribe/realtime" in keys
    assert DAY == "2025-11-17"
    assert (FOLDER / "demo.toml").exists()
