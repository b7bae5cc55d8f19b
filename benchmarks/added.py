"""What we add to the latency that we report, at 100 runs a second, beside bare clients at the same rate.

The peer holds every answer for a fixed time and says in it how long it really held it, by its own
clock. What is reported above that is ours, the library's, the kernel's and the loopback's; bare clients
in the same run show how much of it would be there without us.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from statistics import median

import httpx
import orjson
import uvloop
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from benchmarks.measure import KEY_VARIABLE, Figure, peer, quantile
from benchmarks.realtime import COMMIT, UPDATE
from monitor.clips import append_frames, load_clip, multipart
from monitor.core.model import Endpoint, Kind, Outcome, Target
from monitor.pipeline.observe import Due, observe
from monitor.transport import Transport, trusted

HELD_S = 0.1
RATE = 100
FIELDS = (("model", "gpt-4o-transcribe"), ("language", "en"), ("response_format", "json"))
CLIP = load_clip("amiable")
FRAMES = append_frames(CLIP)


def run(*, rate: int = RATE, seconds: float = 8) -> Iterator[Figure]:
    """Milliseconds between what is reported and what the peer took."""
    with peer(be_peer) as port:
        added = uvloop.run(_load(port, rate, int(rate * seconds)))
    for name in ("realtime", "REST"):
        ours, bare = added[name], added[f"bare {name}"]
        about = f"added to the {name} latency, {rate} runs a second"
        yield Figure(name=f"{about}, median", value=median(ours), unit="ms", mark=1)
        yield Figure(name=f"{about}, p99", value=quantile(ours, 0.99), unit="ms", mark=3)
        yield Figure(name="  the same of the bare library, median", value=median(bare), unit="ms")
        yield Figure(name="  the same of the bare library, p99", value=quantile(bare, 0.99), unit="ms")


# The peer


def be_peer(pipe: Connection) -> None:
    """The peer's process: tells its port and serves both pathways on it until it is ended."""

    async def main() -> None:
        socket = await serve(_converse, "127.0.0.1", 0, compression=None, ping_interval=None)
        rest = await asyncio.start_server(_answer, "127.0.0.1", 0, limit=1 << 20)
        ports = [next(iter(server.sockets)).getsockname()[1] for server in (socket, rest)]
        pipe.send(ports)
        await asyncio.Event().wait()

    uvloop.run(main())


async def _converse(socket: ServerConnection) -> None:
    await _say(socket, type="session.created", session={"id": "sess_1", "model": "gpt-realtime"})
    settings = orjson.loads(await socket.recv())["session"]
    await _say(socket, type="session.updated", session={**settings, "id": "sess_1"})
    while b"input_audio_buffer.commit" not in await socket.recv(decode=False):
        pass
    heard = time.perf_counter()
    kind = "conversation.item.input_audio_transcription.completed"
    await _say(socket, type="input_audio_buffer.committed", item_id="item_1", previous_item_id=None)
    await asyncio.sleep(HELD_S)
    held = f"evt_{(time.perf_counter() - heard) * 1e6:.0f}"
    told = {"item_id": "item_1", "content_index": 0, "transcript": CLIP.text}
    await socket.send(orjson.dumps({"type": kind, "event_id": held, **told}).decode())
    await socket.wait_closed()


