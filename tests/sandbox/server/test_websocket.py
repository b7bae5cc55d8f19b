"""The WebSocket side over real sockets: handshakes, close frames and their absence, pings, fragments."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.typing import Subprotocol

from monitor import clips
from monitor.sandbox import Script, create_app, running
from monitor.sandbox.common.script import NO_LATENCY
from tests.support.sandbox_sessions import AMIABLE, KEY, NOON, QUICK, appends, broken, fault

AZURE = "/azure-sweden/openai/v1/realtime?intent=transcription"
OPENAI = "/openai-us/v1/realtime?intent=transcription"
UPDATE = orjson.dumps(
    {
        "type": "session.update",
        "session": {
            "type": "transcription",
            "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}, "turn_detection": None}},
        },
    }
).decode()
COMMIT = '{"type": "input_audio_buffer.commit"}'


@asynccontextmanager
async def dialled(
    script: Script = QUICK, path: str = AZURE, key: str = KEY, headers: Mapping[str, str] | None = None
) -> AsyncIterator[ClientConnection]:
    """A connection to a sandbox of its own."""
    app = create_app(script, clock=lambda: NOON, rng=random.Random(3))
    async with running(app) as base:
        shown = {"api-key": key} if path.startswith("/azure") else {"authorization": f"Bearer {key}"}
        address = base.replace("http", "ws", 1) + path
        async with connect(
            address, additional_headers={**shown, **(headers or {})}, compression=None
        ) as socket:
            yield socket


async def event(socket: ClientConnection) -> dict[str, Any]:
    """The next event, within two seconds."""
    found: dict[str, Any] = orjson.loads(await asyncio.wait_for(socket.recv(), 2))
    return found


async def until(socket: ClientConnection, ending: str) -> dict[str, Any]:
    """The first event whose type ends so."""
    while True:
        found = await event(socket)
        if found["type"].endswith(ending):
            return found


async def speak(socket: ClientConnection, clip: str = "amiable") -> None:
    """Configures, sends a clip and commits."""
    await socket.send(UPDATE)
    for frame in appends(clips.load_clip(clip).pcm):
        await socket.send(frame.decode())
    await socket.send(COMMIT)


@pytest.mark.parametrize("path", [AZURE, OPENAI])
async def test_a_clip_is_transcribed_over_a_socket(path: str) -> None:
    """The whole way, on both vendors' addresses."""
    async with dialled(path=path) as socket:
        assert (await event(socket))["type"] == "session.created"
        await speak(socket)
        assert (await until(socket, ".completed"))["transcript"] == AMIABLE


async def test_the_upgrade_carries_evidence() -> None:
    """On 101 as on refusals; the clock is the sandbox's."""
    async with dialled(headers={"x-ms-client-request-id": "mine"}) as socket:
        assert socket.response is not None
        headers = socket.response.headers
        assert headers["x-ms-region"] == "Sweden Central"
        assert headers["x-ms-client-request-id"] == "mine"
        assert headers["date"] == "Mon, 17 Nov 2025 12:00:00 GMT"
        assert "apim-request-id" in headers


async def test_azure_refuses_with_status_body_and_evidence() -> None:
    """A wrong key never gets a socket."""
    with pytest.raises(InvalidStatus) as refused:
        async with dialled(key="wrong"):
            pass
    response = refused.value.response
    assert response.status_code == 401
    assert orjson.loads(bytes(response.body or b""))["error"]["code"] == "401"
    assert response.headers["x-ms-region"] == "Sweden Central"
    assert "apim-request-id" in response.headers


