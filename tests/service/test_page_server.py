"""What may connect to the page, and for how long; and what the page makes of a service that falls silent."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from monitor.config import Settings
from monitor.config.settings import PageSettings
from monitor.service.page_process import PageFacts, Report, listen
from monitor.service.page_server import BoundedConnection, Hearing, PageServer, application, ops_application
from monitor.store.database.engine import Database
from tests.support.filled_database import NOW, Dial

ASK = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


def heard() -> Report:
    """A service that is well."""
    return Report(liveness={"running": True, "last_cycle": NOW})


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Hasty(BoundedConnection):
    """A connection of little patience."""

    request_within_s = 0.05
    read_within_s = 0.05


class Narrow(BoundedConnection):
    """Room for eight."""

    most = 8


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads the body and greets."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that has more to say than anybody reads."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": bytes(1_000_000), "more_body": True})
        await asyncio.sleep(0)


@asynccontextmanager
async def serving(
    kind: type[BoundedConnection], app: Callable[[Scope, Receive, Send], Awaitable[None]] = hello
) -> AsyncIterator[Callable[[], Awaitable[Connection]]]:
    """A page's server on a free port; gives what connects to it."""
    listener = listen("127.0.0.1", 0)
    host, port = listener.getsockname()
    server = PageServer(app, connection=kind)
    task = asyncio.create_task(server.serve([listener]))

    async def connect() -> Connection:
        return await asyncio.open_connection(host, port)

    yield connect
    server.should_exit = True
    await task


async def answer(connection: Connection) -> bytes:
    """Ask, and read until the whole answer is there."""
    reader, writer = connection
    writer.write(ASK)
    return await reader.readuntil(b"\r\n\r\nhi")


def test_a_request_that_does_not_come_is_not_waited_for() -> None:
    """Nothing, half a head, a head without its body: each connection is ended by us."""

    async def scene() -> None:
        async with serving(Hasty) as connect:
            for begun in (b"", b"GET / HT", b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc"):
                reader, writer = await connect()
                writer.write(begun)
                with suppress(ConnectionResetError):
                    assert await reader.read() == b""
                writer.close()

    asyncio.run(scene())


def test_an_answer_that_is_not_read_is_not_kept() -> None:
    """A client that asks and then takes nothing is let go; the application hears of it."""
    gone = asyncio.Event()

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        sending = asyncio.create_task(endless(scope, receive, send))
        while (await receive())["type"] != "http.disconnect":
            pass
        sending.cancel()
        gone.set()

    async def scene() -> None:
        async with serving(Hasty, watched) as connect:
            _, writer = await connect()
            writer.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is one that reads
            writer.write(ASK)
            await gone.wait()
            writer.transport.abort()

    asyncio.run(scene())


def test_who_only_connects_gives_way_to_who_asks() -> None:
    """However many hold a connection open without a request, the next one is answered."""

    async def scene() -> None:
        async with serving(Narrow) as connect:
            idle = [await connect() for _ in range(3 * Narrow.most)]
            last = await connect()
            assert (await answer(last)).startswith(b"HTTP/1.1 200")
            for _, writer in [*idle, last]:
                writer.transport.abort()

    asyncio.run(scene())


def test_a_connection_that_asks_again_and_again_is_kept() -> None:
    """The bound is for one request, not for the connection."""

    async def scene() -> None:
        async with serving(Narrow) as connect:
            connection = await connect()
            for _ in range(3):
                assert (await answer(connection)).startswith(b"HTTP/1.1 200")
            connection[1].close()

    asyncio.run(scene())


def test_a_service_that_says_nothing_is_taken_as_standing_still() -> None:
    """The page goes on showing what is stored, and says that the scheduler does not run."""
    now = [0.0]
    heard = Hearing(Report(liveness={"running": True, "last_cycle": NOW}), lambda: now[0])
    assert heard().liveness["running"]
    now[0] = 60.0
    assert not heard().liveness["running"]
    heard.hear(Report(liveness={"running": True, "last_cycle": NOW}))
    assert heard().liveness["running"]


PROXIED = PageSettings(
    listen="0.0.0.0:8080", public_url="https://ears.example", behind_proxy=True, ops_listen="0.0.0.0:9090"
)


@pytest.mark.parametrize(
    ("host", "status"), [("ears.example", 200), ("127.0.0.1:8080", 200), ("evil.example", 421)]
)
def test_behind_a_proxy_too_only_the_public_name_is_ours(
    sqlite_database: Database, host: str, status: int
) -> None:
    """A proxy that passes every name on must not let a foreign one read the page."""
    facts = PageFacts(settings=Settings(path=Path("config.toml"), web=PROXIED))
    app = application(facts, sqlite_database, Dial(), heard)
    assert TestClient(app).get("/", headers={"host": host}).status_code == status


def test_probers_may_ask_for_any_name_where_only_they_are_let_through(sqlite_database: Database) -> None:
    """Health and metrics on an address of their own; metrics are then not on the page's."""
    facts = PageFacts(settings=Settings(path=Path("config.toml"), web=PROXIED))
    ops = TestClient(ops_application(facts, sqlite_database, Dial(), heard), base_url="http://pod-7:9090")
    page = TestClient(application(facts, sqlite_database, Dial(), heard), base_url="https://ears.example")
    assert ops.get("/metrics").status_code == ops.get("/healthz").status_code == 200
    assert (page.get("/metrics").status_code, page.get("/healthz").status_code) == (404, 200)
