"""Which schema a database has, and bringing it to ours.

An empty database is made from the models; alembic is imported only where rows may have to be carried over.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text
from sqlalchemy.schema import CreateIndex, CreateTable

from monitor.core.errors import SchemaMismatch
from monitor.resources import data_folder
from monitor.store.database.engine import Database, migrating
from monitor.store.database.tables import metadata

REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0007",
    "0008",
    "0009",
)  # every revision that this program knows, oldest first
HEAD = REVISIONS[-1]


def migrate(database: Database, revision: str = HEAD) -> None:
    """Bring the database to *revision*, ours by default; nothing is changed where it is there already.

    All steps are one transaction. Raises SchemaMismatch where the database is newer than this program.
    """
    with migrating(database) as connection:
        current = _revision(connection)
        _refuse_newer(database, current)
        if current == revision:
            return
        if revision == HEAD and not inspect(connection).get_table_names():
            _create(connection)
        else:
            _run_revisions(connection, current, revision)


def _create(connection: Connection) -> None:
    """Make what all revisions together make, and note the last of them as alembic does."""
    for table in metadata.sorted_tables:
        connection.execute(CreateTable(table))
        # Of two indexes that serve alike SQLite takes the one made last: the order is that of the revisions.
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            connection.execute(CreateIndex(index))
    connection.execute(
        text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
            " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": HEAD})


def _run_revisions(connection: Connection, current: str | None, revision: str) -> None:
    from alembic import command  # noqa: PLC0415 - costs start-up time in every other command
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(data_folder("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    forward = current is None or (revision in REVISIONS and revision > current)
    (command.upgrade if forward else command.downgrade)(config, revision)


def check_schema(database: Database) -> None:
    """Raise SchemaMismatch, with the remedy, unless the schema is exactly ours."""
    with database.read() as tx:
        current = _revision(tx)
    _refuse_newer(database, current)
    if current is None:
        raise SchemaMismatch(f"{database.place} is empty: run `earwitness migrate`")
    if current != HEAD:
        raise SchemaMismatch(
            f"{database.place} has schema {current}, and this program needs {HEAD}: run `earwitness migrate`"
        )


def is_empty(database: Database) -> bool:
    """Whether the database has no schema of ours yet."""
    with database.read() as tx:
        return _revision(tx) is None


def _refuse_newer(database: Database, current: str | None) -> None:
    if current is not None and current not in REVISIONS:
        raise SchemaMismatch(
            f"{database.place} has schema {current}, newer than {HEAD} of this program: upgrade earwitness"
        )


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
