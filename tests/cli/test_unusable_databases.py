"""Databases that are missing, empty, newer, locked or none: said in one sentence by every command."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.store.database.migrate import HEAD
from tests.support.commands import Run

READERS = [("export",), ("replay",), ("evidence", "1")]


@pytest.mark.parametrize("command", READERS)
def test_a_missing_database_is_not_made_by_reading(run: Run, home: Path, command: tuple[str, ...]) -> None:
    """A wrong path leaves no file behind, and the sentence names both remedies."""
    done = run(*command)
    assert done.code == 2
    assert done.err == (
        "earwitness: database data/earwitness.db does not exist: "
        "run `earwitness migrate`, or correct database.url\n"
    )
    assert not (home / "data").exists()


@pytest.mark.parametrize("command", READERS)
def test_a_database_without_schema_names_the_remedy(run: Run, home: Path, command: tuple[str, ...]) -> None:
    """An empty file is no database of ours yet, and reading does not make it one."""
    (home / "data").mkdir()
    (home / "data" / "earwitness.db").touch()
    done = run(*command)
    assert done.code == 2
    assert done.err == "earwitness: database data/earwitness.db is empty: run `earwitness migrate`\n"


@pytest.fixture
def newer(run: Run, home: Path) -> Path:
    """A database that a later program has migrated."""
    run("migrate")
    path = home / "data" / "earwitness.db"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    return path


@pytest.mark.parametrize("command", [*READERS, ("migrate",), ("import", "day.jsonl")])
def test_a_newer_schema_is_left_alone(run: Run, newer: Path, lines: Path, command: tuple[str, ...]) -> None:
    """Every command says which schema was found and to upgrade the program; nothing is written."""
    assert lines.exists()
    before = newer.read_bytes()
    done = run(*command)
    assert done.code == 2
    assert done.err == (
        f"earwitness: database data/earwitness.db has schema 9999, newer than {HEAD} of this program: "
        "upgrade earwitness\n"
    )
    assert newer.read_bytes() == before


@pytest.fixture
def locked(run: Run, home: Path) -> Iterator[None]:
    """A database that another process is writing."""
    run("migrate")
    other = sqlite3.connect(home / "data" / "earwitness.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.close()


def test_a_locked_database_is_said_after_some_patience(run: Run, locked: None, lines: Path) -> None:
    """The import waits five seconds, says what to do, and may be made again."""
    done = run("import", str(lines))
    assert done.code == 2
    assert done.err == (
        "earwitness: database data/earwitness.db is locked by another process: stop it, or try again\n"
    )


def test_a_file_that_is_no_database_is_said(run: Run, home: Path) -> None:
    """Something else under the database's name is not overwritten."""
    (home / "data").mkdir()
    other = home / "data" / "earwitness.db"
    other.write_bytes(b"something else, long enough to be looked at as a database header" * 100)
    done = run("migrate")
    assert done.code == 2
    assert done.err == (
        "earwitness: database data/earwitness.db is damaged or no database of ours: restore a backup\n"
    )
    assert other.read_bytes().startswith(b"something else")
