"""TLS with a certificate made at start."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

import httpx
import pytest
from websockets.asyncio.client import connect

from monitor.sandbox import create_app, running
from monitor.sandbox.server.certificate import serving_certificate
from tests.support.sandbox_sessions import KEY, QUICK


async def test_clients_that_trust_the_certificate_speak_http_and_websocket() -> None:
    """By address and by name, over https and wss, with verification on."""
    with serving_certificate("127.0.0.1", datetime.now(UTC)) as served:
        trust = ssl.create_default_context(cafile=str(served.path))
        async with running(create_app(QUICK), tls=served.context) as base:
            assert base.startswith("https://127.0.0.1:")
            async with httpx.AsyncClient(verify=trust) as client:
                for address in (base, base.replace("127.0.0.1", "localhost")):
                    assert (await client.get(address + "/_control/faults")).json() == {"faults": []}
            path = "/openai-us/v1/realtime?intent=transcription"
            shown = {"authorization": f"Bearer {KEY}"}
            async with connect(
                base.replace("https", "wss") + path, additional_headers=shown, ssl=trust
            ) as socket:
                assert b"session.created" in (await socket.recv(decode=False))


async def test_a_client_that_does_not_trust_it_is_refused() -> None:
    """The certificate is nobody's but ours, and its key is not left in a file."""
    with serving_certificate("127.0.0.1", datetime.now(UTC)) as served:
        assert [path.name for path in served.path.parent.iterdir()] == ["certificate.pem"]
        async with running(create_app(QUICK), tls=served.context) as base, httpx.AsyncClient() as client:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await client.get(base + "/_control/faults")
    assert not served.path.exists()
