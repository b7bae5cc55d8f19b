"""A peer that accepts and stays silent: its run ends at its deadline, and nobody else loses a slot."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.core.model import Kind, Outcome, Verdict
from monitor.core.scheduling.slots import slots_between
from monitor.store.database.engine import open_database
from monitor.store.outcomes.read import stream_outcomes
from tests.support.service_processes import EVERY_S, TARGETS, House
from tests.support.skipped_slots import read_skipped_slots

pytestmark = pytest.mark.timeout(120)

SILENT = ["silent/whisper-1/realtime", "silent/whisper-1/rest"]
TIMEOUT_S = 1.6
EVERY = timedelta(seconds=EVERY_S)
WATCH = """
[endpoint.silent]
provider = "openai_compatible"
url = "http://127.0.0.1:{port}/v1"

[[watch]]
endpoint = "silent"
models = ["whisper-1"]
pathways = ["realtime", "rest"]
every = "2s"
timeout = "1600ms"
pace = "burst"
max_per_minute = 1000
"""


@contextmanager
def silent_peer() -> Iterator[int]:
    """The port of a peer that accepts every connection and never says a word."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:

        def accept() -> None:
            while True:
                try:
                    held.append(listener.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
    for connection in held:
        connection.close()


def test_a_silent_peer_ends_at_its_deadline_and_delays_nobody(tmp_path: Path) -> None:
    """Due slots = outcomes + recorded skips for every target, and all of them start in time."""
    with silent_peer() as port, House(tmp_path, more=WATCH.format(port=port)) as house:
        service = house.serve()
        time.sleep(6 * EVERY_S)
        assert service.terminate() == 0
    outcomes, skips = stored(tmp_path)
    silent = [one for one in outcomes if one.endpoint == "silent"]
    assert {one.target for one in silent} == set(SILENT)
    for one in silent:
        assert (one.verdict, one.failure) == (Verdict.FAILED, "silent"), one
        took = (one.finished_at - one.started_at).total_seconds()
        assert took < TIMEOUT_S + 0.5 + 1.0, one
    for target in (*TARGETS, *SILENT):
        mine = [one for one in outcomes if one.target == target and one.kind is Kind.SCHEDULED]
        check_slots(target, [one.slot for one in mine], skips.get(target, []))
        late = max(one.started_at - one.slot for one in mine)
        assert late < timedelta(seconds=1), (target, late)
    assert all(one.verdict is Verdict.PASSED for one in outcomes if one.endpoint == "azure-sweden")
    assert not any(skips.get(target) for target in TARGETS)


def check_slots(target: str, run: list[datetime], skipped: list[datetime]) -> None:
    """Between the first and the last slot each is accounted for exactly once."""
    assert run, target
    accounted = Counter([*run, *skipped])
    first, last = min(accounted), max(accounted)
    due = [first, *slots_between(target, EVERY, first, last), *([last] if last > first else [])]
    assert accounted == Counter(due), target


def stored(folder: Path) -> tuple[list[Outcome], dict[str, list[datetime]]]:
    """Every outcome, and the skipped slots of each target."""
    database = open_database(f"sqlite:///{folder / 'earwitness.db'}", create=False)
    with database.read() as tx:
        outcomes = list(stream_outcomes(tx))
        horizon = outcomes[0].slot - timedelta(days=1), outcomes[-1].slot + timedelta(days=1)
        skips: dict[str, list[datetime]] = {}
        for cell, slots, _ in read_skipped_slots(tx, *horizon):
            skips.setdefault(cell.target, []).extend(slots)
    database.dispose()
    return outcomes, skips
