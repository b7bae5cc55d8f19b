"""The reference day in a database, made once, and a client of the pages over it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from monitor.store.database.engine import Database, open_database
from monitor.store.heartbeats import beat
from tests.support.filled_database import NOW, SETTINGS, Dial, app_over, fill, owe_notices, reference_day

HTML = {"accept": "text/html"}


@pytest.fixture(scope="session")
def filled_path(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """A SQLite file that holds the reference day; tests only read it."""
    path = tmp_path_factory.mktemp("filled") / "reference-day.db"
    shutil.copy(sqlite_template, path)
    database = open_database(f"sqlite:///{path}")
    fill(database, list(reference_day()))
    with database.write() as tx:
        owe_notices(tx, "incident-1")
        beat(tx, NOW, timedelta(0), location=SETTINGS.location)
    database.dispose()
    return path


@pytest.fixture
def filled_database(filled_path: Path) -> Iterator[Database]:
    """The reference day, opened for reading."""
    database = open_database(f"sqlite:///{filled_path}", create=False)
    yield database
    database.dispose()


@pytest.fixture
def dial() -> Dial:
    """A clock that stands shortly after the newest run."""
    return Dial()


@pytest.fixture
def client(filled_database: Database, dial: Dial) -> Iterator[TestClient]:
    """A client of the pages over the reference day."""
    with TestClient(app_over(filled_database, dial), base_url="http://127.0.0.1", headers=HTML) as made:
        yield made


@pytest.fixture
def empty_client(sqlite_database: Database, dial: Dial) -> Iterator[TestClient]:
    """A client of the pages over a database without a run."""
    with TestClient(app_over(sqlite_database, dial), base_url="http://127.0.0.1", headers=HTML) as made:
        yield made
