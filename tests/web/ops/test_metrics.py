"""Metrics: the names and labels of the contract, and nothing secret or unbounded in a label."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from monitor.store.database.engine import Database
from tests.support.filled_database import TARGETS, Dial, app_over, evidence_for, fill, run_of

FAMILIES = {
    "monitor_checks",
    "monitor_check_duration_seconds",
    "monitor_first_text_seconds",
    "monitor_word_error_ratio",
    "monitor_clock_offset_seconds",
    "monitor_target_state",
    "monitor_last_check_timestamp_seconds",
    "monitor_slots_missed",
    "monitor_deliveries",
}


def samples(client: TestClient) -> list[tuple[str, dict[str, str], float]]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    families = list(text_string_to_metric_families(answer.text))
    assert {family.name for family in families} == FAMILIES
    return [(one.name, one.labels, one.value) for family in families for one in family.samples]


def test_runs_are_counted_by_verdict(client: TestClient) -> None:
    """The counters agree with what was stored."""
    found = {
        (labels["target"], labels["verdict"]): value
        for name, labels, value in samples(client)
        if name == "monitor_checks_total"
    }
    assert found[TARGETS[1].key, "failed"] == 420
    assert found[TARGETS[1].key, "passed"] == 560
    assert found[TARGETS[0].key, "failed"] == 1


def test_exactly_one_state_of_a_target_is_set(client: TestClient) -> None:
    """Zero or one each, and one in all."""
    sums: dict[str, float] = {}
    for name, labels, value in samples(client):
        if name == "monitor_target_state":
            sums[labels["target"]] = sums.get(labels["target"], 0) + value
    assert sums == {target.key: 1 for target in TARGETS}


def test_the_histogram_rises_and_ends_with_its_count(client: TestClient) -> None:
    """Buckets are cumulative, the last is infinite."""
    key = TARGETS[0].key
    buckets = [
        (float(labels["le"]), value)
        for name, labels, value in samples(client)
        if name == "monitor_check_duration_seconds_bucket" and labels["target"] == key
    ]
    assert [value for _, value in buckets] == sorted(value for _, value in buckets)
    assert buckets[-1] == (float("inf"), 979)


def test_the_newest_run_tells_its_first_text_and_its_word_errors(client: TestClient) -> None:
    """In seconds and as a share, of every target whose newest run heard something."""
    found = {
        (name, labels["target"]): value
        for name, labels, value in samples(client)
        if name in {"monitor_first_text_seconds", "monitor_word_error_ratio"}
    }
    for target in TARGETS:
        assert found["monitor_first_text_seconds", target.key] == 0.402
        assert found["monitor_word_error_ratio", target.key] == 0.0


def test_a_run_that_heard_nothing_tells_neither_and_dates_tell_our_clock(
    sqlite_database: Database, dial: Dial
) -> None:
    """A failed run has no first text; the date in its answer says how far our clock is surely off."""
    run = run_of(TARGETS[0], 979, 0, failed=True)
    theirs = format_datetime(run.started_at - timedelta(minutes=5), usegmt=True)
    seen = {**evidence_for(run), "response_headers": [["date", theirs]]}
    fill(sqlite_database, [(run, seen), (run_of(TARGETS[4], 979, 4), None)])
    with TestClient(app_over(sqlite_database, dial), base_url="http://127.0.0.1") as client:
        told = samples(client)
    alone = [labels for name, labels, _ in told if name == "monitor_first_text_seconds"]
    assert [labels["target"] for labels in alone] == [TARGETS[4].key]
    ((labels, offset),) = [
        (labels, value) for name, labels, value in told if name == "monitor_clock_offset_seconds"
    ]
    assert labels == {"endpoint": TARGETS[0].endpoint.name}
    assert 297 <= offset <= 300


def test_deliveries_are_counted_by_what_became_of_them(client: TestClient) -> None:
    """Sent and still owed, per channel."""
    found = {
        (labels["channel"], labels["result"]): value
        for name, labels, value in samples(client)
        if name == "monitor_deliveries_total"
    }
    assert found[("oncall", "sent")] == 1
    assert found[("ops", "owed")] == 1


def test_no_label_holds_an_address_an_id_or_a_key(client: TestClient) -> None:
    """Labels are names from the configuration and closed lists."""
    for _, labels, _ in samples(client):
        assert labels.keys() <= {
            "target",
            "pathway",
            "location",
            "verdict",
            "state",
            "channel",
            "endpoint",
            "result",
            "le",
        }
        assert not any("://" in value or "sess_" in value or "apim" in value for value in labels.values())


def test_openmetrics_is_spoken_where_it_is_asked_for(client: TestClient) -> None:
    """By content negotiation."""
    answer = client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_counters_are_the_same_however_long_ago_a_run_was(sqlite_database: Database, dial: Dial) -> None:
    """Days long past are summed once a day; a run of today counts at once, and nothing counts twice."""
    with TestClient(app_over(sqlite_database, dial), base_url="http://127.0.0.1") as client:

        def passed() -> float:
            return sum(
                value
                for name, labels, value in samples(client)
                if name == "monitor_checks_total" and labels["verdict"] == "passed"
            )

        fill(sqlite_database, [(run_of(TARGETS[0], minute, 0), None) for minute in range(10)])
        assert passed() == 10
        for days in (1, 6, 7, 8, 30):
            dial.now += timedelta(days=days)
            assert passed() == 10
        fill(sqlite_database, [(run_of(TARGETS[0], minute, 0), None) for minute in range(10, 15)])
        dial.now += timedelta(days=1)
        assert passed() == 15
