"""Run targets once, now, without a database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from monitor.config import Settings
from monitor.core.model import Kind, Target
from monitor.pipeline.observe import Due, Observed, observe
from monitor.service.build import transport_of

AT_ONCE = 20


async def check_all(settings: Settings, targets: Sequence[Target]) -> list[Observed]:
    """One run of each, at most `AT_ONCE` at a time, in the order of the targets."""
    transport = transport_of(settings)
    places = asyncio.Semaphore(AT_ONCE)

    async def one(target: Target) -> Observed:
        async with places:
            now = datetime.now(UTC)
            due = Due(target=target, slot=now, kind=Kind.MANUAL, location=settings.monitor.location)
            return await observe(due, transport, now=now)

    try:
        return await asyncio.gather(*(one(target) for target in targets))
    finally:
        await transport.aclose()
