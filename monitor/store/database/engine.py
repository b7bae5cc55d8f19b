"""Opening a database and its transactions; a driver's exceptions become ours here and nowhere else.

One transaction writes at a time, on SQLite by `BEGIN IMMEDIATE`, on Postgres by an advisory lock: what a
writer reads cannot change before it commits. Readers never wait.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool

from monitor.core.errors import DatabaseError, DatabaseMissing
from monitor.store.database.errors import place_of, translate
from monitor.store.database.files import make_file, make_folder
from monitor.store.database.id_cache import IdCache

Transaction = Connection  # what `write` and `read` give; a name for those who may not know SQLAlchemy

BUSY_TIMEOUT_S = 5
STATEMENT_S = 15.0  # of the service; commands that read or rebuild everything have no limit
_LOCK = 0x6561727769746E73  # "earwitns": any number that nobody else on the server uses


class DatabaseFile:
    """Which file a SQLite database was opened from: what is written to one that is gone nobody ever sees."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: tuple[int, int] | None = None

    def is_in_place(self) -> bool:
        """Whether the same file lies there as the first time."""
        try:
            found = os.stat(self._path)  # noqa: PTH116 - asked before every transaction
        except OSError:
            return False
        now = found.st_dev, found.st_ino
        if self._opened is None:
            self._opened = now
        return self._opened == now


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """An open database; `place` names it without credentials. Threads may share it, processes may not."""

    url: URL
    place: str
    writer: Engine
    reader: Engine
    file: DatabaseFile | None = None

    @property
    def folder(self) -> Path | None:
        """Where the file of a SQLite database lies; None for a server's."""
        return Path(str(self.url.database)).parent if _is_sqlite(self.url) else None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One writing transaction: all of it is stored, or none of it.

        Raises DatabaseBusy where another process holds the lock for too long, else DatabaseError.
        """
        self._find_file()
        known = known_of(self.writer)
        with translate(self.place), _forgetting(known), self.writer.begin() as tx, _forgetting(known):
            if tx.dialect.name == "postgresql":
                tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            yield tx

    @contextmanager
    def part_of(self, tx: Connection) -> Iterator[None]:
        """A part of a writing transaction: where it raises, it alone is undone."""
        with translate(self.place), tx.begin_nested():
            yield

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One reading transaction; everything read in it is of the same moment."""
        self._find_file()
        with translate(self.place), self.reader.connect() as tx:
            yield tx

    def _find_file(self) -> None:
        if self.file is not None and not self.file.is_in_place():
            raise DatabaseError(
                f"{self.place} was moved, deleted or replaced while in use: put it back, or start again"
            )

    def dispose(self) -> None:
        """Close every connection."""
        self.writer.dispose()
        self.reader.dispose()


@contextmanager
def _forgetting(known: IdCache) -> Iterator[None]:
    """Empty *known* when the block fails: it may name rows that are rolled back."""
    try:
        yield
    except BaseException:
        known.clear()
        raise


def known_of(source: Engine | Connection) -> IdCache:
    """What is known of this database; a fresh, empty one for a connection that was opened elsewhere."""
    known = source.get_execution_options().get("known")
    return known if isinstance(known, IdCache) else IdCache()


