"""Health: alive means that the process answers, ready that database, scheduler and last cycle are well."""

from __future__ import annotations

from datetime import timedelta

from starlette.testclient import TestClient

from monitor.store.engine import Database
from tests.web.filled import NOW, Dial, app_over


def test_alive_names_the_version(client: TestClient) -> None:
    """Nothing else is asked for it."""
    assert client.get("/healthz").json() == {"status": "alive", "version": "0.1.0"}


def test_ready_when_all_is_well(client: TestClient) -> None:
    """Each part says so by itself, and the database is named without credentials."""
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert all(check["ok"] for check in answer.json()["checks"].values())
    assert answer.headers["cache-control"] == "no-store"


def test_a_stopped_scheduler_is_not_ready(client: TestClient, dial: Dial) -> None:
    """503, and the part that is not well."""
    dial.running = False
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["scheduler"] == {"ok": False}


def test_a_cycle_long_ago_is_not_ready(client: TestClient, dial: Dial) -> None:
    """A scheduler that says it runs and does nothing is found out."""
    dial.last_cycle = NOW - timedelta(minutes=10)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["last_cycle"] == {"ok": False, "at": "2025-11-17T16:10:30Z"}


def test_a_database_that_is_gone_is_not_ready(sqlite_database: Database) -> None:
    """The reason is one sentence."""
    client = TestClient(app_over(sqlite_database), base_url="http://localhost")
    path = sqlite_database.url.database
    assert path
    sqlite_database.dispose()
    from pathlib import Path  # noqa: PLC0415

    Path(path).unlink()
    Path(path).mkdir()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"]["ok"] is False
