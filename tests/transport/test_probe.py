"""How far a host can be reached: each stage by its name, the certificate's end, nothing left open."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.core.conversation import FaultKind
from monitor.core.model import Stage
from monitor.transport import Transport
from tests.support.fakes import Line, ScriptedServer, stay
from tests.support.transport_conversations import closed_port, full_port, server_tls, transport


async def test_a_connection_is_all_that_is_made() -> None:
    """Nothing is sent; peer and time are told."""
    async with ScriptedServer(_quiet) as server:
        found = await transport().reach(server.url("http"), deadline=5)
    assert (found.reached, found.stage, found.tls) == (True, Stage.CONNECT, None)
    assert (found.peer or "").startswith("127.0.0.1:")
    assert found.certificate_ends is None
    assert 0 <= found.seconds < 5


async def test_tls_tells_when_the_certificate_ends() -> None:
    """In UTC, as the certificate says."""
    async with ScriptedServer(_quiet, tls=server_tls("right.pem")) as server:
        found = await transport().reach(server.url("https", host="localhost"), deadline=5)
    assert found.reached, found
    assert found.stage is Stage.TLS
    ends = found.certificate_ends
    assert isinstance(ends, datetime)
    assert ends.utcoffset() == timedelta(0)


async def test_a_certificate_that_is_not_believed_ends_at_tls() -> None:
    """With the reason of the library."""
    async with ScriptedServer(_quiet, tls=server_tls("expired.pem")) as server:
        found = await transport().reach(server.url("https", host="localhost"), deadline=5)
    assert (found.stage, found.fault) == (Stage.TLS, FaultKind.CERTIFICATE)
    assert "expired" in (found.detail or "")


async def test_what_is_refused_unknown_or_silent_ends_at_its_stage() -> None:
    """A closed port, a name nobody has, and a host that never takes the connection."""
    refused = await transport().reach(f"http://127.0.0.1:{closed_port()}", deadline=5)
    assert (refused.stage, refused.fault) == (Stage.CONNECT, FaultKind.REFUSED)
    unknown = await transport().reach("http://nowhere.invalid:80", deadline=10)
    assert unknown.stage is Stage.RESOLVE
    with full_port() as port:
        silent = await transport().reach(f"http://127.0.0.1:{port}", deadline=0.2)
        assert (silent.stage, silent.fault) == (Stage.CONNECT, FaultKind.TIMEOUT)


async def test_what_a_proxy_ends_is_known_to_be_its() -> None:
    """A proxy that is not there is told from a host that is not: the fact stands beside the words."""
    runner = Transport(secret=lambda _: "", proxy=f"http://127.0.0.1:{closed_port()}")
    found = await runner.reach("http://127.0.0.1:9", deadline=5)
    await runner.aclose()
    assert (found.fault, found.by_proxy) == (FaultKind.MONITOR, True)
    refused = await transport().reach(f"http://127.0.0.1:{closed_port()}", deadline=5)
    assert not refused.by_proxy


async def test_an_address_that_cannot_be_dialled_is_our_own_fault() -> None:
    """A word without a port is no control host."""
    found = await Transport(secret=lambda _: "").reach("ftp://example", deadline=1)
    assert found.fault is FaultKind.MONITOR


async def _quiet(line: Line) -> None:
    await stay()
