"""``/api/v1/advice`` over a stored day: what is down is not recommended, what is stale is unknown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.testclient import TestClient

from monitor.store.database.engine import Database
from tests.support.filled_database import DAY, FAILING, Dial, app_over, fill, reference_day

PATH = "/api/v1/advice"
AT_NINE = DAY + timedelta(hours=9, seconds=30)


def ask(client: TestClient, **query: Any) -> dict[str, Any]:
    answer = client.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def during_the_outage(database: Database) -> TestClient:
    """A client half an hour into the outage."""
    fill(database, list(reference_day(until_minute=540)), AT_NINE)
    dial = Dial()
    dial.now = AT_NINE
    return TestClient(app_over(database, dial), base_url="http://127.0.0.1")


def test_the_failing_pathway_is_last_and_its_neighbour_first(sqlite_database: Database) -> None:
    """A product that needs realtime is sent to the healthy model and told why not to the other."""
    with during_the_outage(sqlite_database) as client:
        found = ask(client, need="realtime", endpoint="azure-sweden")
    assert [one["target"] for one in found["pathways"]] == [
        "azure-sweden/whisper-1/realtime",
        FAILING.key,
    ]
    first, last = found["pathways"]
    assert (first["healthy"], last["healthy"]) == (True, False)
    assert last["health"] == "down"
    assert last["incident"] == 1
    assert found["healthy"] is True


def test_filters_leave_only_what_was_asked_for(client: TestClient) -> None:
    """Endpoint and model narrow the answer; without a need every pathway is ranked."""
    found = ask(client, endpoint="azure-sweden", model="gpt-4o-transcribe")
    assert {(one["endpoint"], one["model"]) for one in found["pathways"]} == {
        ("azure-sweden", "gpt-4o-transcribe")
    }
    assert {one["pathway"] for one in found["pathways"]} == {"rest", "realtime"}


def test_an_older_run_than_asked_for_is_unknown(client: TestClient) -> None:
    """`max-age` in seconds: evidence older than that recommends nothing."""
    found = ask(client, need="rest", **{"max-age": 0.001})
    assert {one["health"] for one in found["pathways"]} == {"unknown"}
    assert found["healthy"] is False


def test_targets_without_a_run_are_listed_as_unknown(empty_client: TestClient) -> None:
    """What is configured and not yet run is named, and not recommended."""
    found = ask(empty_client)
    assert FAILING.key in {one["target"] for one in found["pathways"]}
    assert {one["health"] for one in found["pathways"]} == {"unknown"}
    assert {one["reason"] for one in found["pathways"]} == {"no run yet"}


def test_no_cache_repeats_an_answer(client: TestClient) -> None:
    """A kept "healthy" would be repeated through an outage; how long it holds stands in the answer."""
    answer = client.get(PATH)
    assert answer.headers["cache-control"] == "no-store"
    assert min(one["max_age_s"] for one in answer.json()["pathways"] if one["max_age_s"]) > 0


def test_an_unknown_need_is_a_problem_and_not_an_empty_list(client: TestClient) -> None:
    """A typing mistake is refused, in the answer and in the stream."""
    for path in (PATH, f"{PATH}/events"):
        answer = client.get(path, params={"need": "realtme"})
        assert answer.status_code == 422
        assert answer.headers["content-type"].startswith("application/problem+json")
