"""Statements that go past `Connection.execute`: the transaction and the exceptions stay the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Insert, Select, Text, bindparam, exc, func, insert, literal_column, select, table

from monitor.core.errors import DatabaseError
from monitor.core.outages.marks import Mark
from monitor.store.database import fast_statements
from monitor.store.database.engine import Database, open_database
from monitor.store.database.tables import marks
from monitor.store.derivation.marks import add_mark, read_marks
from tests.support.stored_outcomes import DAY


def _select_nowhere(_dialect: str) -> Select[tuple[int]]:
    return select(literal_column("1")).select_from(table("nowhere"))


def _select_marks(_dialect: str) -> Select[tuple[int]]:
    return select(marks.c.id)


def _insert_mark(_dialect: str) -> Insert:
    return insert(marks).values({"author": bindparam("author", type_=Text)})


def test_a_drivers_exception_becomes_ours(database: Database) -> None:
    """What the driver raises is told by the database's name and with its remedy, as anywhere else."""
    with pytest.raises(DatabaseError, match="run `earwitness migrate`"), database.read() as tx:
        fast_statements.rows(tx, _select_nowhere)
    with pytest.raises(exc.IntegrityError), database.write() as tx:
        fast_statements.run(tx, _insert_mark, [("somebody",)], ["author"])


def test_reading_begins_the_transaction(database: Database) -> None:
    """What is read first is of the same moment as what is read after it."""
    with database.read() as tx:
        assert not tx.in_transaction()
        fast_statements.rows(tx, _select_marks)
        assert tx.in_transaction()


def _all_marks(_dialect: str) -> Select[tuple[str]]:
    return select(marks.c.text).order_by(marks.c.id)


def test_plain_rows_are_read_in_the_transaction_of_everything_else(database: Database) -> None:
    """What another commits after the first question is not seen by later ones, asked either way."""
    with database.write() as tx:
        add_mark(tx, Mark(DAY, "before", "ann"))
    with database.read() as reading:
        assert fast_statements.rows(reading, _all_marks) == [("before",)]
        with database.write() as tx:
            add_mark(tx, Mark(DAY, "after", "ann"))
        assert fast_statements.row(reading, _all_marks) == ("before",)
        assert [mark.text for mark in read_marks(reading, DAY, DAY)] == ["before"]
    with database.read() as reading:
        assert fast_statements.rows(reading, _all_marks) == [("before",), ("after",)]


@pytest.mark.postgres
def test_a_connection_that_the_server_ended_is_not_used_again(new_url: Callable[..., str]) -> None:
    """The reader is told that the database cannot be reached, and the next one reads."""
    database = open_database(new_url("postgres"))
    with pytest.raises(DatabaseError, match="cannot be reached"):
        _read_by_an_ended_connection(database)
    with database.read() as tx:
        assert fast_statements.rows(tx, _select_marks) == []
    database.dispose()


def _read_by_an_ended_connection(database: Database) -> None:
    with database.read() as tx:
        (pid,) = fast_statements.rows(tx, _select_own_process)[0]
        with database.write() as other:
            other.execute(select(func.pg_terminate_backend(pid)))
        fast_statements.rows(tx, _select_marks)


def _select_own_process(_dialect: str) -> Select[tuple[int]]:
    return select(func.pg_backend_pid())
