"""The incident page: its period, and that all its durations agree when nobody looked for a while."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from monitor.core.model import Verdict
from monitor.pipeline.derive import DerivationSettings
from monitor.pipeline.observe import Observed
from monitor.pipeline.record import record
from monitor.store.database.engine import Database
from monitor.store.outcomes.cells import sync_targets
from monitor.web.pages.incident import span_around
from tests.support.filled_database import DAY, MINUTE, TARGETS, Dial, app_over, fill, run_of


@pytest.mark.parametrize("lasted", [0, 1, 60, 420, 10_000, 500_000])
def test_the_lanes_hold_the_incident_in_a_handful_of_buckets(lasted: int) -> None:
    """From a minute to a year: whole buckets, some time before and after, never too many."""
    period, width = span_around(DAY, DAY + lasted * MINUTE)
    assert period.start < DAY - timedelta(minutes=10)
    assert period.end > DAY + lasted * MINUTE
    assert period.length % width == timedelta(0)
    assert 12 <= period.length / width <= 122


def test_a_gap_inside_shortens_every_least_duration(sqlite_database: Database) -> None:
    """Headline, fact, window of the incident, window of the target and JSON say the same."""
    minutes = [*range(40), *range(60, 90)]
    runs = [run_of(TARGETS[1], minute, 1, failed=20 <= minute < 80) for minute in minutes]
    runs += [run_of(TARGETS[0], minute, 0) for minute in range(90)]
    now = DAY + 120 * MINUTE
    fill(sqlite_database, [(run, None) for run in runs], now)
    client = TestClient(app_over(sqlite_database, Dial(now=now)), base_url="http://localhost")
    page = client.get("/incidents/1").text
    assert set(re.findall(r"at least [^,<)]+", page)) == {"at least 38 min"}
    assert page.count("at least 38 min") == 3
    assert "at least 38 min, at most 1 h 1 min" in client.get(f"/targets/{TARGETS[1].key}").text
    told = client.get("/api/v1/incidents/1").json()
    assert (told["least_s"], told["most_s"]) == (38 * 60, 61 * 60)


def test_what_only_the_owner_is_told_has_a_page_and_no_evidence(sqlite_database: Database) -> None:
    """It is listed for people; programs ask for its kind; nothing about providers is claimed on it."""
    now = DAY + 10 * MINUTE
    runs = [run_of(TARGETS[0], minute, 0, verdict=Verdict.INCONCLUSIVE) for minute in range(5)]
    with sqlite_database.write() as tx:
        sync_targets(tx, TARGETS, DAY)
    items = [Observed(outcome=run, evidence=None) for run in runs]
    record(sqlite_database, items, DerivationSettings(location="berlin"), now=runs[-1].finished_at)
    client = TestClient(app_over(sqlite_database, Dial(now=now)), base_url="http://localhost")
    page = client.get("/incidents/1").text
    assert f"{TARGETS[0].key} from berlin blind since" in page
    assert "evidence.zip" not in page
    assert "Windows</h2>" not in page
    assert f"{TARGETS[0].key} from berlin blind since" in client.get("/incidents").text
    assert client.get("/api/v1/incidents").json()["items"] == []
    (listed,) = client.get("/api/v1/incidents", params={"kind": "blind"}).json()["items"]
    assert (listed["kind"], listed["severity"], listed["open"]) == ("blind", "notice", True)
    assert client.get("/api/v1/incidents", params={"kind": "gone"}).status_code == 422


def test_the_page_says_how_soon_it_was_seen_and_what_changed(client: TestClient) -> None:
    """Detection with both bounds, and the two runs at the edge, each of which can be looked at."""
    page = client.get("/incidents/1").text
    assert "between 2 min and 3 min after it began" in page
    section = page.partition("Last good and first failed run</h2>")[2].partition("</section>")[0]
    assert re.findall(r'href="/runs/([^"]+)">([^<]+)</a>', section) == [
        (f"0193-{TARGETS[1].model}-{TARGETS[1].pathway}-00509", "08:29:12 UTC"),
        (f"0193-{TARGETS[1].model}-{TARGETS[1].pathway}-00510", "08:30:12 UTC"),
    ]
    assert "time to ready" in section
    assert "No difference in what the server answered." in section


def test_without_a_good_run_before_it_the_delay_has_no_upper_bound(sqlite_database: Database) -> None:
    """Nobody looked before: it may have begun at any time, and nothing is compared."""
    runs = [run_of(TARGETS[1], minute, 1, failed=True) for minute in range(30)]
    now = DAY + 30 * MINUTE
    fill(sqlite_database, [(run, None) for run in runs], now)
    page = TestClient(app_over(sqlite_database, Dial(now=now)), base_url="http://localhost").get(
        "/incidents/1"
    )
    assert re.search(r"</time>, [^<]+ or more after it began", page.text)
    assert "Last good and first failed run" not in page.text
    assert "none accepted by a channel" in page.text
