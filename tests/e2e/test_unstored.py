"""A stop while nothing can be stored: it ends in time, and what was measured is not lost."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.service_processes import House, wait_for


def test_what_was_measured_while_the_database_was_away_can_be_taken_back(tmp_path: Path) -> None:
    """The service writes a file for its owner, names it in the log, and `import` stores what it holds."""
    with House(tmp_path) as house:
        service = house.serve()
        house.await_passes(1)
        with closing(sqlite3.connect(tmp_path / "earwitness.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            wait_for(lambda: not house.json("/readyz")["checks"]["storing"]["ok"], 30, "it cannot store")
            assert service.terminate(within_s=60) == 0
        (path,) = tmp_path.glob("unstored-*.jsonl")
        assert path.name in service.log
        assert path.stat().st_mode & 0o777 == 0o600
        kept = {json.loads(line)["id"] for line in path.read_text().splitlines()}
        assert kept
        done = house.command("import", path.name)
        assert done.returncode == 0, done.stderr
        stored = {json.loads(line)["id"] for line in house.command("export").stdout.splitlines()}
        assert kept <= stored
