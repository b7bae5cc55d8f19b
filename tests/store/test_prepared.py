"""Prepared statements: the same snapshot and the same errors as any other question."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Select, column, select, table

from monitor.core.errors import DatabaseError
from monitor.core.marks import Mark
from monitor.store import prepared
from monitor.store.engine import Database
from monitor.store.marks import add_mark, stored_marks
from monitor.store.tables import marks
from tests.store.samples import DAY


def _all_marks(_dialect: str) -> Select[Any]:
    return select(marks.c.text).order_by(marks.c.id)


def _of_a_table_that_is_missing(_dialect: str) -> Select[Any]:
    return select(column("id")).select_from(table("no_such_table"))


def test_plain_rows_are_read_in_the_transaction_of_everything_else(database: Database) -> None:
    """What another commits after the first question is not seen by later ones, asked either way."""
    with database.write() as tx:
        add_mark(tx, Mark(DAY, "before", "ann"))
    with database.read() as reading:
        assert prepared.rows(reading, _all_marks) == [("before",)]
        with database.write() as tx:
            add_mark(tx, Mark(DAY, "after", "ann"))
        assert prepared.row(reading, _all_marks) == ("before",)
        assert [row.text for row in prepared.fetch(reading, _all_marks)] == ["before"]
        assert [mark.text for mark in stored_marks(reading, DAY, DAY)] == ["before"]
    with database.read() as reading:
        assert prepared.rows(reading, _all_marks) == [("before",), ("after",)]


def test_what_the_driver_says_becomes_ours(database: Database) -> None:
    """A database without the schema is named with its remedy, however it is asked."""
    with pytest.raises(DatabaseError, match="earwitness migrate"), database.read() as tx:
        prepared.rows(tx, _of_a_table_that_is_missing)
