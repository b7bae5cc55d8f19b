"""Pauses by people: entered, listed, withdrawn; what runs inside them count for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from monitor.core.outages.maintenance import Maintenance
from monitor.store.database.engine import Database
from monitor.store.derivation.maintenance import read_maintenance, sync_maintenance
from tests.support.filled_database import DAY, MINUTE, TARGETS, Dial, app_over, fill, run_of

NOW = DAY + 90 * MINUTE
PAUSE = {"name": "moving", "targets": ["azure-sweden/*"], "until": "2025-11-17T03:00:00Z", "author": "ann"}


@pytest.fixture
def dial() -> Dial:
    """The clock of the pages."""
    return Dial(now=NOW)


@pytest.fixture
def house(sqlite_database: Database, dial: Dial) -> Iterator[TestClient]:
    """The pages over an hour and a half in which one target was down."""
    runs = [run_of(TARGETS[1], minute, 1, failed=40 <= minute < 60) for minute in range(90)]
    runs += [run_of(TARGETS[0], minute, 0) for minute in range(90)]
    fill(sqlite_database, [(run, None) for run in runs], NOW)
    with TestClient(app_over(sqlite_database, dial), base_url="http://127.0.0.1") as client:
        yield client


def test_a_pause_is_on_record_and_is_the_state_of_its_targets(house: TestClient, dial: Dial) -> None:
    """From now on, with its author; the incident before it is not touched."""
    before = house.get("/api/v1/incidents/1").json()
    answer = house.post("/api/v1/maintenance", json=PAUSE)
    assert answer.status_code == 201
    entered = answer.json()
    assert (entered["id"], entered["author"], entered["from"]) == (1, "ann", "2025-11-17T01:30:00Z")
    assert house.get("/api/v1/maintenance").json()["items"] == [entered]
    dial.now = NOW + MINUTE
    states = {one["target"]: one["state"] for one in house.get("/api/v1/targets").json()["items"]}
    assert states[TARGETS[0].key] == "maintenance"
    assert states[TARGETS[4].key] == "unknown"
    assert house.get("/api/v1/incidents/1").json() == before


def test_a_pause_is_withdrawn_once_and_stays_on_record(house: TestClient) -> None:
    """Withdrawing it again changes nothing."""
    house.post("/api/v1/maintenance", json=PAUSE)
    ended = house.post("/api/v1/maintenance/1/withdraw").json()
    assert ended["withdrawn_at"] == "2025-11-17T01:30:00Z"
    assert house.post("/api/v1/maintenance/1/withdraw").json() == ended
    assert house.get("/api/v1/maintenance").json()["items"] == [ended]
    assert house.post("/api/v1/maintenance/2/withdraw").status_code == 404


def test_what_the_configuration_names_is_withdrawn_there(
    house: TestClient, sqlite_database: Database
) -> None:
    """And what people entered stays when a configuration without it is read."""
    plan = Maintenance(name="nightly", start=DAY, end=NOW)
    with sqlite_database.write() as tx:
        sync_maintenance(tx, [plan], NOW)
    refused = house.post("/api/v1/maintenance/1/withdraw")
    assert (refused.status_code, "[[maintenance]]" in refused.text) == (422, True)
    house.post("/api/v1/maintenance", json=PAUSE)
    with sqlite_database.write() as tx:
        sync_maintenance(tx, [], NOW + MINUTE)
        configured, paused = read_maintenance(tx)
    assert (configured.withdrawn_at, paused.withdrawn_at) == (NOW + MINUTE, None)


def test_only_a_retroactive_pause_takes_back_what_was(house: TestClient) -> None:
    """Named so, it dismisses the incident that lies inside it."""
    past = {**PAUSE, "from": "2025-11-17T00:30:00Z", "until": "2025-11-17T01:10:00Z"}
    refused = house.post("/api/v1/maintenance", json=past)
    assert (refused.status_code, "retroactive" in refused.text) == (422, True)
    assert house.post("/api/v1/maintenance", json={**past, "retroactive": True}).status_code == 201
    assert house.get("/api/v1/incidents/1").json()["phase"] == "dismissed"


@pytest.mark.parametrize(
    "change",
    [
        {"name": " "},
        {"name": "x" * 501},
        {"author": ""},
        {"targets": [""]},
        {"targets": ["x" * 301]},
        {"targets": ["a"] * 101},
        {"until": "2025-11-17T01:30:00Z"},
        {"until": "tomorrow"},
        {"from": "2025-11-17T04:00:00Z"},
        {"reason": "x"},
    ],
)
def test_a_bad_pause_is_a_problem(house: TestClient, change: dict[str, object]) -> None:
    """422 with problem details, and nothing is entered."""
    answer = house.post("/api/v1/maintenance", json={**PAUSE, **change})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert house.get("/api/v1/maintenance").json()["items"] == []


def test_the_form_of_a_targets_page_pauses_that_target(house: TestClient) -> None:
    """From now on, for the time that is chosen; and leads back to the page."""
    key = TARGETS[1].key
    assert f'name="target" value="{key}"' in house.get(f"/targets/{key}").text
    fields = {"target": key, "for": "4h", "author": "ann", "name": "moving"}
    answer = house.post("/pauses", data=fields, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/targets/{key}")
    (entered,) = house.get("/api/v1/maintenance").json()["items"]
    assert (entered["targets"], entered["until"]) == ([key], "2025-11-17T05:30:00Z")
    for bad in ({"for": "soon"}, {"for": "500d"}, {"target": ""}, {"name": ""}):
        assert house.post("/pauses", data={**fields, **bad}, follow_redirects=False).status_code == 422
    assert house.post("/pauses", data=fields, headers={"origin": "http://evil.test"}).status_code == 403


def test_a_page_that_was_read_before_a_pause_is_another_after_it(house: TestClient) -> None:
    """Within the same minute: no browser goes on showing what was."""
    page = f"/targets/{TARGETS[1].key}"
    before = house.get(page).headers["etag"]
    assert house.get(page, headers={"if-none-match": before}).status_code == 304
    house.post("/api/v1/maintenance", json=PAUSE)
    entered = house.get(page, headers={"if-none-match": before})
    assert entered.status_code == 200
    house.post("/api/v1/maintenance/1/withdraw")
    assert house.get(page, headers={"if-none-match": entered.headers["etag"]}).status_code == 200


def test_a_pause_is_ended_on_its_targets_page(house: TestClient) -> None:
    """As long as it lasts it stands there with its author and a way to end it; what is planned does not."""
    key = TARGETS[1].key
    house.post("/api/v1/maintenance", json={**PAUSE, "name": "<b>moving</b>"})
    page = house.get(f"/targets/{key}").text
    assert "&lt;b&gt;moving&lt;/b&gt;" in page
    assert 'action="/pauses/1/withdraw"' in page
    assert 'action="/pauses/1/withdraw"' not in house.get(f"/targets/{TARGETS[4].key}").text
    ended = house.post("/pauses/1/withdraw", data={"target": key}, follow_redirects=False)
    assert (ended.status_code, ended.headers["location"]) == (303, f"/targets/{key}")
    assert 'action="/pauses/1/withdraw"' not in house.get(f"/targets/{key}").text
    assert house.post("/pauses/9/withdraw", data={"target": key}).status_code == 404