def open_database(
    url: str,
    *,
    create: bool = True,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
    statement_s: float | None = None,
) -> Database:
    """The database at *url*, connected to once; the folder of a SQLite file is made where it is missing.

    With *create* false a SQLite file that does not exist is an error, and nothing is made. A writer waits
    *busy_timeout_s* for others, and nobody longer than *statement_s* for an answer of a server. Raises
    DatabaseError with the place and the remedy.
    """
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        raise DatabaseError(
            "database.url: is no database address: sqlite:///data/earwitness.db or "
            "postgresql+psycopg://user@host/name is expected"
        ) from None
    place = place_of(parsed)
    if _is_sqlite(parsed):
        database = _open_sqlite(parsed, place, busy_timeout_s, create=create)
    else:
        database = _open_postgres(parsed, place, busy_timeout_s, statement_s)
    try:
        with translate(place), database.reader.connect() as tx:
            tx.execute(text("SELECT count(*) FROM sqlite_master" if _is_sqlite(parsed) else "SELECT 1"))
    except DatabaseError:
        database.dispose()
        raise
    return database


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _open_sqlite(url: URL, place: str, busy_timeout_s: float, *, create: bool) -> Database:
    if url.database in {None, "", ":memory:"}:
        raise DatabaseError("database.url: SQLite needs a file: sqlite:///data/earwitness.db")
    path = Path(str(url.database))
    if not create and not path.exists():
        raise DatabaseMissing(f"{place} does not exist: run `earwitness migrate`, or correct database.url")
    try:
        make_folder(path.parent)
    except OSError as error:
        raise DatabaseError(f"{place}: its folder cannot be made: {error.strerror}") from None
    if create and "uri" not in url.query:
        with contextlib.suppress(OSError):  # which is told better when it is opened
            make_file(path)
    url = url.set(drivername="sqlite+pysqlite")
    # One connection writes, so that the threads of this process queue instead of polling the file's lock.
    writer = create_engine(url, pool_size=1, max_overflow=0, pool_timeout=busy_timeout_s)
    reader = create_engine(url, pool_size=8, max_overflow=8)
    prepare_sqlite(writer, begin="BEGIN IMMEDIATE", busy_timeout_s=busy_timeout_s)
    prepare_sqlite(reader, begin="BEGIN", busy_timeout_s=busy_timeout_s)
    return Database(
        url=url, place=place, writer=_with_known(writer), reader=_with_known(reader), file=DatabaseFile(path)
    )


def prepare_sqlite(engine: Engine, *, begin: str, busy_timeout_s: float, foreign_keys: bool = True) -> None:
    """Give every connection the pragmas, and transactions that this program begins itself.

    The driver's own transactions begin too late: two that read before they write would lose updates.
    """
    switch = "on" if foreign_keys else "off"

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={round(busy_timeout_s * 1000)}",
            "journal_mode=wal",
            "synchronous=normal",
            f"foreign_keys={switch}",
            "wal_autocheckpoint=4000",  # pages: many commits share the cost of writing them back
            "cache_size=-32000",  # KiB
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _open_postgres(url: URL, place: str, busy_timeout_s: float, statement_s: float | None) -> Database:
    if url.get_backend_name() != "postgresql":
        raise DatabaseError(
            f"database.url: '{url.drivername}' is not supported: use sqlite or postgresql+psycopg"
        )
    url = url.set(drivername="postgresql+psycopg")
    try:
        writer, reader = (_postgres_engine(url, busy_timeout_s, statement_s) for _ in range(2))
    except ImportError:
        raise DatabaseError(
            f"{place} needs the Postgres driver: install earwitness with its extra, earwitness[postgres]"
        ) from None
    # What is read in one transaction is of one moment, as on SQLite.
    reader = reader.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Database(url=url, place=place, writer=_with_known(writer), reader=_with_known(reader))


def _postgres_engine(url: URL, busy_timeout_s: float, statement_s: float | None) -> Engine:
    from monitor.store.database import postgres  # noqa: PLC0415 - its driver is an extra

    limits = {"connect_timeout": postgres.CONNECT_S, **postgres.KEEPALIVE}
    engine = create_engine(url, pool_pre_ping=True, connect_args=limits)
    connections = postgres.bounded(statement_s)

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, arguments: Any, named: Any) -> Any:
        return connections.connect(*arguments, **named)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.execute(f"SET lock_timeout = {round(busy_timeout_s * 1000)}")
        if statement_s is not None:  # the server's too, so that nothing goes on there that nobody waits for
            connection.execute(f"SET statement_timeout = {round(statement_s * 1000)}")
        connection.commit()

    return engine


def _with_known(engine: Engine) -> Engine:
    return engine.execution_options(known=IdCache())


@contextmanager
def migrating(database: Database) -> Iterator[Connection]:
    """A transaction for changes of the schema; two processes that start at once take turns.

    Foreign keys of SQLite rest meanwhile, for a table is rebuilt by dropping it (SQLite, "ALTER TABLE", 7);
    they are checked before the commit.
    """
    if not _is_sqlite(database.url):
        with database.write() as tx:
            yield tx
        return
    engine = create_engine(database.url, poolclass=NullPool)
    prepare_sqlite(engine, begin="BEGIN IMMEDIATE", busy_timeout_s=BUSY_TIMEOUT_S, foreign_keys=False)
    with translate(database.place), engine.begin() as tx:
        yield tx
        broken = tx.exec_driver_sql("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            raise DatabaseError(
                f"{database.place}: a row of '{broken[0]}' refers to nothing: restore a backup"
            )
