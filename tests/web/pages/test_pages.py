"""The pages over a stored day: what they say, that they agree, and what they answer to nonsense."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from monitor.core.model import target_path
from monitor.store.database.engine import Database
from tests.support.filled_database import (
    DAY,
    NOW,
    SETTINGS,
    TARGETS,
    Dial,
    app_over,
    fill,
    reference_day,
    run_of,
)

FAILING_KEY = "azure-sweden/gpt-4o-transcribe/realtime"
FAILED_RUN = "0193-gpt-4o-transcribe-realtime-00600"


def text_of(html: str) -> str:
    """The words of a page, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_overview_says_how_every_target_stands(client: TestClient) -> None:
    """Matrix, lanes and table name each model and pathway, and the numbers of the day."""
    page = client.get("/")
    assert page.status_code == 200
    words = text_of(page.text)
    assert "All up" in words
    assert "All 5 targets transcribe correctly" in words
    assert words.count("gpt-4o-transcribe") > 4
    assert "420/980" in words
    assert "Uptime = measured time outside down windows" in words


def test_the_overview_while_it_lasts_leads_with_the_incident(sqlite_database: Database, dial: Dial) -> None:
    """The open incident's sentence comes first, with its unaffected neighbours."""
    dial.now = DAY + timedelta(minutes=600, seconds=30)
    fill(sqlite_database, list(reference_day(until_minute=600)), dial.now)
    page = TestClient(app_over(sqlite_database, dial), base_url="http://localhost").get("/").text
    words = text_of(page)
    assert "1 down" in words
    assert words.index("down since 08:30:12 UTC") < words.index("azure_openai")
    assert "Unaffected: gpt-4o-transcribe rest 89/89" in words


def test_a_single_failed_run_forbids_a_hundred_and_has_a_foot(client: TestClient) -> None:
    """The lane of the target with one failed run shows it, and its uptime is not 100."""
    page = client.get("/targets/azure-sweden/gpt-4o-transcribe/rest").text
    assert 'class="foot"' in page
    assert "99.99 %" in text_of(page)


def test_lanes_move_to_another_day_and_zoom(client: TestClient) -> None:
    """An address names the day or the end and the zoom; the title says which period is shown."""
    assert "17 Nov 2025 00:00 to 18 Nov 2025 00:00 UTC" in text_of(client.get("/?day=2025-11-17").text)
    moved = client.get("/", params={"until": "2025-11-17T12:00:00Z", "zoom": "7d"}).text
    assert "10 Nov 2025 12:00 to 17 Nov 2025 12:00 UTC" in text_of(moved)
    assert "until=2025-11-24" not in moved


@pytest.mark.parametrize(
    "query",
    [
        "zoom=3d",
        "day=2025-13-01",
        "day=yesterday",
        "until=now",
        "day=1970-01-01",
        "until=2031-01-01T00:00:00Z",
        "day=9999-12-31",
    ],
)
def test_a_period_that_is_none_is_refused_with_what_would_be_right(client: TestClient, query: str) -> None:
    """422 as a page that names the parameter."""
    page = client.get(f"/?{query}")
    assert page.status_code == 422
    assert query.split("=", maxsplit=1)[0] in text_of(page.text)


def test_the_incident_page_says_it_in_the_agreed_words(client: TestClient) -> None:
    """Headline, both edges of the window, controls with counts, blame and signature."""
    words = text_of(client.get("/incidents/1").text)
    assert (
        "gpt-4o-transcribe · realtime · swedencentral was down 08:30:12–15:30:12 UTC, 17 Nov 2025 "
        "(at least 6 h 59 min, at most 7 h 1 min): 420/420 runs failed." in words
    )
    assert "Unaffected: gpt-4o-transcribe rest 420/420, whisper-1 realtime 420/420" in words
    assert "between 08:29:12 and 08:30:12" in words
    assert "between 15:29:12 and 15:30:12" in words
    assert "09:30:12 +01:00" in words
    assert "server_error" in words
    assert "sent after 2 s" in words


def test_page_and_json_agree_to_the_second(client: TestClient) -> None:
    """Start, end and counts of the page are those of the JSON object."""
    told = client.get("/api/v1/incidents/1").json()
    page = client.get("/incidents/1").text
    assert told["start"] == "2025-11-17T08:30:12Z"
    for instant in (told["start"], told["end"], told["decided_at"]):
        assert f'datetime="{instant}"' in page
    assert f"{told['windows'][0]['failed']}/{told['windows'][0]['total']}" in page


def test_the_incident_page_links_to_proof(client: TestClient) -> None:
    """Evidence, summary, first and last failing run can be reached."""
    page = client.get("/incidents/1").text
    for href in re.findall(r'href="(/(?:incidents|runs)[^"]+)"', page):
        assert client.get(href).status_code == 200, href
    assert client.get("/incidents/1/evidence.zip").headers["content-type"] == "application/zip"
    assert client.get("/incidents/1/summary.md").text.startswith("Subject:")


def test_a_run_page_shows_the_exchange_in_order(client: TestClient) -> None:
    """Frames with offsets and directions, audio summarised, the failure readable, ids to quote."""
    page = client.get(f"/runs/{FAILED_RUN}").text
    words = text_of(page)
    order = ["session.created", "session.update", "input_audio_buffer.append", "input_audio_buffer.commit"]
    places = [words.index(name) for name in order]
    assert places == sorted(places)
    assert "33 audio frames until 1.710 s" in words
    assert "server at transcribe" in words
    assert "apim-600" in words
    assert "/incidents/1" in page


def test_a_run_without_evidence_says_why(client: TestClient) -> None:
    """A passed run whose frames are gone is no error."""
    assert "No evidence is stored" in client.get("/runs/0193-whisper-1-rest-00100").text