async def test_openai_accepts_says_one_error_and_closes() -> None:
    """101, error, close 3000 with the reason of the live service."""
    async with dialled(path=OPENAI, key="wrong") as socket:
        assert (await event(socket))["error"]["code"] == "invalid_api_key"
        with pytest.raises(ConnectionClosedError) as closed:
            await event(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 3000
    assert closed.value.rcvd.reason == "invalid_request_error.invalid_api_key"


async def test_a_status_fault_carries_its_headers_on_the_upgrade() -> None:
    """429 with its wait hint."""
    with pytest.raises(InvalidStatus) as refused:
        async with dialled(broken(fault("429", retry_after=7))):
            pass
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["retry-after"] == "7"


async def test_a_drop_leaves_no_close_frame() -> None:
    """The client sees what the standard calls 1006."""
    async with dialled(broken(fault("drop"))) as socket:
        await speak(socket)
        with pytest.raises(ConnectionClosedError) as closed:
            await until(socket, "committed")
    assert closed.value.rcvd is None


async def test_an_upgrade_can_stay_unanswered() -> None:
    """The connection stands, nothing comes."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), dialled(broken(fault("no_upgrade"))):
            pass


async def test_a_socket_can_open_and_stay_silent() -> None:
    """No session.created after 101."""
    async with dialled(broken(fault("no_created"))) as socket:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.2)


async def test_the_server_pings() -> None:
    """At the interval of the script; the client's library answers."""
    script = Script(latency=NO_LATENCY, ping=0.05)
    app = create_app(script)
    async with running(app) as base:
        reader, writer = await asyncio.open_connection(*address(base))
        writer.write(upgrade(AZURE))
        await reader.readuntil(b"\r\n\r\n")
        seen = await asyncio.wait_for(reader.readuntil(b"\x89\x00"), 2)
        assert b"session.created" in seen
        writer.close()
        await writer.wait_closed()


async def test_a_session_expires() -> None:
    """Error session_expired, close 1001."""
    async with dialled(Script(latency=NO_LATENCY, session=0.05)) as socket:
        assert (await event(socket))["session"]["expires_at"] == int(NOON.timestamp())
        assert (await event(socket))["error"]["code"] == "session_expired"
        with pytest.raises(ConnectionClosedOK) as closed:
            await event(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001


async def test_binary_frames_are_refused_and_the_session_goes_on() -> None:
    """An error event, no close."""
    async with dialled() as socket:
        await event(socket)
        await socket.send(b"\x00\x01")
        assert (await event(socket))["error"]["code"] == "invalid_event"
        await speak(socket)
        assert (await until(socket, ".completed"))["transcript"] == AMIABLE


async def test_fragmented_messages_are_put_together() -> None:
    """An update in three frames is one update."""
    async with dialled() as socket:
        await event(socket)
        await socket.send([UPDATE[:10], UPDATE[10:50], UPDATE[50:]])
        assert (await event(socket))["type"] == "session.updated"


async def test_events_after_a_delay_reach_the_client() -> None:
    """A script with latency answers late but in order."""
    async with dialled(Script()) as socket:
        await event(socket)
        await speak(socket)
        assert (await until(socket, ".committed"))["previous_item_id"] is None
        assert (await until(socket, ".completed"))["transcript"] == AMIABLE


async def test_a_message_over_the_limit_ends_the_connection() -> None:
    """1009, and the server goes on."""
    async with dialled() as socket:
        await event(socket)
        with contextlib.suppress(ConnectionClosedError):
            await socket.send("x" * (24 * 1024 * 1024 + 1))
        with pytest.raises(ConnectionClosedError) as closed:
            await event(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize("chunk", [1, 7, 64])
async def test_a_handshake_may_come_in_pieces(chunk: int) -> None:
    """TCP promises no boundaries."""
    async with running(create_app(QUICK)) as base:
        reader, writer = await asyncio.open_connection(*address(base))
        request = upgrade(AZURE)
        for at in range(0, len(request), chunk):
            writer.write(request[at : at + chunk])
            await asyncio.sleep(0)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        writer.close()
        await writer.wait_closed()


async def test_a_request_that_is_no_handshake_is_refused() -> None:
    """Without a key of the WebSocket protocol there is no session."""
    async with running(create_app(QUICK)) as base:
        reader, writer = await asyncio.open_connection(*address(base))
        writer.write(upgrade(AZURE).replace(b"Sec-WebSocket-Key", b"X-Other"))
        assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
        writer.close()
        await writer.wait_closed()


async def test_clients_that_vanish_leave_nothing_behind() -> None:
    """Reset in mid-audio: the next client is served."""
    async with running(create_app(QUICK)) as base:
        for _ in range(3):
            _, writer = await asyncio.open_connection(*address(base))
            writer.write(upgrade(AZURE))
            writer.transport.abort()
        async with connect(base.replace("http", "ws") + AZURE, additional_headers={"api-key": KEY}) as socket:
            await event(socket)
            await speak(socket)
            assert (await until(socket, ".completed"))["transcript"] == AMIABLE


async def test_many_sessions_at_once_keep_apart() -> None:
    """Forty sessions with two clips each hear their own."""
    wanted = [clips.names()[number % 3] for number in range(40)]
    async with running(create_app(Script())) as base:

        async def one(clip: str) -> str:
            address = base.replace("http", "ws") + AZURE
            async with connect(address, additional_headers={"api-key": KEY}, compression=None) as socket:
                await event(socket)
                await speak(socket, clip)
                return str((await until(socket, ".completed"))["transcript"])

        heard = await asyncio.gather(*map(one, wanted))
    assert heard == [clips.load_clip(clip).text for clip in wanted]


def address(base: str) -> tuple[str, int]:
    host, _, port = base.removeprefix("http://").rpartition(":")
    return host, int(port)


def upgrade(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: sandbox\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\napi-key: {KEY}\r\n\r\n"
    ).encode()


async def test_a_browser_shows_its_key_as_a_sub_protocol() -> None:
    """OpenAI's JavaScript SDK offers `realtime` and the key; the first is chosen, a wrong key is refused."""
    app = create_app(QUICK, clock=lambda: NOON, rng=random.Random(3))
    async with running(app) as base:
        address = base.replace("http", "ws", 1) + OPENAI
        for key, kind in ((KEY, "session.created"), ("wrong", "error")):
            offer = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{key}")]
            async with connect(address, subprotocols=offer, compression=None) as socket:
                assert socket.subprotocol == "realtime"
                assert (await event(socket))["type"] == kind
