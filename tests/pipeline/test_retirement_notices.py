"""Notices of models that end: owed once by whatever list says so, and waiting for the database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from monitor.core.alerting.decide import Policy
from monitor.core.conversation import Answer, Responded
from monitor.core.model import Endpoint, Target
from monitor.pipeline.derive import DerivationSettings
from monitor.pipeline.retirement_notices import RetirementNotices
from monitor.store.database.engine import Database
from monitor.store.incidents.notices import read_notices
from tests.support.fakes import FakeClock
from tests.support.scripted_transport import ScriptedTransport

ENDPOINT = Endpoint(name="us", provider="openai", url="https://api.openai.com/v1", key="env:KEY")
TARGETS = [Target(endpoint=ENDPOINT, model="whisper-1", pathway="rest")]
HOUSE = DerivationSettings(policies=[Policy(channel="owner", when=frozenset({"account"}))])
NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)


def listing() -> Sequence[Answer]:
    """A list in which whisper-1 ends in twenty days."""
    body = {"object": "list", "data": [{"id": "whisper-1", "shutdown_date": "2026-12-21"}]}
    return [Responded(at=0.2, status=200, headers=(), body=json.dumps(body).encode())]


def test_a_notice_is_owed_once_however_often_is_looked(sqlite_database: Database) -> None:
    """Every minute of the same day, on the next day, and by a service that was restarted."""
    clock = FakeClock()
    clock.instant = NOW
    transport = ScriptedTransport(listing, clock)

    def made() -> RetirementNotices:
        return RetirementNotices(TARGETS, sqlite_database, HOUSE, transport, clock=clock)

    notices = made()
    for minutes in (0, 1, 24 * 60):
        clock.instant = NOW + timedelta(minutes=minutes)
        asyncio.run(notices.refresh())
    asyncio.run(made().refresh())
    with sqlite_database.read() as tx:
        (owed,) = read_notices(tx)
    assert (owed.channel, owed.body["data"]["model"]) == ("owner", "whisper-1")
    assert [one.day for one in notices.known()] == [date(2026, 12, 21)]