def test_a_target_page_lists_runs_behind_a_cursor(client: TestClient) -> None:
    """Runs come newest first, filtered by verdict, and the older ones follow."""
    first = client.get(f"/targets/{FAILING_KEY}?verdict=failed")
    assert first.text.count('class="verdict verdict-failed"') == 50
    assert "15:29:12" in first.text
    older = re.search(r'href="([^"]+cursor=[^"#]+)', first.text)
    assert older
    second = client.get(older[1].replace("&amp;", "&"))
    assert second.status_code == 200
    assert "14:39:12" in second.text
    assert "15:29:12</span> UTC" not in second.text.partition('id="runs"')[2]


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/incidents/99",
        "/runs/none",
        "/targets/a/b/c",
        "/targets/..%2f..%2fetc/passwd",
        "/static/..%2fsite",
    ],
)
def test_what_nobody_knows_is_a_page_with_404(client: TestClient, path: str) -> None:
    """Never a trace, always a way back."""
    page = client.get(path)
    assert page.status_code == 404
    if not path.startswith("/static"):
        assert "Overview" in page.text
    assert "Traceback" not in page.text


@pytest.mark.parametrize("path", ["/incidents/0", "/incidents/99999999999999999999", "/incidents/one",
                                  "/incidents?cursor=WzFd.", "/targets/a/b/c?verdict=fine"])  # fmt: skip
def test_an_address_that_makes_no_sense_is_a_page_with_422(client: TestClient, path: str) -> None:
    """Never a fault of our own."""
    page = client.get(path)
    assert page.status_code == 422
    assert "Overview" in page.text


def test_without_a_run_the_page_helps(empty_client: TestClient) -> None:
    """It says what is watched and how to make a first run; the other pages stand too."""
    words = text_of(empty_client.get("/").text)
    assert "No run yet" in words
    assert f"earwitness check {SETTINGS.targets[0].key}" in words
    assert "No incident so far" in text_of(empty_client.get("/incidents").text)
    assert "its first run has not been stored" in text_of(empty_client.get(f"/targets/{FAILING_KEY}").text)


def test_an_unchanged_page_is_not_sent_again(client: TestClient, dial: Dial) -> None:
    """The same minute and nothing new gives 304; the next minute gives the page."""
    tag = client.get("/").headers["etag"]
    again = client.get("/", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    dial.now = NOW + timedelta(minutes=1)
    assert client.get("/", headers={"if-none-match": tag}).status_code == 200


def test_a_new_run_changes_the_page(sqlite_database: Database, dial: Dial) -> None:
    """What is stored is part of the page's tag."""
    dial.now = DAY + timedelta(minutes=3)
    fill(sqlite_database, [(run_of(TARGETS[0], 0, 0), None)], dial.now)
    client = TestClient(app_over(sqlite_database, dial), base_url="http://localhost")
    tag = client.get("/").headers["etag"]
    fill(sqlite_database, [(run_of(TARGETS[0], 1, 0), None)], dial.now)
    assert client.get("/", headers={"if-none-match": tag}).status_code == 200


def test_an_old_page_is_marked_as_old(client: TestClient, dial: Dial) -> None:
    """When no run came for three intervals the age is marked, and no target is called up."""
    assert 'class="fresh"' in client.get("/").text
    dial.now = NOW + timedelta(minutes=10)
    page = client.get("/").text
    assert 'class="fresh stale"' in page
    assert "Unknown" in text_of(page)


def test_every_instant_is_a_time_with_utc_and_the_zone_beside_it(client: TestClient) -> None:
    """Machines read RFC 3339 with Z; people read UTC first, then the monitor's zone with its offset."""
    page = client.get("/incidents/1").text
    stamps = re.findall(r'<time datetime="([^"]+)"', page)
    assert len(stamps) > 10
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", stamp) for stamp in stamps)
    assert '08:30:12</span> UTC <span class="zone">09:30:12 +01:00</span>' in page


def test_no_page_carries_a_style_or_script_of_its_own(client: TestClient) -> None:
    """The policy forbids them: shapes have classes, scripts have files."""
    for path in (
        "/",
        "/incidents",
        "/incidents/1",
        f"/targets/{FAILING_KEY}",
        f"/runs/{FAILED_RUN}",
        "/docs",
    ):
        page = client.get(path).text
        assert " style=" not in page
        assert not re.search(r"<script(?![^>]+src=)", page)
        assert not re.search(r"\son\w+=", page)


def test_the_page_of_a_model_that_is_a_folder(sqlite_database: Database, dial: Dial) -> None:
    """Its name begins with a slash: the overview's link, with no two slashes in a row, leads to its page."""
    known = TARGETS[0]
    folder = replace(known, model="/models/whisper")
    runs = [(run_of(known, minute, minute), None) for minute in range(3)]
    strange = [(replace(one, id=f"f{one.id[-5:]}", model=folder.model), None) for one, _ in runs]
    fill(sqlite_database, [*runs, *strange])
    client = TestClient(app_over(sqlite_database, dial), base_url="http://localhost")
    path = target_path(folder.key)
    assert path == f"/targets/{known.endpoint.name}/%2Fmodels/whisper/{known.pathway}"
    for address in (path, f"/targets/{folder.key}"):
        page = client.get(address)
        assert page.status_code == 200
        assert "/models/whisper" in text_of(page.text)
    found = client.get("/api/v1/outcomes", params={"target": folder.key}).json()
    assert {one["model"] for one in found["items"]} == {"/models/whisper"}
    assert f'href="{path}"' in client.get(f"/runs/{strange[0][0].id}").text