async def _say(socket: ServerConnection, **event: object) -> None:
    await socket.send(orjson.dumps({"event_id": "evt_0", **event}).decode())


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    began = time.perf_counter()
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(size)
    await asyncio.sleep(HELD_S)
    body = orjson.dumps({"text": CLIP.text})
    held = (time.perf_counter() - began) * 1e6
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: req_%d\r\n" % held)
    writer.write(b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
    await writer.drain()
    writer.close()


# The clients


async def _load(ports: list[int], rate: int, count: int) -> dict[str, list[float]]:
    """Ours and the bare ones in turns, each for a quarter of the starts, all at one steady rate."""
    os.environ[KEY_VARIABLE] = "key"
    transport = Transport(secret=lambda _: "key")
    clients = _Clients(ports, transport)
    kinds: dict[str, Callable[[], Awaitable[float]]] = {
        "realtime": clients.realtime,
        "bare realtime": clients.bare_realtime,
        "REST": clients.rest,
        "bare REST": clients.bare_rest,
    }
    added: dict[str, list[float]] = {}
    try:
        for name, client in kinds.items():
            for _ in range(5):  # what is loaded at the first run is not the peer's, and not of interest
                await client()
            added[name] = await _paced(client, rate, count // len(kinds))
    finally:
        await clients.client.aclose()
        await transport.aclose()
    return added


async def _paced(client: Callable[[], Awaitable[float]], rate: int, count: int) -> list[float]:
    loop = asyncio.get_running_loop()
    begin = loop.time()
    tasks = []
    for number in range(count):
        await asyncio.sleep(begin + number / rate - loop.time())
        tasks.append(asyncio.ensure_future(client()))
    return await asyncio.gather(*tasks)


class _Clients:
    """One run of each kind; each gives the milliseconds it saw above those that the peer held it."""

    def __init__(self, ports: list[int], transport: Transport) -> None:
        self._ws, self._http = f"ws://127.0.0.1:{ports[0]}/v1/realtime", f"http://127.0.0.1:{ports[1]}/v1"
        self._targets = {
            "realtime": self._target("realtime", ports[0]),
            "rest": self._target("rest", ports[1]),
        }
        self._transport = transport
        limits = httpx.Limits(max_keepalive_connections=0)
        self.client = httpx.AsyncClient(verify=trusted(), trust_env=False, limits=limits)
        content_type, self._body = multipart(CLIP, FIELDS)
        self._headers = {"Content-Type": content_type, "Authorization": "Bearer key"}

    def _target(self, pathway: str, port: int) -> Target:
        url = f"http://127.0.0.1:{port}/v1"
        endpoint = Endpoint(name="peer", provider="openai", url=url, key=f"env:{KEY_VARIABLE}")
        return Target(
            endpoint=endpoint,
            model="gpt-4o-transcribe",
            pathway=pathway,
            session_model="gpt-realtime",
            pace="burst",
        )

    async def realtime(self) -> float:
        """Our realtime run."""
        outcome = await self._observe("realtime")
        return _above(outcome, outcome.ids["event_id"])

    async def rest(self) -> float:
        """Our REST run."""
        outcome = await self._observe("rest")
        return _above(outcome, outcome.ids["request_id"])

    async def _observe(self, pathway: str) -> Outcome:
        now = datetime.now(UTC)
        due = Due(target=self._targets[pathway], slot=now, kind=Kind.MANUAL, location="bench")
        return (await observe(due, self._transport, now=now)).outcome

    async def bare_realtime(self) -> float:
        """The library alone: from behind the commit to the text."""
        async with connect(
            self._ws, compression=None, proxy=None, ping_interval=None, close_timeout=0.1
        ) as socket:
            await socket.recv()
            await socket.send(UPDATE)
            await socket.recv()
            for frame in FRAMES:
                await socket.send(frame)
            await socket.send(COMMIT)
            begin = time.perf_counter()
            await socket.recv()
            told = await socket.recv()
            seen = time.perf_counter() - begin
        return seen * 1000 - _held(orjson.loads(told)["event_id"])

    async def bare_rest(self) -> float:
        """The library alone: from the request to its whole answer."""
        begin = time.perf_counter()
        answer = await self.client.post(self._http, content=self._body, headers=self._headers)
        return (time.perf_counter() - begin) * 1000 - _held(answer.headers["x-request-id"])


def _above(outcome: Outcome, held: str | None) -> float:
    final = outcome.timings_ms["final"]
    assert final is not None, outcome
    assert held is not None, outcome
    return final - _held(held)


def _held(text: str) -> float:
    """Milliseconds for which the peer says it held its answer."""
    return int(text.partition("_")[2]) / 1000
