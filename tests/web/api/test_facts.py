"""The JSON API: shapes of the contract, cursors that end, ranges that are checked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from monitor.core.outcome_json import outcome_from_line
from monitor.core.timefmt import parse_instant, rfc3339
from monitor.store.database.engine import Database
from monitor.store.incidents.incidents import read_windows
from monitor.store.outcomes.add import add_outcomes
from monitor.store.outcomes.read import stream_outcomes
from monitor.web.frame.components import run_href
from tests.support.filled_database import TARGETS, Dial, app_over
from tests.support.outcomes import T0, outcome

API = "/api/v1"


def ask(client: TestClient, path: str, **query: Any) -> dict[str, Any]:
    answer = client.get(f"{API}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def walk(client: TestClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """Every item behind the cursors."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    for _ in range(1000):
        page = ask(client, path, **query, **cursor)
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = {"cursor": page["next"]}
    raise AssertionError("the cursor never ends")


def test_targets_carry_the_figure_and_what_it_was_computed_from(client: TestClient) -> None:
    """Uptime can be computed again from the seconds beside it."""
    found = ask(client, "targets")
    assert len(found["items"]) == 5
    failing = next(item for item in found["items"] if item["runs"]["failed"] == 420)
    uptime = failing["uptime"]
    assert uptime["share"] == pytest.approx(1 - uptime["down_s"] / uptime["measured_s"])
    assert uptime["coverage"] == pytest.approx(uptime["measured_s"] / uptime["period_s"])
    assert uptime["down_s"] == 7 * 3600
    assert failing["state"] == "up"
    assert failing["since"] == "2025-11-17T15:30:12Z"
    assert failing["last_run"]["verdict"] == "passed"
    assert 0.6 < failing["latency_s"]["p50"] < 0.9
    assert "measured time" in found["method"]


def test_a_target_with_a_gap_has_less_coverage_and_no_less_uptime(client: TestClient) -> None:
    """Time that nobody saw stands in neither side."""
    gapped = next(item for item in ask(client, "targets")["items"] if item["endpoint"] == "openai-us")
    assert gapped["uptime"]["text"] == "100.00 % of 10 h 19 min measured"
    assert gapped["uptime"]["coverage"] < 0.5
    assert gapped["uptime"]["best"] == 1


def test_outcomes_are_lines_that_import_reads(client: TestClient) -> None:
    """Each item is an outcome line, newest first, and reads back."""
    items = ask(client, "outcomes", limit=20)["items"]
    outcomes = [outcome_from_line(item)[0] for item in items]
    starts = [outcome.started_at for outcome in outcomes]
    assert starts == sorted(starts, reverse=True)
    assert {item["schema"] for item in items} == {"earwitness.outcome/1"}


def test_a_walk_along_the_cursor_meets_every_outcome_once(client: TestClient) -> None:
    """Whatever the page size."""
    query = {"target": "azure-sweden/gpt-4o-transcribe/realtime", "verdict": "failed"}
    items = walk(client, "outcomes", limit=37, **query)
    assert len(items) == len({item["id"] for item in items}) == 420


def test_what_is_stored_is_listed_however_old_it_is(
    client: TestClient, filled_database: Database, dial: Dial
) -> None:
    """Without a range the cursors lead through everything: outcomes, windows and incidents alike."""
    dial.now += timedelta(days=500)
    with filled_database.read() as tx:
        runs = {one.id for one in stream_outcomes(tx)}
        edges = [rfc3339(one.start) for one in read_windows(tx)]
    items = walk(client, "outcomes", limit=1000)
    assert len(items) == len(runs)
    assert {item["id"] for item in items} == runs
    assert [item["start"] for item in walk(client, "windows", limit=1)] == edges
    assert len(walk(client, "incidents", limit=1)) == 1


def test_a_walk_meets_every_target_once(client: TestClient) -> None:
    """One at a time or all at once."""
    names = [(item["target"], item["location"]) for item in walk(client, "targets", limit=2)]
    assert names == [(item["target"], item["location"]) for item in ask(client, "targets")["items"]]
    assert len(names) == len(set(names)) == 5


def test_a_run_is_found_by_any_id(sqlite_database: Database, dial: Dial) -> None:
    """Line ends, slashes and dots of an id stand in its address like other characters."""
    name = "a\nb/../c?d#e\u200d\n"
    run = outcome(T0, id=name)
    with sqlite_database.write() as tx:
        add_outcomes(tx, [(run, None)])
    with TestClient(app_over(sqlite_database, dial), base_url="http://127.0.0.1") as client:
        assert ask(client, f"outcomes/{quote(name, safe='')}")["id"] == name
        assert client.get(run_href(name)).status_code == 200


def test_what_may_be_asked_instead_is_said(client: TestClient) -> None:
    """A 405 names the methods that are understood (RFC 9110, 15.5.6)."""
    answer = client.put(f"{API}/outcomes")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert client.put(f"{API}/marks").headers["allow"] == "GET, HEAD, POST"


