from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from monitor.core.errors import DatabaseBusy, DatabaseError
from monitor.store.database.engine import Database, known_of, open_database
from monitor.store.database.tables import outcomes, targets
from monitor.store.outcomes.add import add_outcomes
from tests.support.stored_outcomes import make, rolled_back


def count(database: Database) -> int:
    """How many outcomes are stored."""
    with database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(outcomes)).scalar_one())


def test_the_folder_of_a_new_file_is_made(tmp_path: Path) -> None:
    """Opening a SQLite database in a folder that does not exist makes the folder and the file."""
    path = tmp_path / "data" / "deep" / "earwitness.db"
    open_database(f"sqlite:///{path}").dispose()
    assert path.exists()


def test_nothing_is_made_where_nothing_is_wanted(tmp_path: Path) -> None:
    """With `create` false a missing file is an error with its remedy, and stays missing."""
    path = tmp_path / "data" / "earwitness.db"
    with pytest.raises(DatabaseError, match=r"earwitness.db does not exist: run `earwitness migrate`"):
        open_database(f"sqlite:///{path}", create=False)
    assert not path.parent.exists()


def test_files_that_are_no_database_are_named(tmp_path: Path) -> None:
    """A file of another kind is refused in one sentence with its path, and left as it was."""
    path = tmp_path / "notes.db"
    path.write_text("not a database, but long enough to be taken for one" * 40)
    with pytest.raises(DatabaseError, match=r"notes.db is damaged or no database of ours: restore a backup$"):
        open_database(f"sqlite:///{path}")
    assert path.read_text().startswith("not a database")


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    """A path that cannot be opened is told with what to check."""
    with pytest.raises(DatabaseError, match="cannot be opened: check that the path exists"):
        open_database(f"sqlite:///{tmp_path}")


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    """A folder that cannot be made is told with the system's reason."""
    (tmp_path / "data").write_text("")
    with pytest.raises(DatabaseError, match="its folder cannot be made"):
        open_database(f"sqlite:///{tmp_path / 'data' / 'deep' / 'earwitness.db'}")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("earwitness.db", "is no database address: sqlite:///data/earwitness.db or"),
        ("", "is no database address"),
        ("sqlite://", "SQLite needs a file"),
        ("sqlite:///:memory:", "SQLite needs a file"),
        ("mysql://root@localhost/x", "'mysql' is not supported: use sqlite or postgresql"),
    ],
)
def test_addresses_of_no_use_are_refused(url: str, sentence: str) -> None:
    """What is no address, or of another database, is refused with what is expected."""
    with pytest.raises(DatabaseError, match=sentence):
        open_database(url)


def test_an_unreachable_server_is_named_without_credentials() -> None:
    """Host, port and name are told, the user and the password are not."""
    with pytest.raises(DatabaseError) as caught:
        open_database("postgresql://canaryuser:canarykey@127.0.0.1:9/monitor")
    assert str(caught.value) == (
        "database postgresql://127.0.0.1:9/monitor cannot be reached: "
        "check the host, the port and that the server runs"
    )


@pytest.mark.postgres
def test_a_missing_database_is_named(new_url: Callable[..., str]) -> None:
    """A server without that database says so, with the remedy."""
    missing = new_url("postgres").replace("test_", "gone_")
    with pytest.raises(DatabaseError, match="does not exist: create it on the server"):
        open_database(missing)


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    """All of a transaction is stored or none, and the next one starts from what is really there."""
    with rolled_back(database) as tx:
        add_outcomes(tx, [(make(1), None)])
    assert count(database) == 0
    with database.write() as tx:
        assert not known_of(tx).cells
        add_outcomes(tx, [(make(1), None)])
    assert count(database) == 1


def test_writers_take_turns(database: Database) -> None:
    """Reading and writing back from many threads at once loses no change."""
    with database.write() as tx:
        add_outcomes(tx, [(make(1), None)])

    def add_one() -> None:
        for _ in range(10):
            with database.write() as tx:
                every = tx.execute(select(targets.c.every_us)).scalar_one()
                tx.execute(update(targets).values(every_us=every + 1))

    threads = [threading.Thread(target=add_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as tx:
        assert tx.execute(select(targets.c.every_us)).scalar_one() == 60_000_040


def test_a_reader_sees_one_moment(database: Database) -> None:
    """What is committed while a reading transaction runs appears in the next one, not in this."""
    with database.read() as reading:
        before = reading.execute(select(func.count()).select_from(outcomes)).scalar_one()
        with database.write() as tx:
            add_outcomes(tx, [(make(1), None)])
        assert reading.execute(select(func.count()).select_from(outcomes)).scalar_one() == before
    assert count(database) == before + 1


def test_connections_keep_our_settings(database: Database) -> None:
    """SQLite writes ahead and checks its keys; on Postgres a reader may only read."""
    with database.read() as tx:
        if tx.dialect.name == "sqlite":
            pragmas = [
                tx.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "foreign_keys")
            ]
            assert pragmas == ["wal", 1]
        else:
            assert tx.execute(text("SHOW transaction_read_only")).scalar() == "on"


def test_a_locked_file_is_told_as_busy(sqlite_database: Database) -> None:
    """While another process writes for longer than we wait, the sentence says who is in the way."""
    hasty = open_database(f"{sqlite_database.url}", busy_timeout_s=0.01)
    other = sqlite3.connect(str(sqlite_database.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with (
        pytest.raises(DatabaseBusy, match="is locked by another process: stop it, or try again"),
        hasty.write(),
    ):
        pass
    other.close()
    hasty.dispose()
    with sqlite_database.write() as tx:
        add_outcomes(tx, [(make(1), None)])
    assert count(sqlite_database) == 1


def write_without_room(database: Database) -> None:
    """Store some evidence in a file that may not grow."""
    with database.write() as tx:
        pages = tx.execute(text("PRAGMA page_count")).scalar()
        tx.execute(text(f"PRAGMA max_page_count={pages}"))
        add_outcomes(tx, [(make(number), {"frames": list(range(200_000))}) for number in range(2, 9)])


def test_a_full_disk_loses_nothing_that_was_stored(sqlite_database: Database) -> None:
    """A write that finds no room is refused in one sentence, and what was stored before is still read."""
    with sqlite_database.write() as tx:
        add_outcomes(tx, [(make(1), None)])
    with pytest.raises(DatabaseError, match="cannot grow: the disk is full"):
        write_without_room(sqlite_database)
    assert count(sqlite_database) == 1


def test_a_database_without_tables_names_the_remedy(empty_database: Database) -> None:
    """Writing before the first migration is answered with the command to run."""
    with pytest.raises(DatabaseError, match="run `earwitness migrate`"), empty_database.write() as tx:
        add_outcomes(tx, [(make(1), None)])


def test_nothing_is_written_to_a_file_that_is_gone(sqlite_database: Database) -> None:
    """Moved away or replaced it is missed, by writers and readers, and not made anew; put back it goes on."""
    path = Path(str(sqlite_database.url.database))
    with sqlite_database.write() as tx:
        add_outcomes(tx, [(make(1), None)])
    aside = path.rename(path.with_name("aside.db"))
    refused = "was moved, deleted or replaced while in use: put it back, or start again"
    for replaced in (False, True):
        if replaced:
            path.touch()
        for use in (sqlite_database.write, sqlite_database.read):
            with pytest.raises(DatabaseError, match=refused), use():
                pass
        assert path.exists() is replaced
    aside.replace(path)
    with sqlite_database.write() as tx:
        add_outcomes(tx, [(make(2), None)])
    assert count(sqlite_database) == 2
