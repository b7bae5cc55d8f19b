"""Hostile peers over real sockets: what a client meets, and that the others are served meanwhile."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from monitor import clips
from monitor.sandbox import Script, ServedEndpoint, create_app, running
from monitor.sandbox.common.script import NO_LATENCY
from monitor.sandbox.faults.catalogue import KINDS, POSTS
from monitor.sandbox.faults.payloads import BOMB_MEGABYTES, HUGE_FRAME, gzip_bomb, hostile_stream
from monitor.sandbox.server.first_bytes import FirstBytesDecision, judge_first_bytes
from tests.support.sandbox_sessions import AMIABLE, KEY, QUICK, at_16_khz, broken, fault, sandbox, wav

UPLOAD = "/openai-us/v1/audio/transcriptions"
SECRET = "/openai-us/v1/realtime/client_secrets"
SHORT = "/speech-sweden/speech/recognition/conversation/cognitiveservices/v1?language=en-US"
SESSION = "/openai-us/v1/realtime?intent=transcription"
SPEECH_SOCKET = SHORT
BOTH = Script(
    endpoints={
        "openai-us": ServedEndpoint(name="openai-us", kind="openai"),
        "speech-sweden": ServedEndpoint(name="speech-sweden", kind="speech"),
        "fine": ServedEndpoint(name="fine", kind="openai"),
    },
    latency=NO_LATENCY,
)
HEADERS = {"authorization": f"Bearer {KEY}"}
CLIP = clips.load_clip("amiable")


@asynccontextmanager
async def serving(name: str, **rest: Any) -> AsyncIterator[str]:
    """A sandbox with one fault; the endpoint `fine` is spared where the fault names another."""
    async with running(create_app(broken(fault(name, **rest), script=BOTH))) as base:
        yield base


async def post(base: str, pathway: str = "rest", patience: float = 1.0) -> httpx.Response:
    """One request of a pathway, redirects not followed."""
    async with httpx.AsyncClient(base_url=base, timeout=patience, headers=HEADERS) as client:
        if pathway == "client_secret":
            return await client.post(SECRET, json={})
        if pathway == "speech_rest":
            content = wav(at_16_khz(CLIP.pcm), 16_000)
            return await client.post(SHORT, content=content, headers={"content-type": "audio/wav"})
        data = {"model": "gpt-4o-transcribe", "stream": "true" if pathway == "rest_stream" else "false"}
        return await client.post(UPLOAD, data=data, files={"file": ("p.wav", CLIP.wav, "audio/wav")})


@asynccontextmanager
async def dialled(base: str, path: str = SESSION) -> AsyncIterator[ClientConnection]:
    """A WebSocket without limits of its own."""
    address = base.replace("http", "ws", 1) + path
    async with connect(
        address, additional_headers=HEADERS, compression=None, max_size=None, close_timeout=0.1
    ) as socket:
        yield socket


@pytest.mark.parametrize("pathway", POSTS)
@pytest.mark.parametrize(
    ("name", "status", "media"),
    [
        ("empty_200", 200, "application/json"),
        ("error_200", 200, "application/json"),
        ("html_200", 200, "text/html; charset=utf-8"),
        ("invalid_json", 200, "application/json"),
        ("invalid_utf8", 200, "application/json"),
        ("truncated_json", 200, None),
        ("wrong_type", 200, "text/html; charset=utf-8"),
        ("wrong_charset", 200, None),
        ("redirect", 307, None),
        ("redirect_loop", 307, None),
        ("large_headers", 200, "application/json"),
    ],
)
async def test_broken_answers_on_every_request(
    pathway: str, name: str, status: int, media: str | None
) -> None:
    """Each has its status and its media type, whatever was asked."""
    async with serving(name) as base:
        if name == "large_headers":
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                await post(base, pathway)
            return
        reply = await post(base, pathway)
    assert reply.status_code == status
    assert media is None or reply.headers["content-type"] == media


async def test_bodies_are_broken_as_they_say() -> None:
    """Half of it, UTF-16, an error object, a page, nothing."""
    right = b'{"text":"He might even have been made amiable himself."'
    bodies = {}
    for name in ("truncated_json", "wrong_charset", "error_200", "html_200", "empty_200"):
        async with serving(name) as base:
            bodies[name] = (await post(base)).content
    assert right.startswith(bodies["truncated_json"][:20])
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(bodies["truncated_json"])
    assert orjson.loads(bodies["wrong_charset"].decode("utf-16"))["text"] == AMIABLE
    assert orjson.loads(bodies["error_200"])["error"]["type"] == "server_error"
    assert b"Sign in" in bodies["html_200"]
    assert bodies["empty_200"] == b""


async def test_a_redirect_names_another_host_or_itself() -> None:
    """By default one that does not exist; the location can be chosen."""
    for extras, location in (({}, "http://elsewhere.invalid/"), ({"location": "/x"}, "/x")):
        async with serving("redirect", **extras) as base:
            assert (await post(base)).headers["location"] == location
            reader, writer = await opened(base)
            writer.write(upgrade(SESSION))
            answer = (await reader.readuntil(b"\r\n\r\n")).decode()
            assert answer.startswith("HTTP/1.1 307 ")
            assert f"location: {location}\r\n" in answer
            writer.transport.abort()


async def test_a_captive_portal_answers_the_upgrade() -> None:
    """200 with a page, no 101."""
    async with serving("html_200") as base:
        for path in (SESSION, SPEECH_SOCKET):
            with pytest.raises(InvalidStatus) as refused:
                async with dialled(base, path):
                    pass
            assert refused.value.response.status_code == 200
            assert b"Sign in" in bytes(refused.value.response.body or b"")


@pytest.mark.parametrize("name", ["endless_body", "huge_length", "drip", "silent"])
@pytest.mark.parametrize("pathway", ["rest", "rest_stream", "speech_rest"])
async def test_answers_that_never_end(pathway: str, name: str) -> None:
    """A client that reads to the end waits for ever, until it gives up."""
    async with serving(name) as base:
        with pytest.raises((httpx.ReadTimeout, TimeoutError)):
            async with asyncio.timeout(0.5):
                await post(base, pathway, patience=0.4)


async def test_an_endless_body_begins_right() -> None:
    """The answer is there, and only its end is missing; 10 GB are announced where that is the fault."""
    for name in ("endless_body", "huge_length"):
        async with serving(name) as base, httpx.AsyncClient(base_url=base, headers=HEADERS) as client:
            files, data = {"file": ("p.wav", CLIP.wav, "audio/wav")}, {"model": "whisper-1"}
            async with client.stream("POST", UPLOAD, files=files, data=data) as reply:
                first = await anext(reply.aiter_bytes())
            assert orjson.loads(first)["text"] == AMIABLE
            assert (reply.headers.get("content-length") == "10000000000") is (name == "huge_length")


async def test_a_drip_comes_byte_by_byte() -> None:
    """At the pace that was asked for."""
    async with (
        serving("drip", delay=0.02) as base,
        httpx.AsyncClient(base_url=base, headers=HEADERS) as client,
    ):
        pieces = []
        async with client.stream("POST", SECRET, json={}) as reply:
            async for piece in reply.aiter_raw():
                pieces.append(piece)
                if len(pieces) == 5:
                    break
    assert all(len(piece) <= 2 for piece in pieces)
    assert b"".join(pieces).startswith(b'{"va')


async def test_a_flood_of_a_body_goes_on() -> None:
    """Megabytes, as long as somebody reads."""
    async with serving("flood") as base, httpx.AsyncClient(base_url=base, headers=HEADERS) as client:
        size = 0
        async with client.stream("POST", SECRET, json={}) as reply:
            async for piece in reply.aiter_raw():
                size += len(piece)
                if size > 4_000_000:
                    break
    assert size > 4_000_000


def test_the_bomb_is_small_and_its_content_is_not() -> None:
    """A sound gzip stream, 256 MB from less than a megabyte, read here piece by piece."""
    bomb = gzip_bomb()
    assert len(bomb) < 1_000_000
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    size, data = 0, bomb
    while data:
        size += len(unpacker.decompress(data, 4_000_000))
        data = unpacker.unconsumed_tail
    assert unpacker.eof
    assert size == 12 + BOMB_MEGABYTES * 1024 * 1024
    with pytest.raises(EOFError):
        gzip.decompress(bomb[:1000])


async def test_the_bomb_is_announced_as_gzip() -> None:
    """The body on the wire is the packed one."""
    async with (
        serving("gzip_bomb") as base,
        httpx.AsyncClient(base_url=base, headers=HEADERS) as client,
        client.stream("POST", SECRET, json={}) as reply,
    ):
        size = sum([len(piece) async for piece in reply.aiter_raw()])
    assert reply.headers["content-encoding"] == "gzip"
    assert size == len(gzip_bomb())


async def test_headers_can_hold_control_characters() -> None:
    """A strict client refuses to read them."""
    async with serving("control_headers") as base:
        with pytest.raises(httpx.RemoteProtocolError):
            await post(base)


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("sse_error", "error"),
        ("deltas_stop", "transcript.text.delta"),
        ("slow", "transcript.text.done"),
    ],
)
async def test_streams_can_end_otherwise(name: str, ending: str) -> None:
    """With an error object, or with nothing at all."""
    async with serving(name, **({"delay": 0} if name == "slow" else {})) as base:
        lines = [line for line in (await post(base, "rest_stream")).text.split("\n") if line]
    last = orjson.loads(lines[-1].removeprefix("data: "))
    assert last.get("type", "error") == ending


async def test_a_stream_can_carry_the_marker_of_other_services() -> None:
    """[DONE] behind the last event; plain JSON where the wish was ignored."""
    async with serving("sse_done_marker") as base:
        assert (await post(base, "rest_stream")).text.endswith("data: [DONE]\n\n")
    async with serving("stream_ignored") as base:
        assert (await post(base, "rest_stream")).json()["text"] == AMIABLE


@pytest.mark.parametrize("path", [SESSION, SPEECH_SOCKET])
async def test_a_flood_of_events_goes_on(path: str) -> None:
    """Well-formed events of an unknown type, as fast as they are read."""
    async with serving("flood") as base, dialled(base, path) as socket:
        for _ in range(2000):
            assert orjson.loads(await asyncio.wait_for(socket.recv(), 2))["type"] == "sandbox.noise"


async def test_a_frame_can_be_huge() -> None:
    """64 MB in one piece: too much for a client with a limit, too much to wait for without one."""
    async with serving("huge_frame") as base:
        address = base.replace("http", "ws", 1) + SESSION
        async with connect(address, additional_headers=HEADERS, max_size=16 * 1024 * 1024) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(socket.recv(), 5)
    assert closed.value.sent is not None
    assert closed.value.sent.code == 1009
    head = next(hostile_stream("huge_frame"))
    assert (
        int.from_bytes(head[2:], "big")
        == HUGE_FRAME
        == sum(map(len, hostile_stream("huge_frame"))) - len(head)
    )


async def test_fragments_can_be_endless() -> None:
    """The message never becomes whole, though frames keep coming."""
    async with serving("endless_fragments") as base, dialled(base) as socket:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.2)


async def opened(base: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection."""
    host, _, port = base.removeprefix("http://").rpartition(":")
    return await asyncio.open_connection(host, int(port))


