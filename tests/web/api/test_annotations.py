"""What people may add over HTTP: marks and entries, by JSON and by the form; refused from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from monitor.core.outages.maintenance import Maintenance
from monitor.store.database.engine import Database
from monitor.store.derivation.maintenance import sync_maintenance
from tests.support.filled_database import DAY, MINUTE, TARGETS, Dial, app_over, fill, run_of

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def house(sqlite_database: Database) -> Iterator[TestClient]:
    """The pages over an hour and a half in which one target was down; they may be written to."""
    runs = [run_of(TARGETS[1], minute, 1, failed=40 <= minute < 60) for minute in range(90)]
    runs += [run_of(TARGETS[0], minute, 0) for minute in range(90)]
    now = DAY + 90 * MINUTE
    fill(sqlite_database, [(run, None) for run in runs], now)
    with TestClient(app_over(sqlite_database, Dial(now=now)), base_url="http://127.0.0.1") as client:
        yield client


def test_a_mark_is_on_record_on_the_lanes_and_at_the_incident(house: TestClient) -> None:
    """Posted once, it is listed, drawn with its title, tabled, and named near the start."""
    answer = house.post("/api/v1/marks", json={"text": "deployed 4.2", "at": "2025-11-17T00:30:00Z"})
    expected = {"id": 1, "at": "2025-11-17T00:30:00Z", "text": "deployed 4.2", "author": "api"}
    assert (answer.status_code, answer.json()) == (201, expected)
    assert house.get("/api/v1/marks").json() == {"items": [expected], "next": None}
    assert house.get("/api/v1/marks", params={"from": "2025-11-17T01:00:00Z"}).json()["items"] == []
    for path in ("/?day=2025-11-17", "/incidents/1", f"/targets/{TARGETS[1].key}"):
        page = house.get(path, headers={"accept": "text/html"}).text
        assert "<title>17 Nov 00:30:00 UTC: deployed 4.2</title>" in page, path
        assert '<td class="message">deployed 4.2</td>' in page, path
    assert house.get("/api/v1/incidents/1").json()["marks"] == [
        {key: value for key, value in expected.items() if key != "id"}
    ]
    assert "marked near its start: &#39;deployed 4.2&#39;" in house.get("/incidents/1").text


def test_marks_come_in_pages(house: TestClient) -> None:
    """The newest first, each once."""
    for hour in range(3):
        house.post("/api/v1/marks", json={"text": f"m{hour}", "at": f"2025-11-16T0{hour}:00:00Z"})
    first = house.get("/api/v1/marks", params={"limit": 2}).json()
    second = house.get("/api/v1/marks", params={"limit": 2, "cursor": first["next"]}).json()
    assert [mark["text"] for mark in (*first["items"], *second["items"])] == ["m2", "m1", "m0"]
    assert second["next"] is None


def test_an_incident_without_marks_says_so(house: TestClient) -> None:
    """That nothing is near is a finding as well."""
    assert "no mark and no change of configuration within 30 minutes" in house.get("/incidents/1").text


@pytest.mark.parametrize(
    "body",
    [
        {"text": " "},
        {"text": "x" * 501},
        {},
        {"text": "x", "at": "2025-11-17"},
        {"text": "x", "when": "now"},
        {"text": "x", "author": ""},
    ],
)
def test_a_bad_mark_is_a_problem(house: TestClient, body: dict[str, str]) -> None:
    """422 with problem details, and nothing is stored."""
    answer = house.post("/api/v1/marks", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert house.get("/api/v1/marks").json()["items"] == []


def test_entries_are_appended_and_stand_beside_what_was_computed(house: TestClient) -> None:
    """JSON tells both; the page shows both, in the timeline with its author."""
    asked = {"kind": "reclassified", "text": "ours", "author": "ann", "blame": "account", "severity": "minor"}
    answer = house.post("/api/v1/incidents/1/entries", json=asked)
    assert answer.status_code == 201
    assert answer.json() == asked | {"at": "2025-11-17T01:30:00Z"}
    told = house.get("/api/v1/incidents/1").json()
    assert (told["blame"], told["people"]["blame"]["blame"]) == ("provider", "account")
    assert house.get("/api/v1/incidents/1/entries").json()["items"][-1] == answer.json()
    page = house.get("/incidents/1").text
    assert "<strong>provider</strong>" in page
    assert "blame account by ann; severity minor by ann (computed: major)" in page
    assert "Blame: account." in page


def test_the_form_works_without_a_script(house: TestClient) -> None:
    """It leads back to the timeline; what is hostile in it stays text."""
    fields = {"kind": "acknowledged", "text": SCRIPT, "author": SCRIPT, "blame": "", "severity": ""}
    browser = {"accept": "text/html", "origin": "http://127.0.0.1"}
    answer = house.post("/incidents/1/entries", data=fields, headers=browser, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents/1#timeline")
    page = house.get("/incidents/1", headers=browser).text
    assert SCRIPT not in page
    assert "acknowledged by &lt;script&gt;" in page
    assert '<form method="post" action="/incidents/1/entries">' in page


@pytest.mark.parametrize("path", ["/api/v1/marks", "/api/v1/incidents/1/entries", "/incidents/1/entries"])
@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "http://evil.example"}])
def test_another_page_may_change_nothing(house: TestClient, path: str, headers: dict[str, str]) -> None:
    """Refused before the body is read."""
    assert house.post(path, content=b"kind=note&text=x&author=y", headers=headers).status_code == 403
    assert len(house.get("/api/v1/incidents/1/entries").json()["items"]) == 3


@pytest.mark.parametrize(
    ("number", "body", "status"),
    [
        (1, {"kind": "note", "author": "ann"}, 422),
        (1, {"kind": "opened", "text": "x", "author": "ann"}, 422),
        (1, {"kind": "note", "text": "x"}, 422),
        (9, {"kind": "note", "text": "x", "author": "ann"}, 404),
    ],
)
def test_a_bad_entry_is_a_problem(house: TestClient, number: int, body: dict[str, str], status: int) -> None:
    """With problem details that say what would be right."""
    answer = house.post(f"/api/v1/incidents/{number}/entries", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize(("kind", "content"), [("text/plain", b"kind=note"), (None, b"\xff=1")])
def test_what_is_no_form_is_refused(house: TestClient, kind: str | None, content: bytes) -> None:
    """Another content type, or bytes that are no text."""
    headers = {"content-type": kind or "application/x-www-form-urlencoded"}
    assert house.post("/incidents/1/entries", content=content, headers=headers).status_code == 422


def test_maintenance_is_solid_grey_and_left_out_of_uptime(sqlite_database: Database) -> None:
    """The state now, the lane, the table beneath it, and the measured time."""
    runs = [run_of(TARGETS[1], minute, 1, failed=45 <= minute < 90) for minute in range(90)]
    now = DAY + 89 * MINUTE
    plan = Maintenance(name="m", start=DAY + 45 * MINUTE, end=DAY + 105 * MINUTE)
    with sqlite_database.write() as tx:
        sync_maintenance(tx, [plan], DAY)
    fill(sqlite_database, [(run, None) for run in runs], now)
    with TestClient(app_over(sqlite_database, Dial(now=now)), base_url="http://127.0.0.1") as client:
        page = client.get(f"/targets/{TARGETS[1].key}", headers={"accept": "text/html"}).text
        (told,) = [
            one for one in client.get("/api/v1/targets").json()["items"] if one["target"] == TARGETS[1].key
        ]
    assert 'class="s-maintenance" d="M' in page
    assert told["state"] == "maintenance"
    assert (told["uptime"]["down_s"], told["uptime"]["measured_s"]) == (0, 45 * 60 - 12)
