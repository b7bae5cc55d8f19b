from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text, types

from monitor.core.errors import DatabaseError, SchemaMismatch
from monitor.resources import data_folder
from monitor.store.database.engine import Database, migrating, open_database
from monitor.store.database.migrate import HEAD, REVISIONS, check_schema, is_empty, migrate
from monitor.store.database.tables import metadata
from monitor.store.outcomes.add import add_outcomes
from monitor.store.outcomes.read import read_outcome
from tests.support.stored_outcomes import make

NOTHING = "base"


def scripts() -> ScriptDirectory:
    """The revisions that lie in the folder."""
    config = Config()
    config.set_main_option("script_location", str(data_folder("migrations")))
    return ScriptDirectory.from_config(config)


def tables(database: Database) -> set[str]:
    """The names of the tables that are there."""
    with database.read() as tx:
        return set(inspect(tx).get_table_names())


def run_every_revision(database: Database) -> None:
    """Bring an empty database to ours revision by revision, as one is that holds rows."""
    migrate(database, REVISIONS[0])
    migrate(database)


def test_the_tables_are_those_of_the_models(empty_database: Database) -> None:
    """The models and the migrated database describe the same tables, columns, keys and indexes."""
    run_every_revision(empty_database)
    with empty_database.read() as tx:
        context = MigrationContext.configure(tx, opts={"target_metadata": metadata, "compare_type": True})
        assert compare_metadata(context, metadata) == []


def told(fact: object) -> object:
    """A fact of the database without the objects that only their text makes equal."""
    if isinstance(fact, dict):
        return {name: told(part) for name, part in fact.items()}
    if isinstance(fact, (list, tuple)):
        return [told(part) for part in fact]
    return repr(fact) if isinstance(fact, types.TypeEngine) else str(fact)


def described(database: Database) -> dict[str, object]:
    """All that the database says of its tables, down to the conditions of indexes; in no order."""
    with database.read() as tx:
        seen = inspect(tx)
        kinds = ("columns", "indexes", "unique_constraints", "check_constraints", "foreign_keys")
        return {
            table: {
                "key": told(seen.get_pk_constraint(table)),
                "options": told(seen.get_table_options(table)),
                **{kind: sorted(map(str, map(told, getattr(seen, f"get_{kind}")(table)))) for kind in kinds},
            }
            for table in seen.get_table_names()
        }


def test_an_empty_database_is_made_as_the_revisions_make_it(empty_database: Database) -> None:
    """What is made at once from the models is in every detail what all revisions make one by one."""
    migrate(empty_database)
    made = described(empty_database)
    migrate(empty_database, NOTHING)
    run_every_revision(empty_database)
    assert made == described(empty_database)


def test_the_program_knows_every_revision() -> None:
    """There is one head, and the revisions in the folder are those that the program names, in their order."""
    assert scripts().get_heads() == [HEAD]
    assert [script.revision for script in scripts().walk_revisions()] == list(reversed(REVISIONS))


def test_every_revision_goes_up_down_and_up(empty_database: Database) -> None:
    """From nothing to each revision, back to nothing, and up again; then nothing of ours was left behind."""
    for revision in REVISIONS:
        migrate(empty_database, revision)
        migrate(empty_database, NOTHING)
        assert tables(empty_database) == {"alembic_version"}
    migrate(empty_database)
    check_schema(empty_database)
    assert tables(empty_database) == set(metadata.tables) | {"alembic_version"}


def test_a_migrated_database_stays_as_it_is(database: Database) -> None:
    """Migrating once more changes nothing, and rows stay where they are."""
    with database.write() as tx:
        add_outcomes(tx, [(make(1), None)])
    migrate(database)
    with database.read() as tx:
        assert read_outcome(tx, "run-000001") == make(1)


def test_an_empty_database_is_known_as_such(empty_database: Database) -> None:
    """A database without a schema is told from one that is wrong, with the command that helps."""
    assert is_empty(empty_database)
    with pytest.raises(SchemaMismatch, match=r"is empty: run `earwitness migrate`$"):
        check_schema(empty_database)
    migrate(empty_database)
    assert not is_empty(empty_database)


def test_a_newer_schema_is_left_alone(database: Database) -> None:
    """A program that is older than the database refuses it, whatever it was asked to do."""
    with database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for attempt in (check_schema, migrate):
        with pytest.raises(
            SchemaMismatch, match=f"has schema 9999, newer than {HEAD} of this program: upgrade"
        ):
            attempt(database)


def test_two_processes_may_migrate_at_once(empty_database: Database, new_url: Callable[..., str]) -> None:
    """Several that start together take turns; each finds the schema right afterwards."""
    url = empty_database.url.render_as_string(hide_password=False)

    def start(_: int) -> None:
        mine = open_database(url)
        migrate(mine)
        check_schema(mine)
        mine.dispose()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(4)))
    assert set(metadata.tables) < tables(empty_database)


def migrate_wrongly(database: Database) -> None:
    """A migration whose second step fails."""
    with migrating(database) as tx:
        tx.execute(text("CREATE TABLE half_done (id INTEGER)"))
        raise SyntaxError


def test_a_migration_that_dies_leaves_nothing(empty_database: Database) -> None:
    """All steps are one transaction: what fails in the middle was never there."""
    with pytest.raises(SyntaxError):
        migrate_wrongly(empty_database)
    assert tables(empty_database) == set()


def test_rows_that_refer_to_nothing_stop_a_migration(sqlite_database: Database) -> None:
    """Foreign keys rest during a migration of SQLite, and are checked before it is committed."""
    with (
        pytest.raises(DatabaseError, match="a row of 'cells' refers to nothing"),
        migrating(sqlite_database) as tx,
    ):
        tx.execute(
            text(
                "INSERT INTO cells (target_id, location, runs, conclusive, unpaced) VALUES (7, 'x', 0, 0, 0)"
            )
        )
