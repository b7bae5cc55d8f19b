"""`export`: what comes out goes in again, and what is refused how."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.commands import Run
from tests.support.recorded_hour import REST, day


def test_an_export_imports_to_the_same(run: Run, stored: str, home: Path) -> None:
    """What comes out is what went in, and gives the same verdict in an empty database."""
    assert run("export", "-o", "out.jsonl").code == 0
    exported = (home / "out.jsonl").read_bytes()
    assert sorted(map(json.dumps, map(json.loads, exported.splitlines()))) == sorted(
        map(json.dumps, map(json.loads, day()))
    )
    (home / "data" / "earwitness.db").rename(home / "data" / "first.db")
    assert run("import", "out.jsonl").code == 0
    assert run("replay", "--json").out == stored


def test_an_export_can_be_narrowed(run: Run, stored: str) -> None:
    """Targets and a range; `--from` counts in, `--to` does not."""
    assert stored
    done = run("export", REST, "--from", "2025-11-17T00:10:00Z", "--to", "2025-11-17T00:12:00Z")
    assert [json.loads(line)["id"] for line in done.out.splitlines()] == ["rest-10", "rest-11"]


def test_an_export_as_csv_has_a_row_each(run: Run, stored: str) -> None:
    """A header, and as many rows as outcomes, oldest first."""
    assert stored
    rows = list(csv.DictReader(io.StringIO(run("export", "--format", "csv").out)))
    assert len(rows) == 120
    assert [row["started_at"] for row in rows] == sorted(row["started_at"] for row in rows)


@pytest.mark.parametrize("command", ["export", "replay"])
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ("--from", "yesterday"),
            "--from: 'yesterday' is no time: 2025-11-17T08:30:00Z is expected",
        ),
        (
            ("--to", "2025-11-17T08:30:00"),
            "--to: '2025-11-17T08:30:00' has no offset: append Z, or one such as +01:00",
        ),
        (
            ("--from", "2025-02-30T00:00:00Z"),
            "--from: '2025-02-30T00:00:00Z' is no time that exists: day is out of range for month",
        ),
        (
            ("--from", "2025-11-17T09:00:00Z", "--to", "2025-11-17T08:00:00Z"),
            "--from 2025-11-17T09:00:00Z: lies after --to 2025-11-17T08:00:00Z",
        ),
    ],
)
def test_a_range_that_is_none_is_refused(
    run: Run, stored: str, command: str, options: Sequence[str], sentence: str
) -> None:
    """The option is named with what would be right."""
    assert stored
    done = run(command, *options)
    assert done.code == 2
    assert done.err.startswith(f"earwitness: {sentence}")


def test_an_unknown_format_is_refused(run: Run) -> None:
    """The known ones are named."""
    done = run("export", "--format", "xml")
    assert (done.code, done.err) == (2, "earwitness: --format xml: one of jsonl, csv is expected\n")


@pytest.mark.parametrize("command", [("export", "-o"), ("evidence", "1", "-o")])
def test_a_file_that_cannot_be_written_is_said(run: Run, stored: str, command: tuple[str, ...]) -> None:
    """The path and the reason, with exit code 2."""
    assert stored
    done = run(*command, "gone/out")
    assert (done.code, done.err) == (2, "earwitness: gone/out: no such file or directory\n")


def test_a_target_of_which_nothing_is_stored_is_named(run: Run, lines: Path) -> None:
    """An empty export would look as if nothing had happened."""
    run("import", str(lines))
    done = run("export", "azure/gpt-4o-transcribe/rset")
    assert done.code == 2
    assert "nothing is stored of azure/gpt-4o-transcribe/rset; the stored targets: " in done.err
    assert done.out == ""
