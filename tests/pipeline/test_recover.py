"""Limits outlive a restart: quota, budget and pauses follow from what is stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.core.model import Failure, Verdict
from monitor.pipeline.recover import pause_until, resume
from monitor.store.database.engine import Database
from monitor.store.outcomes.add import add_outcomes
from tests.support.scripted_transport import target
from tests.support.stored_outcomes import DAY, MINUTE, make

TARGET = target()
COSTS = {TARGET.key: 0.01}


def headers(value: str) -> dict[str, Any]:
    """The evidence of an answer that asks for a pause."""
    return {"response_headers": [["Retry-After", value]]}


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [("20", 20), ("86400", 3600), ("Mon, 17 Nov 2025 00:01:03 GMT", 59.899), ("soon", None), ("-3", None)],
)
def test_seconds_dates_and_nonsense(asked: str, seconds: float | None) -> None:
    """A pause counts from the end of the run, and an absurd one is cut to an hour."""
    refused = make(0, Verdict.FAILED, failure=Failure.QUOTA, http_status=429)
    until = pause_until(refused, headers(asked))
    assert until == (None if seconds is None else refused.finished_at + timedelta(seconds=seconds))


def test_only_a_refusal_for_quota_or_capacity_asks_for_a_pause() -> None:
    """What passed, and what broke, is asked again as usual."""
    assert pause_until(make(0), headers("20")) is None
    assert pause_until(make(0, Verdict.FAILED), headers("20")) is None
    assert pause_until(make(0, Verdict.FAILED, failure=Failure.CAPACITY), None) is None


def test_an_unavailable_service_may_ask_too() -> None:
    """RFC 9110 gives the header a meaning with 503, however the failure is called."""
    away = make(0, Verdict.FAILED, failure=Failure.SERVER, http_status=503)
    assert pause_until(away, headers("20")) == away.finished_at + timedelta(seconds=20)


def test_a_restart_gives_nothing_back(sqlite_database: Database) -> None:
    """Runs of the last minute, the money of the day with targets that are watched no more, the last pause."""
    refused = make(3, Verdict.FAILED, failure=Failure.QUOTA)
    gone = make(2, id="gone", model="gone")
    with sqlite_database.write() as tx:
        add_outcomes(tx, [(make(1), None), (gone, None), (refused, headers("600"))])
    now = DAY + 3 * MINUTE + timedelta(seconds=30)
    found = resume(sqlite_database, [TARGET], COSTS, location="berlin", now=now)
    assert found.starts == [(TARGET.key, refused.started_at)]
    assert found.spent == {"azure-sweden": pytest.approx(0.03)}
    assert found.pauses == {TARGET.key: refused.finished_at + timedelta(minutes=10)}


def test_what_is_over_does_not_bind(sqlite_database: Database) -> None:
    """Yesterday's money, a pause that a later run has shown to be over, another location."""
    refused = make(3, Verdict.FAILED, failure=Failure.QUOTA)
    with sqlite_database.write() as tx:
        add_outcomes(tx, [(refused, headers("600")), (make(4), None)])
    later = resume(sqlite_database, [TARGET], COSTS, location="berlin", now=DAY + 6 * MINUTE)
    assert (later.starts, later.pauses) == ([], {})
    tomorrow = resume(sqlite_database, [TARGET], COSTS, location="berlin", now=DAY + timedelta(days=1))
    elsewhere = resume(sqlite_database, [TARGET], COSTS, location="oslo", now=DAY + 6 * MINUTE)
    assert tomorrow.spent == elsewhere.spent == {}
