"""The facts of a target's page: what it may cost, what will end, what has changed without failing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from starlette.testclient import TestClient

from monitor.core.alerting.model_retirement import Retirement
from monitor.store.database.engine import Database
from tests.support.filled_database import DAY, MINUTE, SETTINGS, TARGETS, Dial, app_over, fill, run_of

SAID = "the session transcribes with whisper-1, gpt-4o-transcribe was asked for"


def told(database: Database, days: int, path: str) -> str:
    """A page of the first target, whose model ends in so many days and whose endpoint has a budget."""
    one = TARGETS[0]
    now = DAY + 30 * MINUTE
    fill(database, [(run_of(one, minute, 0, extra={"drift": [SAID]}), None) for minute in range(30)], now)
    ending = Retirement(
        model=one.model, day=(now + timedelta(days=days)).date(), successor="next", targets=(one.key,)
    )
    paid = replace(one, endpoint=replace(one.endpoint, daily_budget=2.0))
    settings = replace(SETTINGS, targets=(paid, *TARGETS[1:]), retirements=(ending,))
    app = app_over(database, Dial(now=now), settings)
    return TestClient(app, base_url="http://localhost").get(path.format(key=one.key)).text


def test_budget_retirement_and_drift_stand_on_the_targets_page(sqlite_database: Database) -> None:
    """However far the end is away; drift is that of the newest run."""
    text = told(sqlite_database, 200, "/targets/{key}")
    assert f"$2.00 for {TARGETS[0].endpoint.name}, $0.6000 of it kept for an open incident" in text
    assert "(in 200 days); its successor is next." in text
    assert SAID in text


def test_a_near_end_stands_on_the_first_page(sqlite_database: Database) -> None:
    """From 90 days before: in one line, however many models end, and each sentence folded under it."""
    page = told(sqlite_database, 90, "/")
    assert f"Models that end soon: {TARGETS[0].model} on 2026-02-15</summary>" in page
    assert "(in 90 days); its successor is next." in page


def test_a_far_end_does_not(sqlite_database: Database) -> None:
    """The first page is for what matters now."""
    assert "its successor" not in told(sqlite_database, 91, "/")


def test_a_slow_drift_stands_on_the_targets_page(sqlite_database: Database) -> None:
    """A day that is half as slow again as the month before, though every run passed."""
    one = TARGETS[0]
    before = [run_of(one, minute, 0, timings_ms={"final": 600.0}) for minute in range(-5 * 1440, -1440, 60)]
    day = [run_of(one, minute, 0, timings_ms={"final": 1200.0}) for minute in range(30)]
    fill(sqlite_database, [(run, None) for run in (*before, *day)], DAY + 30 * MINUTE)
    app = app_over(sqlite_database, Dial(now=DAY + 30 * MINUTE), SETTINGS)
    text = TestClient(app, base_url="http://localhost").get(f"/targets/{one.key}").text
    assert "Slower than usual: the p50 of the last 24 hours is" in text