def test_one_outcome_comes_with_its_frames(client: TestClient) -> None:
    """The evidence object stands beside the judgement."""
    found = ask(client, "outcomes/0193-gpt-4o-transcribe-realtime-00600")
    assert found["evidence"]["frames"][-1]["type"].endswith(".failed")


def test_windows_are_those_of_the_store_in_the_shape_of_replay(
    client: TestClient, filled_database: Database
) -> None:
    """Same edges, same counts."""
    items = ask(client, "windows")["items"]
    with filled_database.read() as tx:
        stored = read_windows(tx)
    assert [parse_instant(item["start"]) for item in items] == [window.start for window in stored]
    assert (items[0]["failed"], items[0]["total"], items[0]["open"]) == (420, 420, False)
    assert ask(client, "windows", target="a/b/c")["items"] == []
    assert ask(client, "windows", limit=1)["next"] is None


def test_incidents_are_objects_of_replay_with_what_only_the_store_knows(client: TestClient) -> None:
    """Durations in seconds, with both bounds."""
    listed = ask(client, "incidents")["items"][0]
    single = ask(client, "incidents/1")
    assert {"number", "start", "end", "open", "blame", "scope", "aliases", "ambiguous", "alternatives",
            "affected", "unaffected", "title"} <= listed.keys()  # fmt: skip
    assert (listed["least_s"], listed["most_s"]) == (6 * 3600 + 59 * 60, 7 * 3600 + 60)
    assert single.items() >= listed.items()
    assert [entry["kind"] for entry in single["entries"]] == ["suspected", "opened", "recovering"]
    assert sorted(notice["attempts"] for notice in single["notices"]) == [0, 1, 1]
    assert (single["delays"]["detect_least_s"], single["delays"]["detect_most_s"]) == (120.0, 180.0)
    assert single["delays"]["notify_s"] is not None


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("outcomes?from=2025-11-18T00:00:00Z&to=2025-11-17T00:00:00Z", "from"),
        ("windows?from=2025-11-18T00:00:00Z&to=2025-11-17T00:00:00Z", "from"),
        ("targets?from=2014-01-01T00:00:00Z", "from"),
        ("outcomes?from=2025-11-17", "from"),
        ("outcomes?from=2025-11-17T00:00:00", "from"),
        ("outcomes?to=2025-02-30T00:00:00Z", "to"),
        ("outcomes?limit=0", "limit"),
        ("outcomes?limit=100000000000000000000", "limit"),
        ("outcomes?limit=many", "limit"),
        ("outcomes?verdict=fine", "verdict"),
        ("outcomes?cursor=%00%FF", "cursor"),
        ("outcomes?cursor=bm9wZQ", "cursor"),
        ("windows?cursor=WyJhIl0", "cursor"),
        ("incidents?cursor=bnVsbA", "cursor"),
        ("incidents/0", "number"),
        ("incidents/99999999999999999999", "number"),
        ("incidents/one", "number"),
        ("targets?from=2010-01-01T00:00:00Z&to=2020-01-01T00:00:00Z", "from"),
        ("targets?to=9999-12-31T23:59:59Z", "to"),
        ("targets?to=0001-01-01T00:00:00Z", "to"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_the_parameters_name(
    client: TestClient, path: str, named: str
) -> None:
    """Problem details of RFC 9457, also where a browser asks."""
    answer = client.get(f"{API}/{path}")
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["title"]) == (422, "Unprocessable Content") or problem["title"]
    assert any(named in error["name"] for error in problem["errors"]), problem


@pytest.mark.parametrize("path", ["incidents/99", "outcomes/none", "nothing"])
def test_what_nobody_knows_is_a_problem_with_404(client: TestClient, path: str) -> None:
    """Programs get problem details."""
    answer = client.get(f"{API}/{path}")
    assert (answer.status_code, answer.json()["status"]) == (404, 404)


def test_writing_is_not_offered(client: TestClient) -> None:
    """There is nothing to post to."""
    assert client.post(f"{API}/outcomes", json={}).status_code == 405


def test_an_empty_monitor_answers_empty_lists(empty_client: TestClient) -> None:
    """Nothing is an answer; what is configured is listed, and unknown."""
    for path in ("outcomes", "windows", "incidents"):
        assert ask(empty_client, path)["items"] == []
    listed = ask(empty_client, "targets")["items"]
    assert {one["target"] for one in listed} == {target.key for target in TARGETS}
    assert {one["state"] for one in listed} == {"unknown"}


def test_every_route_is_described_without_a_page_from_elsewhere(client: TestClient) -> None:
    """OpenAPI lists the routes, and the page at /docs names each without loading anything."""
    described = client.get("/openapi.json").json()["paths"]
    page = client.get("/docs").text
    assert {f"{API}/targets", f"{API}/outcomes", f"{API}/windows", f"{API}/incidents"} <= described.keys()
    assert all(path in page for path in described)
    assert "https://" not in page
