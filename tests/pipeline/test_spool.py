"""What is left when the service ends, as a file: readable by `import`, for its owner only, or none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.core.model import Verdict
from monitor.pipeline.import_outcomes import import_lines
from monitor.pipeline.observe import Observed
from monitor.pipeline.spool import spool
from monitor.store.database.engine import Database
from monitor.store.outcomes.read import read_evidence, read_outcome
from tests.support.stored_outcomes import make

NOW = datetime(2025, 11, 17, 8, 30, tzinfo=UTC)


def test_a_file_is_taken_back_whole(sqlite_database: Database, tmp_path: Path) -> None:
    """Every outcome, and the evidence of what did not pass; a folder that takes none is passed over."""
    runs = [make(0), make(1, Verdict.FAILED)]
    items = [Observed(outcome=run, evidence={"steps": []}) for run in runs]
    path = spool(items, [tmp_path / "missing", tmp_path], now=NOW)
    assert path == tmp_path / "unstored-20251117T083000000000.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open("rb") as source:
        import_lines(source, sqlite_database, pytest.fail)
    with sqlite_database.read() as tx:
        assert [read_outcome(tx, run.id).verdict for run in runs] == [Verdict.PASSED, Verdict.FAILED]
        assert [read_evidence(tx, run.id) is None for run in runs] == [True, False]


def test_nothing_left_is_no_file(tmp_path: Path) -> None:
    """And where no folder takes one, that is said."""
    assert spool([], [tmp_path], now=NOW) is None
    assert list(tmp_path.iterdir()) == []
    item = Observed(outcome=make(0), evidence=None)
    assert spool([item], [tmp_path / "missing"], now=NOW) is None
