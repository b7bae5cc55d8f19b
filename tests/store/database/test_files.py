"""Files that only their owner reads, whatever the umask; what is there already keeps its rights."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.store.database.engine import open_database
from monitor.store.database.files import make_folder, open_new
from monitor.store.database.migrate import migrate


@pytest.fixture(autouse=True)
def open_to_all() -> Iterator[None]:
    """A umask that forbids nobody anything."""
    before = os.umask(0)
    yield
    os.umask(before)


def rights(path: Path) -> str:
    """The rights as people write them."""
    return oct(path.stat().st_mode & 0o777)


def test_a_database_is_for_its_owner_only(tmp_path: Path) -> None:
    """The file, its log beside it, and every folder that was made for it."""
    path = tmp_path / "deep" / "data" / "earwitness.db"
    database = open_database(f"sqlite:///{path}")
    migrate(database)
    assert {rights(one) for one in path.parent.iterdir()} == {"0o600"}
    assert {rights(path.parent), rights(path.parent.parent)} == {"0o700"}
    database.dispose()


def test_what_is_there_keeps_its_rights(tmp_path: Path) -> None:
    """A group that was let in stays in."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o750)
    path = folder / "earwitness.db"
    path.touch(mode=0o640)
    open_database(f"sqlite:///{path}").dispose()
    make_folder(folder)
    open_new(path).close()
    assert (rights(folder), rights(path)) == ("0o750", "0o640")


def test_a_report_is_for_its_owner_only(tmp_path: Path) -> None:
    """And replaces what stood there."""
    path = tmp_path / "bundle.zip"
    for text in (b"longer", b"short"):
        with open_new(path) as file:
            file.write(text)
    assert (rights(path), path.read_bytes()) == ("0o600", b"short")
