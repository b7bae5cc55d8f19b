"""The page in a process of its own: it comes back, leaves nothing behind, takes nothing from the checks."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from tests.support.processes import Process
from tests.support.service_processes import House, wait_for


def is_gone(pid: int) -> bool:
    """Whether no process of that number runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def page_of(service: Process) -> int:
    """The process of the page."""
    (page,) = service.children()
    return page


def ready(house: House) -> Mapping[str, Any]:
    """What /readyz says."""
    said: Mapping[str, Any] = house.json("/readyz")
    return said


def test_a_page_that_dies_is_started_anew_and_the_checks_go_on(tmp_path: Path) -> None:
    """The address answers again, from another process, and the service was not started anew."""
    with House(tmp_path) as house:
        service = house.serve()
        house.await_passes(1)
        first = page_of(service)
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: service.children() not in ([], [first]), 20, "there is another page")
        house.await_passes(3)
        wait_for(lambda: ready(house)["status"] == "ready", 20, "it is ready")
        assert "the page ended and is started anew" in service.log
        assert service.terminate() == 0


def test_the_page_ends_with_its_service(tmp_path: Path) -> None:
    """However the service ends, nobody goes on showing what is not kept up any more."""
    with House(tmp_path) as house:
        for end in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            service = house.serve()
            page = page_of(service)
            os.kill(service.pid, end)
            service.wait()
            wait_for(lambda page=page: is_gone(page), 20, "the page has ended")  # type: ignore[misc]


def test_half_open_connections_keep_nothing_from_the_checks(tmp_path: Path) -> None:
    """Three hundred of them: runs go on to pass, an outage is told, and the page answers those who ask."""
    with House(tmp_path) as house, ExitStack() as held:
        house.serve()
        house.await_passes(1)
        for _ in range(300):
            one = held.enter_context(socket.create_connection(("127.0.0.1", house.port)))
            one.sendall(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n")
        house.await_passes(3)
        house.break_down(model="gpt-4o-transcribe", pathway="realtime", fault="failed")
        house.await_told("incident.opened")
        runs = house.json("/api/v1/outcomes?limit=1000")["items"]
        assert "inconclusive" not in {run["verdict"] for run in runs}


def test_health_and_metrics_may_have_an_address_of_their_own(tmp_path: Path) -> None:
    """They answer there, and metrics no longer on the page's."""
    with House(tmp_path) as house:
        path = tmp_path / "config.toml"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        path.write_text(path.read_text().replace("[web]\n", f'[web]\nops_listen = "127.0.0.1:{port}"\n'))
        house.serve()
        house.await_passes(1)
        assert "Not Found" in house.text("/metrics")
        house.address = f"http://127.0.0.1:{port}"
        assert "monitor_checks_total" in house.text("/metrics")
        wait_for(lambda: ready(house)["status"] == "ready", 20, "it is ready")
        assert house.json("/")["status"] == 404


def test_a_service_that_cannot_store_says_so_until_it_can(tmp_path: Path) -> None:
    """Another writer holds the file: not ready, with the reason, while checks go on; then all is stored."""
    with House(tmp_path) as house:
        house.serve()
        house.await_passes(1)
        with closing(sqlite3.connect(tmp_path / "earwitness.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            wait_for(lambda: not ready(house)["checks"]["storing"]["ok"], 30, "it cannot store")
            assert "is locked" in ready(house)["checks"]["storing"]["reason"]
        wait_for(lambda: ready(house)["status"] == "ready", 30, "it is ready again")
        house.await_passes(4)
