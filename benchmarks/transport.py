"""What a run costs beside the bare library, as CPU ratios taken in one process against a peer in another.

``python benchmarks/transport.py [rounds]`` prints CPU milliseconds of a run, of the same conversation
with bare websockets and bare httpx, and the ratios. Absolutes move with the machine; ratios hold.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection

import httpx
import uvloop
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from monitor.clips import append_frames, load_clip, multipart
from monitor.core.exchange import (
    Conversation,
    Credential,
    End,
    Enter,
    Finding,
    Open,
    Receive,
    Send,
    Text,
    Upload,
)
from monitor.core.model import Stage
from monitor.transport import Transport, trusted

CLIP = load_clip("amiable")
FRAMES = append_frames(CLIP)
FIELDS = (("model", "whisper-1"), ("language", "en"), ("response_format", "json"))
EVENTS = 15
BLOCK = 25  # runs between two readings of the clock
KEY = Credential(header="Authorization", reference="env:KEY", prefix="Bearer ")
EVENT = (
    '{"type":"conversation.item.input_audio_transcription.delta","event_id":"event_%04d",'
    '"item_id":"item_0123456789","content_index":0,"delta":"He might even have been made amiable"}'
)


async def hear(socket: ServerConnection) -> None:
    for _ in FRAMES:
        await socket.recv()
    for number in range(EVENTS):
        await socket.send(EVENT % number)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(size)
    body = b'{"text":"He might even have been made amiable himself."}'
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: req_1\r\n")
    writer.write(b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
    await writer.drain()
    writer.close()


def be_peer(pipe: Connection) -> None:
    """The peer's process: tells its two ports, and serves until it is ended."""

    async def main() -> None:
        socket = await serve(hear, "127.0.0.1", 0, compression=None, ping_interval=None)
        rest = await asyncio.start_server(answer, "127.0.0.1", 0, limit=1 << 20)
        pipe.send([next(iter(server.sockets)).getsockname()[1] for server in (socket, rest)])
        await asyncio.Event().wait()

    uvloop.run(main())


def realtime(url: str) -> Conversation:
    yield Open(url=url, headers=(("X-Client-Request-Id", "bench"),), until=5, credential=KEY)
    yield Enter(stage=Stage.SEND)
    yield Send(frames=FRAMES, until=5, audio=True)
    yield Enter(stage=Stage.TRANSCRIBE)
    for _ in range(EVENTS):
        said = yield Receive(until=5)
        assert isinstance(said, Text), said
    return Finding(stage=Stage.VERIFY, end=End.TEXT)


def rest(url: str) -> Conversation:
    content_type, body = multipart(CLIP, FIELDS)
    headers = (("Content-Type", content_type), ("X-Client-Request-Id", "bench"))
    yield Upload(url=url, headers=headers, body=body, until=5, credential=KEY, summary={"clip": CLIP.name})
    return Finding(stage=Stage.VERIFY, end=End.TEXT)


async def bare_realtime(url: str) -> None:
    headers = {"Authorization": "Bearer bench-key"}
    async with connect(
        url, compression=None, additional_headers=headers, proxy=None, ping_interval=None, close_timeout=0.1
    ) as socket:
        for frame in FRAMES:
            await socket.send(frame)
        for _ in range(EVENTS):
            await socket.recv()


async def cost(run: Callable[[], Awaitable[object]]) -> float:
    """CPU milliseconds of one run, over a block of them."""
    start = time.process_time()
    for _ in range(BLOCK):
        await run()
    return (time.process_time() - start) * 1000 / BLOCK


async def compare(ports: list[int], rounds: int) -> None:
    ws, http = f"ws://127.0.0.1:{ports[0]}/", f"http://127.0.0.1:{ports[1]}/"
    transport = Transport(secret=lambda _: "bench-key")
    fresh = httpx.Limits(max_keepalive_connections=0)
    client = httpx.AsyncClient(verify=trusted(), trust_env=False, limits=fresh)
    content_type, body = multipart(CLIP, FIELDS)
    headers = {"Content-Type": content_type, "Authorization": "Bearer bench-key"}
    runs: dict[str, Callable[[], Awaitable[object]]] = {
        "realtime run": lambda: transport.run(realtime(ws), deadline=5),
        "bare websockets": lambda: bare_realtime(ws),
        "REST run": lambda: transport.run(rest(http), deadline=5),
        "bare httpx": lambda: client.post(http, content=body, headers=headers),
    }
    costs: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):  # the first round warms up
        for name, run in runs.items():
            costs[name].append(await cost(run))
    medians = {name: statistics.median(taken[1:]) for name, taken in costs.items()}
    for name, taken in medians.items():
        print(f"{name:16} {taken:6.2f} CPU ms")
    for ours, bare in (("realtime run", "bare websockets"), ("REST run", "bare httpx")):
        print(f"{ours} / {bare}: {medians[ours] / medians[bare]:.2f} (mark with judging and storing: 1.70)")
    await client.aclose()
    await transport.aclose()


def main() -> None:
    here, there = multiprocessing.Pipe()
    peer = multiprocessing.get_context("spawn").Process(target=be_peer, args=(there,), daemon=True)
    peer.start()
    try:
        uvloop.run(compare(here.recv(), int(sys.argv[1]) if len(sys.argv) > 1 else 12))
    finally:
        peer.terminate()


if __name__ == "__main__":
    main()
