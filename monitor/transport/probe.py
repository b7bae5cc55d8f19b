"""How far a host can be reached: a name, a connection, TLS; nothing is sent and nothing is judged."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from monitor.core.conversation import FaultKind
from monitor.core.model import Stage
from monitor.transport.errors import Broken
from monitor.transport.recorder import Recorder
from monitor.transport.sockets import Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """How far it went: `stage` is the last one entered, `fault` what ended it there, or None.

    `seconds` is how long it all took; `certificate_ends` is the end of the certificate's validity.
    """

    stage: Stage
    seconds: float
    fault: FaultKind | None = None
    detail: str | None = None
    peer: str | None = None
    tls: str | None = None
    certificate_ends: datetime | None = None
    by_proxy: bool = False  # a proxy ended it, or could not be reached

    @property
    def reached(self) -> bool:
        """Whether a connection stood, with TLS where it was asked for."""
        return self.fault is None


async def measure(
    connect: Callable[[str, Recorder], Awaitable[Streams]], url: str, tape: Recorder, deadline: float
) -> ProbeResult:
    """Connect to the origin of *url* within *deadline* seconds, and let go at once."""
    try:
        async with asyncio.timeout(deadline):
            _, writer = await connect(url, tape)
    except Broken as broken:
        return replace(_ended(tape, broken.kind, broken.detail), by_proxy=broken.by_proxy)
    except TimeoutError:
        return _ended(tape, FaultKind.TIMEOUT, f"no answer within {deadline:g} s")
    secured = writer.transport.get_extra_info("ssl_object")
    certificate = secured.getpeercert() if secured is not None else None
    reach = ProbeResult(
        stage=tape.stage,
        seconds=tape.at(),
        peer=tape.peer,
        tls=tape.tls,
        certificate_ends=_ends(certificate or {}),
    )
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return reach


def _ended(tape: Recorder, fault: FaultKind, detail: str) -> ProbeResult:
    return ProbeResult(stage=tape.stage, seconds=tape.at(), fault=fault, detail=detail, peer=tape.peer)


def _ends(certificate: dict[str, Any]) -> datetime | None:
    """`notAfter` as OpenSSL words it, ``Jun  1 12:00:00 2026 GMT`` (Python, `ssl.cert_time_to_seconds`)."""
    told = certificate.get("notAfter")
    if not isinstance(told, str):
        return None
    try:
        month, day, clock, year, _ = told.split()
        return parsedate_to_datetime(f"{day} {month} {year} {clock} +0000").astimezone(UTC)
    except ValueError:
        return None