def upgrade(path: str) -> bytes:
    """A request for a WebSocket."""
    head = f"GET {path} HTTP/1.1\r\nHost: sandbox\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    return f"{head}{key}Authorization: Bearer {KEY}\r\n\r\n".encode()


async def raw_session(base: str, path: str = SESSION) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket by hand, opened."""
    reader, writer = await opened(base)
    writer.write(upgrade(path))
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    return reader, writer


async def test_pings_can_be_endless() -> None:
    """One after the other, with a body to send back."""
    async with serving("ping_flood") as base:
        reader, writer = await raw_session(base)
        for _ in range(1000):
            assert await asyncio.wait_for(reader.readexactly(15), 2) == b"\x89\x0dare you there"
        writer.close()
        await writer.wait_closed()


async def test_the_first_event_can_drip() -> None:
    """Frame header first, one byte at a time, with a pause after each."""
    async with serving("drip", delay=0.02) as base:
        reader, writer = await raw_session(base)
        began = time.monotonic()
        assert await asyncio.wait_for(reader.readexactly(6), 2) == b'\x81A{"ty'
        assert time.monotonic() - began > 0.1
        writer.close()
        await writer.wait_closed()


async def test_pings_can_go_unanswered() -> None:
    """The session works, and only the pong is missing."""
    for name, answered in (("no_pong", False), ("drift_host", True)):
        async with serving(name) as base, dialled(base) as socket:
            assert orjson.loads(await asyncio.wait_for(socket.recv(), 1))["type"] == "session.created"
            pong = await socket.ping()
            if answered:
                await asyncio.wait_for(pong, 1)
                continue
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(pong, 0.2)


async def test_another_speech_model_can_answer() -> None:
    """session.created names it; the address asked for gpt-realtime."""
    async with (
        serving("drift_host") as base,
        dialled(base, "/openai-us/v1/realtime?model=gpt-realtime") as socket,
    ):
        assert orjson.loads(await socket.recv())["session"]["model"] == "gpt-realtime-2024"


async def test_a_session_can_stop_reading() -> None:
    """What is sent after the update fills the buffers and stays there."""
    update = {"type": "session.update", "session": {"type": "transcription"}}
    async with serving("never_reads", pathway="realtime_transcription") as base:
        reader, writer = await raw_session(base)
        payload = orjson.dumps(update)
        writer.write(bytes([0x81, 0x80 | len(payload)]) + bytes(4) + payload)
        await asyncio.wait_for(reader.readuntil(b"session.updated"), 2)
        writer.write(b"\0" * 64 * 1024 * 1024)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(writer.drain(), 0.5)
        writer.transport.abort()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (UPLOAD, "accept_silent"),
        (UPLOAD, "accept_closed"),
        (UPLOAD, "never_reads"),
        (SESSION, "accept_silent"),
        (SESSION, "accept_closed"),
        (SPEECH_SOCKET, "accept_silent"),
        (SPEECH_SOCKET, "accept_closed"),
    ],
)
async def test_a_connection_can_end_at_its_first_line(path: str, name: str) -> None:
    """Never answered, or reset; before anything but the first line is known."""
    async with serving(name) as base:
        reader, writer = await opened(base)
        writer.write(f"{'POST' if path == UPLOAD else 'GET'} {path} HTTP/1.1\r\n".encode())
        if name == "accept_closed":
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await asyncio.wait_for(reader.readexactly(1), 1)
        else:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.2)
        writer.transport.abort()


async def test_tls_can_stay_unanswered() -> None:
    """The hello goes out and nothing comes back, while plain requests are served."""
    context = ssl.create_default_context()
    async with serving("no_tls") as base:
        port = int(base.rpartition(":")[2])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await asyncio.open_connection("127.0.0.1", port, ssl=context)
        assert (await post(base)).json()["text"] == AMIABLE


@pytest.mark.parametrize(
    ("name", "first", "verdict"),
    [
        (None, b"anything", FirstBytesDecision.SERVE),
        ("accept_silent", b"POST /openai-us/v1/aud", FirstBytesDecision.UNDECIDED),
        ("accept_silent", b"POST /openai-us/v1/audio/transcriptions HTTP/1.1\r\n", FirstBytesDecision.SILENT),
        ("accept_silent", b"GET /_control HTTP/1.1\r\n", FirstBytesDecision.SERVE),
        ("accept_silent", b"GET /nowhere/v1/realtime HTTP/1.1\r\n", FirstBytesDecision.SERVE),
        ("accept_silent", b"GET /openai-us/v1/models HTTP/1.1\r\n", FirstBytesDecision.SERVE),
        ("accept_silent", b"\x16\x03\x01", FirstBytesDecision.SILENT),
        (
            "accept_closed",
            b"POST /azure-sweden/openai/v1/realtime/client_secrets HTTP/1.1\r\n",
            FirstBytesDecision.RESET,
        ),
        ("accept_closed", b"\r\n", FirstBytesDecision.SERVE),
        ("accept_closed", b"x" * 9000, FirstBytesDecision.SERVE),
        ("no_tls", b"\x16", FirstBytesDecision.SILENT),
        ("no_tls", b"POST /openai-us/v1/audio/transcriptions HTTP/1.1\r\n", FirstBytesDecision.SERVE),
        ("never_reads", b"POST /openai-us/v1/audio/transcriptions HTTP/1.1\r\n", FirstBytesDecision.DEAF),
        ("never_reads", b"GET /openai-us/v1/realtime HTTP/1.1\r\n", FirstBytesDecision.SERVE),
        ("500", b"\x16", FirstBytesDecision.SERVE),
    ],
)
def test_the_first_line_decides(name: str | None, first: bytes, verdict: FirstBytesDecision) -> None:
    """Endpoint and pathway are read from it; the control page is always served."""
    script = QUICK if name is None else broken(fault(name))
    assert judge_first_bytes(sandbox(script), first) is verdict


@pytest.mark.parametrize(
    "name", ["flood", "huge_frame", "endless_fragments", "ping_flood", "drip", "accept_silent"]
)
async def test_the_others_are_served_meanwhile(name: str) -> None:
    """Ten connections under attack do not keep a neighbour from an answer within a second."""
    async with serving(name, endpoint="openai-us", pathway="realtime_transcription") as base:
        held = [asyncio.create_task(hold(base)) for _ in range(10)]
        await asyncio.sleep(0.1)
        async with httpx.AsyncClient(base_url=base, headers=HEADERS) as client:
            began = time.monotonic()
            files = {"file": ("p.wav", CLIP.wav, "audio/wav")}
            reply = await client.post(
                "/fine/v1/audio/transcriptions", data={"model": "whisper-1"}, files=files
            )
        assert reply.json()["text"] == AMIABLE
        assert time.monotonic() - began < 1
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)


async def hold(base: str) -> None:
    """Opens a session and never reads it."""
    _, writer = await opened(base)
    writer.write(upgrade(SESSION))
    try:
        await asyncio.sleep(30)
    finally:
        writer.transport.abort()


async def test_who_does_not_read_is_not_heard_either() -> None:
    """A client that asks without end and reads no answer is stopped by back-pressure: nothing piles up."""
    junk = b'{"type": "nonsense of some length"}'
    frames = (bytes([0x81, 0x80 | len(junk), 0, 0, 0, 0]) + junk) * 2000

    async def ask_on(writer: asyncio.StreamWriter) -> None:
        for _ in range(400):
            writer.write(frames)
            await asyncio.wait_for(writer.drain(), 2)

    async with serving("slow", delay=0) as base:
        reader, writer = await raw_session(base)
        cast(asyncio.ReadTransport, writer.transport).pause_reading()
        with pytest.raises(TimeoutError):
            await ask_on(writer)
        begun = time.monotonic()
        assert (await post(base)).status_code == 200
        assert time.monotonic() - begun < 2
        writer.transport.abort()
        del reader


async def test_a_text_that_is_no_utf8_ends_the_connection() -> None:
    """Close code 1007, as the protocol demands."""
    async with serving("slow") as base:
        reader, writer = await raw_session(base)
        writer.write(bytes([0x81, 0x83, 0, 0, 0, 0]) + b"\xff\xfe{")
        close_frame = bytes([0x88, 2]) + (1007).to_bytes(2)
        assert await asyncio.wait_for(reader.readuntil(close_frame), 10)
        writer.close()


def test_every_fault_belongs_to_a_group_and_says_what_it_does() -> None:
    """The control page and the documentation show both."""
    assert {kind.group for kind in KINDS.values()} == {
        "failed items",
        "silence, delay, loss",
        "wrong words",
        "events gone wrong",
        "broken bytes",
        "broken HTTP answers",
        "refusals and statuses",
        "hostile peers",
        "answers of the speech model",
        "recognition status of Azure Speech",
        "client secrets",
    }
    assert len({kind.says for kind in KINDS.values()}) == len(KINDS)
