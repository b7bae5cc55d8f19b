"""The parts of the service that stand alone: its address, and what is usual for a target."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest

from monitor.cli.service import USUAL_LEAST, listen, usual_latencies
from monitor.core.errors import MonitorError
from monitor.store.engine import Database
from monitor.store.outcomes import add_outcomes
from tests.store.samples import DAY, make


def test_a_free_address_is_bound() -> None:
    """Loopback of either family."""
    with listen("127.0.0.1", 0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_taken_address_names_the_remedy() -> None:
    """And leaves no socket behind."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(MonitorError, match=rf"127.0.0.1:{port} is in use: .* \[web\] listen"):
            listen("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_said() -> None:
    """The system's reason is quoted."""
    with pytest.raises(MonitorError, match=r"192\.0\.2\.1:0 cannot assign requested address: "):
        listen("192.0.2.1", 0)


def test_what_is_usual_needs_enough_runs(sqlite_database: Database) -> None:
    """Below a certain count a median says nothing; from there on it is that of the last seven days."""
    runs = [make(number, timings_ms={"final": 500.0}) for number in range(USUAL_LEAST)]
    now = DAY + timedelta(hours=1)
    with sqlite_database.write() as tx:
        add_outcomes(tx, [(run, None) for run in runs[:-1]])
    assert usual_latencies(sqlite_database, now) == {}
    with sqlite_database.write() as tx:
        add_outcomes(tx, [(runs[-1], None)])
    (usual,) = usual_latencies(sqlite_database, now).values()
    assert 400 < usual < 650
    assert usual_latencies(sqlite_database, now + timedelta(days=8)) == {}
