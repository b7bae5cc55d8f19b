from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from monitor.core.model import Verdict
from monitor.store.database.engine import Database
from monitor.store.derivation.history import StoreHistory
from monitor.store.outcomes.add import add_outcomes
from monitor.store.outcomes.read import read_evidence, stream_outcomes
from tests.support.memory_history import MemoryHistory
from tests.support.stored_outcomes import make

# Stores batches for ever, some of them late, and says after each commit how far it came.
WRITER = """
import sys
from monitor.core.model import Verdict
from monitor.store.database.engine import open_database
from monitor.store.outcomes.add import add_outcomes
from tests.support.stored_outcomes import make

database = open_database(sys.argv[1], create=False)
for batch in range(100_000):
    numbers = [batch * 10 + step for step in (5, 6, 7, 8, 9, 0, 1, 2, 3, 4)]
    for half in (numbers[:5], numbers[5:]):
        runs = [(make(n, Verdict.FAILED if n % 7 == 0 else Verdict.PASSED), {"n": n}) for n in half]
        with database.write() as tx:
            add_outcomes(tx, runs)
        print(half[-1], flush=True)
"""


def write_until_killed(url: str, lines: int) -> int:
    """Let a process write, kill it in the middle, and return how many runs it had said to be stored."""
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True, cwd=root
    ) as writer:
        assert writer.stdout is not None
        for _ in range(lines):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().count("\n")
    return (lines + rest) * 5


def check_agreement(database: Database) -> int:
    """Numbers, flags, rollups and evidence agree with the outcomes; returns how many there are."""
    with database.read() as tx:
        stored = list(stream_outcomes(tx))
        memory, history = MemoryHistory(stored), StoreHistory(tx)
        for cell in memory.cells():
            assert history.not_passed(cell, None, None) == memory.not_passed(cell, None, None)
            assert history.count(cell, None, None) == memory.count(cell, None, None)
            assert history.last_run(cell, None) == memory.last_run(cell, None)
        for table in ("hourly", "daily"):
            sums = tx.execute(text(f"SELECT sum(passed), sum(failed) FROM {table}")).one()  # noqa: S608
            failed = sum(one.verdict is Verdict.FAILED for one in stored)
            assert list(sums) == [len(stored) - failed, failed]
        assert all(read_evidence(tx, one.id) == {"n": int(one.id[4:])} for one in stored)
    return len(stored)


@pytest.mark.parametrize("lines", [1, 4, 9])
def test_kill_in_mid_write_loses_nothing_confirmed(sqlite_database: Database, lines: int) -> None:
    """A writer killed at any moment leaves every confirmed run and no half of a batch."""
    confirmed = write_until_killed(sqlite_database.url.render_as_string(), lines)
    found = check_agreement(sqlite_database)
    assert found >= confirmed
    assert found % 5 == 0
    with sqlite_database.write() as tx:
        add_outcomes(tx, [(make(n), {"n": n}) for n in (900_001, 900_000)])
    assert check_agreement(sqlite_database) == found + 2
