"""The endpoints' own lists of models: asked once a day, and never in the way of the checks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from monitor.core.conversation import Answer, Responded, Silent
from monitor.core.errors import MonitorError
from monitor.core.model import Endpoint, Target
from monitor.pipeline.retirements import Listing, RetirementLists, ask_lists
from tests.support.fakes import FakeClock
from tests.support.scripted_transport import ScriptedTransport

US = Endpoint(name="us", provider="openai", url="https://api.openai.com/v1", key="env:KEY")
AZURE = Endpoint(name="azure", provider="azure_openai", url="https://contoso.openai.azure.com", key="env:KEY")
TARGETS = [Target(endpoint=endpoint, model="whisper-1", pathway="rest") for endpoint in (US, AZURE)]
TODAY, TOMORROW = date(2026, 12, 1), date(2026, 12, 2)


def answered(body: Any, status: int = 200) -> Sequence[Answer]:
    """That body, as JSON."""
    return [Responded(at=0.2, status=status, headers=(), body=json.dumps(body).encode())]


def listing(day: str | None) -> Sequence[Answer]:
    """A list in which whisper-1 ends on that day."""
    return answered({"object": "list", "data": [{"id": "whisper-1", "shutdown_date": day}]})


def ends_of(endings: RetirementLists) -> list[tuple[date, tuple[str, ...], tuple[str, ...]]]:
    """Day, targets and who listed it, of each that is known."""
    return [(one.day, one.targets, one.listed_by) for one in endings]


def test_the_shipped_table_counts_until_a_list_is_had() -> None:
    """The list of an endpoint counts for its own targets only."""
    endings = RetirementLists(TARGETS)
    table = date(2027, 2, 26)
    assert ends_of(endings) == [(table, ("us/whisper-1/rest",), ()), (table, ("azure/whisper-1/rest",), ())]
    transport = ScriptedTransport(lambda: listing("2027-03-01"), FakeClock())
    asyncio.run(endings.ask(transport, TODAY))
    assert ends_of(endings) == [
        (table, ("azure/whisper-1/rest",), ()),
        (date(2027, 3, 1), ("us/whisper-1/rest",), ("us",)),
    ]
    assert len(endings) == 2
    assert next(iter(endings)) in endings


def test_each_endpoint_that_offers_a_list_is_asked_once_a_day() -> None:
    """Azure offers no such days and is not asked; a list that is gone tomorrow goes on to count."""
    endings = RetirementLists([*TARGETS, Target(endpoint=US, model="gpt-4o-transcribe", pathway="rest")])
    script = [listing("2027-03-01"), answered({"error": {"message": "gone"}}, 404)]
    transport = ScriptedTransport(lambda: script.pop(0), FakeClock())
    asyncio.run(endings.ask(transport, TODAY))
    asyncio.run(endings.ask(transport, TODAY))
    assert transport.held == 1
    known = ends_of(endings)
    asyncio.run(endings.ask(transport, TOMORROW))
    assert transport.held == 2
    assert ends_of(endings) == known


class OneMisses(ScriptedTransport):
    """A transport that meets what is given to it, in place of an answer."""

    error: BaseException = RuntimeError("a bug of ours")

    async def run(self, conversation: Any, *, deadline: float, proxy: str | None = None) -> Any:  # noqa: ARG002
        """Never an answer."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (MonitorError("the proxy is\nnot configured"), "the proxy is not configured"),
        (RuntimeError("secret words"), "our own side failed: RuntimeError"),
    ],
)
def test_what_our_own_side_meets_is_said_in_one_line(error: Exception, why: str) -> None:
    """And stops nothing."""
    transport = OneMisses(list, FakeClock())
    transport.error = error
    assert asyncio.run(ask_lists([US], transport)) == [Listing(endpoint="us", why=why)]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (answered({"error": {"message": "No such\nroute"}}, 404), "HTTP 404: No such route"),
        (answered({"data": 1}), "HTTP 200: the answer lists no models"),
        ([Silent(at=10.0)], "no complete answer within 10.0 s"),
    ],
)
def test_why_there_is_no_list_is_said_in_one_line(script: Sequence[Answer], why: str) -> None:
    """With the status and the provider's words, or with what is missing."""
    asked = asyncio.run(ask_lists([US, AZURE], ScriptedTransport(lambda: script, FakeClock())))
    assert asked == [Listing(endpoint="us", why=why)]


def test_a_list_without_an_end_is_said() -> None:
    """The transport gave up."""
    transport = ScriptedTransport(lambda: listing(None), FakeClock())
    transport.endless = True
    assert asyncio.run(ask_lists([US], transport)) == [Listing(endpoint="us", why="there was no end to it")]
