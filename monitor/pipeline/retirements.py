"""What is known of models that end, kept up by asking the endpoints for their own lists once a day.

A list that cannot be had is no outage and changes nothing: what was known before goes on to count.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import structlog

from monitor.catalogue.retirements import retirements_of
from monitor.checks.model_list import WITHIN_S, models
from monitor.core.alerting.model_retirement import Retirement
from monitor.core.conversation import End, Finding
from monitor.core.errors import MonitorError
from monitor.core.model import Endpoint, Target
from monitor.core.sanitize import one_line
from monitor.providers import PROVIDERS
from monitor.transport import Transport

log = structlog.get_logger("endings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What an endpoint's list said: the last days and the names of models, or why there is no list."""

    endpoint: str
    ends: Mapping[str, date] | None = None
    models: frozenset[str] = frozenset()
    why: str | None = None


class RetirementLists(Collection[Retirement]):
    """The retirements known now, the nearest first; by the shipped table until a list was had."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = targets
        self._lists: dict[str, Mapping[str, date]] = {}
        self._asked_on: date | None = None
        self._known = tuple(retirements_of(targets))

    def __iter__(self) -> Iterator[Retirement]:
        """Those of this moment."""
        return iter(self._known)

    def __len__(self) -> int:
        """How many are known."""
        return len(self._known)

    def __contains__(self, one: object) -> bool:
        """Whether it is known."""
        return one in self._known

    async def ask(self, transport: Transport, today: date) -> None:
        """Ask every endpoint for its list, unless that was done *today*; raises nothing but cancellation."""
        if today == self._asked_on:
            return
        self._asked_on = today
        for listing in await ask_lists((target.endpoint for target in self._targets), transport):
            if listing.ends is None:
                log.info("no list of models was had", endpoint=listing.endpoint, reason=listing.why)
            else:
                self._lists[listing.endpoint] = listing.ends
        self._known = tuple(retirements_of(self._targets, self._lists))


async def ask_lists(endpoints: Iterable[Endpoint], transport: Transport) -> Sequence[Listing]:
    """The lists of those endpoints whose vendor offers one, each asked once, all at the same time."""
    offered = {endpoint.name: (endpoint, _address(endpoint)) for endpoint in endpoints}
    asking = [_ask(endpoint, url, transport) for endpoint, url in offered.values() if url is not None]
    return await asyncio.gather(*asking)


def _address(endpoint: Endpoint) -> str | None:
    return PROVIDERS[endpoint.provider].models_url(endpoint)


async def _ask(endpoint: Endpoint, url: str, transport: Transport) -> Listing:
    try:
        await transport.ready(PROVIDERS[endpoint.provider].credential(endpoint))
        asking = models(endpoint, url, str(uuid.uuid4()))
        seen = await transport.run(asking, deadline=WITHIN_S, proxy=endpoint.proxy)
    except MonitorError as error:
        return Listing(endpoint=endpoint.name, why=one_line(str(error), 200))
    except Exception as error:  # a courtesy: whatever a list met, the checks must go on
        log.exception("asking for a list of models failed on our side", endpoint=endpoint.name)
        return Listing(endpoint=endpoint.name, why=f"our own side failed: {type(error).__name__}")
    if seen.finding is not None and seen.finding.end is End.LISTED:
        return Listing(endpoint=endpoint.name, ends=seen.finding.ends, models=seen.finding.models)
    return Listing(endpoint=endpoint.name, why=_why(seen.finding))


def _why(finding: Finding | None) -> str:
    if finding is None:
        return "there was no end to it"
    status = f"HTTP {finding.http_status}" if finding.http_status else None
    said = (finding.error.message if finding.error else None) or finding.detail
    return one_line(": ".join(part for part in (status, said) if part), 200) or finding.end.value
