"""`sandbox` as a process: its address, its script, and what keeps it from starting."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from urllib.request import urlopen

from tests.support.commands import Run
from tests.support.processes import Process


def test_it_says_where_it_answers_and_ends_on_sigterm(home: Path) -> None:
    """With port 0 a free one is taken and told; the control page is there."""
    with Process("sandbox", "--port", "0", folder=home) as process:
        line = process.wait_for("The sandbox answers at")
        assert line.startswith("The sandbox answers at http://127.0.0.1:")
        assert "key sandbox-key" in line
        control = line.split()[-1]
        with urlopen(control, timeout=10) as answer:  # noqa: S310 - it is ours
            assert answer.status == 200
        assert process.terminate() in {0, -15}


def test_a_port_in_use_is_said(run: Run) -> None:
    """The address, the reason and the remedy, with exit code 2."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("sandbox", "--port", str(port))
    assert done.code == 2
    assert done.err == (
        f"earwitness: port {port} on 127.0.0.1 is in use: stop what listens there, "
        "or choose another with --port\n"
    )


def test_a_script_that_is_missing_is_said(run: Run) -> None:
    """Exit code 2 with the path."""
    done = run("sandbox", "--script", "gone.toml")
    assert done.code == 2
    assert done.err == (
        "earwitness: gone.toml: No such file or directory; give the path of a readable script\n"
    )


def test_every_fault_of_a_script_is_said_at_once(run: Run, home: Path) -> None:
    """Exit code 2 with a sentence for each."""
    (home / "script.toml").write_text('pong = 3\n[[fault]]\nfault = "faild"\n')
    done = run("sandbox", "--script", "script.toml")
    assert done.code == 2
    first, second = done.err.splitlines()
    assert first == "earwitness: script.toml: pong: unknown key, did you mean 'ping'?"
    assert second.startswith(
        "script.toml: fault 1: fault: 'faild' is unknown (did you mean 'failed'?); right are: "
    )


def test_with_tls_it_says_which_certificate_to_trust(home: Path) -> None:
    """A client that was given the printed file as its CA reaches the control page over https."""
    with Process("sandbox", "--port", "0", "--tls", folder=home) as process:
        trusted = process.wait_for("Clients trust the certificate in ").split()[-1]
        control = process.wait_for("The sandbox answers at https://127.0.0.1:").split()[-1]
        trust = ssl.create_default_context(cafile=trusted)
        with urlopen(control, timeout=10, context=trust) as answer:  # noqa: S310 - it is ours
            assert answer.status == 200
        assert process.terminate() in {0, -15}
