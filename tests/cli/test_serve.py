"""What keeps `serve` from starting: one sentence each, exit code 2, and nothing lost."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path

import pytest

from monitor.store.database.migrate import HEAD
from tests.support.commands import KEY_VARIABLE, Configure, Run


def test_a_missing_secret_stops_the_start_with_its_place(
    spawn: Run, configure: Configure, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No database is made, no port is bound."""
    path = configure()
    line = path.read_text().splitlines().index(f'key = "env:{KEY_VARIABLE}"') + 1
    monkeypatch.delenv(KEY_VARIABLE)
    done = spawn("serve")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"earwitness: config.toml:{line}: endpoint.azure-sweden.key: env:{KEY_VARIABLE}: "
        f"the variable {KEY_VARIABLE} is not set\n"
    )
    assert not (home / "data").exists()


def test_a_port_in_use_stops_the_start_with_the_remedy(spawn: Run, configure: Configure) -> None:
    """The address, the reason and the key to change."""
    path = configure()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        text = path.read_text()
        listen = next(line for line in text.splitlines() if line.startswith("listen"))
        path.write_text(text.replace(listen, f'listen = "{address}"'))
        done = spawn("serve")
    assert done.code == 2
    assert done.err.splitlines()[-1] == (
        f"earwitness: {address} is in use: stop what listens there, or set another address in [web] listen"
    )


def test_a_newer_schema_stops_the_start(spawn: Run, run: Run, configure: Configure, home: Path) -> None:
    """A database that a later program migrated is left alone."""
    configure()
    assert run("migrate").code == 0
    path = home / "data" / "earwitness.db"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    done = spawn("serve")
    assert done.code == 2
    assert done.err.splitlines()[-1] == (
        f"earwitness: database {path} has schema 9999, newer than {HEAD} of this program: upgrade earwitness"
    )


def test_a_locked_database_stops_the_start(spawn: Run, run: Run, configure: Configure, home: Path) -> None:
    """After five seconds of patience the reason is told, and nothing is half done."""
    configure()
    assert run("migrate").code == 0
    path = home / "data" / "earwitness.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    done = spawn("serve")
    other.close()
    assert done.code == 2
    assert done.err.splitlines()[-1] == (
        f"earwitness: database {path} is locked by another process: stop it, or try again"
    )


def test_an_address_for_everybody_is_refused(spawn: Run, configure: Configure) -> None:
    """Without authentication only loopback is served, and the remedy is named."""
    path = configure()
    path.write_text(path.read_text().replace('listen = "127.0.0.1:', 'listen = "0.0.0.0:'))
    done = spawn("serve")
    assert done.code == 2
    assert "web.listen" in done.err
    assert "behind_proxy" in done.err
