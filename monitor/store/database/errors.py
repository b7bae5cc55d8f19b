"""A driver's exceptions to ours: one sentence with the place and the remedy, never with credentials."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc
from sqlalchemy.engine import URL

from monitor.core.errors import DatabaseBusy, DatabaseError

# What SQLite and Postgres say (sqlite3 result codes; libpq and SQLSTATE class texts), and what we say.
_BUSY = ("database is locked", "database table is locked", "lock timeout", "deadlock detected")
_SAYINGS = (
    (("readonly database", "read-only"), "is read-only: give this user the right to write it and its folder"),
    (("disk is full", "no space left", "could not extend file"), "cannot grow: the disk is full"),
    (("not a database", "malformed", "disk image"), "is damaged or no database of ours: restore a backup"),
    (("unable to open",), "cannot be opened: check that the path exists and this user may read and write it"),
    (("disk i/o error",), "cannot be read or written: the disk reports an error"),
    (
        ("no such table", "no such column", "undefinedtable"),
        "has no or another schema: run `earwitness migrate`",
    ),
    (
        ("password authentication failed", "no password supplied"),
        "refuses the user or the password in database.url",
    ),
    (
        ("too many clients", "too many connections"),
        "has no free connection: raise max_connections, or close some",
    ),
)
# What the database refuses of a row or a statement, and would refuse again: a fault of ours.
_OURS = (exc.IntegrityError, exc.ProgrammingError, exc.DataError)
_SILENT = "does not answer: look at the server and at the network between"
_UNREACHABLE = "cannot be reached: check the host, the port and that the server runs"


def place_of(url: URL) -> str:
    """The database's name for people: a path, or host, port and name; no user, password or options."""
    if url.get_backend_name() == "sqlite":
        return f"database {url.database}"
    port = f":{url.port}" if url.port else ""
    host = url.host or url.query.get("host") or "localhost"
    name = host if isinstance(host, str) else host[0]
    return f"database {url.get_backend_name()}://{name}{port}/{url.database}"


@contextmanager
def translate(place: str) -> Iterator[None]:
    """Let DatabaseBusy or DatabaseError leave the block instead of a driver's exception."""
    try:
        yield
    except exc.TimeoutError:
        raise DatabaseBusy(_busy(place)) from None
    except (exc.OperationalError, exc.DatabaseError, exc.InterfaceError) as error:
        if isinstance(error, _OURS) and not _is_schema(error):
            raise
        raise _translated(place, error) from error


def _is_schema(error: exc.DBAPIError) -> bool:
    return type(error.orig).__name__ in {"UndefinedTable", "UndefinedColumn"}


def _busy(place: str) -> str:
    return f"{place} is locked by another process: stop it, or try again"


def _translated(place: str, error: exc.DBAPIError) -> DatabaseError:
    said = f"{type(error.orig).__name__}: {error.orig}".lower()
    if any(words in said for words in _BUSY):
        return DatabaseBusy(_busy(place))
    for sayings, meaning in _SAYINGS:
        if any(words in said for words in sayings):
            return DatabaseError(f"{place} {meaning}")
    if "no answer within" in said or "statement timeout" in said:
        return DatabaseError(f"{place} {_SILENT}")
    if 'database "' in said and "does not exist" in said:
        return DatabaseError(f"{place} does not exist: create it on the server, or correct database.url")
    if "connection" in said or "server" in said or "resolve host" in said:
        return DatabaseError(f"{place} {_UNREACHABLE}")
    return DatabaseError(f"{place} reports an error: {type(error.orig).__name__}")
