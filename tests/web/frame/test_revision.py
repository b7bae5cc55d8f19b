"""What time alone changes is told like what is stored: a page left open never keeps news that is too old."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from monitor.core.outages.self_observations import SelfObservation, SelfObservationKind
from monitor.store.database.engine import Database
from monitor.store.derivation.self_observations import add_self_observations
from monitor.web.frame.read_cells import read_states
from monitor.web.frame.revision import Revision
from tests.support.filled_database import DAY, MINUTE, NOW, SETTINGS, TARGETS, Dial, app_over, fill, run_of

MILLISECOND = timedelta(milliseconds=1)
HTML = {"accept": "text/html"}


def revision(database: Database, now: datetime, build: str = "1") -> str:
    with database.read() as tx:
        return Revision(build).read(tx, SETTINGS, now)


def told(database: Database, now: datetime) -> tuple[object, ...]:
    """Everything on a page that may turn without anything being stored, but for what counts seconds."""
    with database.read() as tx:
        cells = read_states(tx, SETTINGS, now)
    newest = max(cell.last.started_at for cell in cells if cell.last)
    return (now - newest > SETTINGS.patience, *((cell.cell, cell.state, cell.since) for cell in cells))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.integers(0, 400), st.integers(0, 20_000))
def test_the_same_revision_tells_the_same(filled_database: Database, seconds: int, later: int) -> None:
    """However time goes on after the last run: where a state turns, so does the revision."""
    now = NOW + timedelta(seconds=seconds)
    then = now + timedelta(milliseconds=later)
    if told(filled_database, now) != told(filled_database, then):
        assert revision(filled_database, now) != revision(filled_database, then)


def test_silence_turns_page_and_tag_within_the_minute(sqlite_database: Database) -> None:
    """Three intervals after the last run, and not only with the next minute, the page says unknown."""
    runs = [run_of(TARGETS[0], minute, 0) for minute in range(10)]
    last = runs[-1].started_at
    fill(sqlite_database, [(run, None) for run in runs], last)
    dial = Dial(now=last + 3 * MINUTE)
    client = TestClient(app_over(sqlite_database, dial), base_url="http://localhost", headers=HTML)
    before = client.get("/")
    assert client.get("/", headers={"if-none-match": before.headers["etag"]}).status_code == 304
    dial.now += MILLISECOND
    after = client.get("/", headers={"if-none-match": before.headers["etag"]})
    assert ("1 of 5 up" in before.text, after.status_code, "1 of 5 up" in after.text) == (True, 200, False)
    assert 'class="fresh stale"' in after.text


def test_maintenance_turns_with_the_clock(sqlite_database: Database) -> None:
    """It begins and ends at its instants; nothing is stored then."""
    runs = [run_of(TARGETS[0], minute, 0) for minute in range(10)]
    now = DAY + 10 * MINUTE
    fill(sqlite_database, [(run, None) for run in runs], now)
    client = TestClient(app_over(sqlite_database, Dial(now=now)), base_url="http://localhost")
    plan = {
        "name": "move", "author": "ann",
        "from": "2025-11-17T00:10:20Z", "until": "2025-11-17T00:10:40Z",
    }  # fmt: skip
    assert client.post("/api/v1/maintenance", json=plan).status_code == 201
    instants = [now + timedelta(seconds=seconds) for seconds in (0, 19, 20, 39, 40, 50)]
    one = Revision("1")
    with sqlite_database.read() as tx:
        found = [one.read(tx, SETTINGS, instant) for instant in instants]
    assert found[0] == found[1] != found[2] == found[3] != found[4] == found[5]


def test_a_restart_and_what_was_seen_of_ourselves_change_it(sqlite_database: Database) -> None:
    """A new program may word the same facts anew; a stretch in which we were unfit hatches the lanes."""
    fill(sqlite_database, [(run_of(TARGETS[0], 0, 0), None)], DAY)
    before = revision(sqlite_database, DAY)
    assert revision(sqlite_database, DAY, build="2") != before
    with sqlite_database.write() as tx:
        add_self_observations(
            tx,
            [SelfObservation("berlin", SelfObservationKind.OWN, "clock", False, DAY, DAY + MINUTE, "asleep")],
        )
    assert revision(sqlite_database, DAY) != before


def test_page_and_stream_name_the_same_revision(sqlite_database: Database) -> None:
    """So a page that missed a change knows it by the first word that it hears."""
    fill(sqlite_database, [(run_of(TARGETS[0], 0, 0), None)], DAY)
    dial = Dial(now=DAY + MINUTE)
    dial.running = False  # the stream ends after its first word
    client = TestClient(app_over(sqlite_database, dial), base_url="http://localhost")
    for path in ("/", "/incidents", f"/targets/{TARGETS[0].key}"):
        first = client.get("/events").text.split("data: ")[1].strip()
        assert f'data-revision="{first}"' in client.get(path, headers=HTML).text
    fill(sqlite_database, [(run_of(TARGETS[0], 1, 0), None)], DAY)
    assert client.get("/events").text.split("data: ")[1].strip() != first
