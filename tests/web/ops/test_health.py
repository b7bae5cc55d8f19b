"""Health: alive means that the process answers, ready that it can read, store, start slots and send."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from starlette.testclient import TestClient

from monitor.core.alerting.notice import Notice, NoticeKind
from monitor.store.database.engine import Database, open_database
from monitor.store.heartbeats import beat
from monitor.store.incidents.notices import add_notices, settle_notice
from monitor.web.frame.display_settings import Liveness
from tests.support.filled_database import NOW, SETTINGS, Dial, app_over


def test_alive_names_the_version(client: TestClient) -> None:
    """Nothing else is asked for it."""
    assert client.get("/healthz").json() == {"status": "alive", "version": "0.1.0"}


def test_ready_when_all_is_well(sqlite_database: Database) -> None:
    """Each part says so by itself, and the database is named without credentials."""
    answer = lively(sqlite_database).get("/readyz")
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
    Path(path).unlink()
    Path(path).mkdir()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"]["ok"] is False


def lively(database: Database, dial: Dial | None = None) -> TestClient:
    """A client over a database in which a service has just given a sign of life."""
    with database.write() as tx:
        beat(tx, NOW, timedelta(0), location=SETTINGS.location)
    return TestClient(app_over(database, dial), base_url="http://localhost")


def not_well(client: TestClient) -> set[str]:
    """The parts that say that they are not; 503 exactly where there are some."""
    answer = client.get("/readyz")
    found = {name for name, check in answer.json()["checks"].items() if not check["ok"]}
    assert (answer.status_code == 503) == bool(found)
    return found


def test_a_service_that_stores_nothing_is_not_ready(database: Database) -> None:
    """By its own word at once, and by the last sign of life that was really written after a while."""
    dial = Dial()
    client = lively(database, dial)
    assert not_well(client) == set()
    dial.more = Liveness(running=True, last_cycle=NOW, unstored="the disk is full")
    assert not_well(client) == {"storing"}
    assert client.get("/readyz").json()["checks"]["storing"]["reason"] == "the disk is full"
    dial.more = Liveness(running=True, last_cycle=NOW)
    dial.now = NOW + timedelta(minutes=10)
    assert not_well(client) == {"storing"}


def test_a_service_that_starts_no_slot_is_not_ready(sqlite_database: Database) -> None:
    """Counted from its start while none came due, from the newest one afterwards."""
    dial = Dial()
    client = lively(sqlite_database, dial)
    for since, slot, bad in (
        (timedelta(0), None, set()),
        (timedelta(days=1), None, {"slots"}),
        (timedelta(days=1), timedelta(0), set()),
        (timedelta(days=1), timedelta(hours=1), {"slots"}),
    ):
        last = None if slot is None else NOW - slot
        dial.more = Liveness(running=True, last_cycle=NOW, since=NOW - since, last_slot=last)
        assert not_well(client) == bad


def test_a_notice_that_nobody_sends_is_not_well(database: Database) -> None:
    """One that is due since long; one that is tried again later is fine."""
    client = lively(database)
    notice = Notice(
        id="msg_1",
        channel="oncall",
        incident_id=None,
        kind=NoticeKind.TEST,
        sequence=1,
        created_at=NOW - timedelta(hours=1),
        due_at=NOW - timedelta(minutes=10),
    )
    with database.write() as tx:
        add_notices(tx, [notice])
    assert not_well(client) == {"notices"}
    with database.write() as tx:
        settle_notice(tx, "msg_1", now=NOW, retry_at=NOW + timedelta(hours=1))
    assert not_well(client) == set()


def test_a_damaged_file_is_not_ready(filled_path: Path, tmp_path: Path) -> None:
    """It opens as ever; a page of data shows it."""
    path = tmp_path / "damaged.db"
    shutil.copy(filled_path, path)
    with closing(sqlite3.connect(path)) as asked:
        ((size,),) = asked.execute("PRAGMA page_size")
        ((page,),) = asked.execute("SELECT rootpage FROM sqlite_master WHERE name = 'outcomes'")
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    database = open_database(f"sqlite:///{path}", create=False)
    client = TestClient(app_over(database), base_url="http://localhost")
    assert "database" in not_well(client)
    database.dispose()
