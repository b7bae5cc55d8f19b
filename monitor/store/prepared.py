"""Statements for the hot paths: their text is made once per kind of database, and they take plain tuples.

What `Connection.execute` does for each row (types, names, caches) costs more than storing the row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, CursorResult
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

Insert = postgresql.Insert | sqlite.Insert
Build = Callable[[str], ClauseElement]

_STYLES = {"sqlite": ("qmark", sqlite.dialect), "postgresql": ("format", postgresql.dialect)}


class _Compiled(NamedTuple):
    statement: str
    names: tuple[str, ...]  # of the parameters, in their order
    constants: Mapping[str, Any]


@lru_cache(maxsize=128)
def _compiled(build: Build, dialect: str) -> _Compiled:
    style, make = _STYLES[dialect]
    compiled = build(dialect).compile(dialect=make(paramstyle=style))
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - the only kind that these dialects have
    return _Compiled(str(compiled), tuple(compiled.positiontup or ()), compiled.params)


def insert_into(dialect: str) -> Callable[..., Insert]:
    """The `insert` construct of that database, which knows ON CONFLICT."""
    return sqlite.insert if dialect == "sqlite" else postgresql.insert


def run(tx: Connection, build: Build, rows: Sequence[tuple[Any, ...]], order: Sequence[str]) -> None:
    """Execute the statement of *build* once per row; *order* names the values of a row.

    *build* is a module-level function from the database's name to a statement with bound parameters of
    these names.
    """
    statement, names, _ = _compiled(build, tx.dialect.name)
    if tuple(order) != names:
        raise ValueError(f"the statement takes {names}, not {tuple(order)}")
    if rows:
        tx.exec_driver_sql(statement, list(rows))


def fetch(tx: Connection, build: Build, **values: Any) -> CursorResult[Any]:
    """The rows that the statement of *build* gives for these values of its parameters."""
    statement, names, constants = _compiled(build, tx.dialect.name)
    return tx.exec_driver_sql(
        statement, tuple(values[name] if name in values else constants[name] for name in names)
    )
