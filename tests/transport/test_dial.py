"""Every way not to reach a peer is told with its stage and its kind, REST and WebSocket alike."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from monitor.core.conversation import Answer, Ask, Fault, FaultKind, Refused, Responded
from monitor.core.errors import ConfigurationError
from monitor.core.model import Stage
from monitor.transport import Limits, Transport
from monitor.transport.dial import Origin, dial, is_spared
from monitor.transport.errors import Broken
from monitor.transport.recorder import Recorder
from tests.support.fakes import Line, ScriptedServer, stay
from tests.support.transport_conversations import (
    AMPLE,
    BRIEF,
    CANARY,
    CERTIFICATES,
    GRACE,
    ask_all,
    closed_port,
    full_port,
    observe,
    open_at,
    server_tls,
    upload_to,
)

Way = Callable[[str], Ask]


def over(way: str, address: str, *, secure: bool = False) -> Ask:
    """An ask for that address by one of the two ways."""
    if way == "websocket":
        return open_at(f"{'wss' if secure else 'ws'}://{address}/")
    return upload_to(f"{'https' if secure else 'http'}://{address}/")


both = pytest.mark.parametrize("way", ["websocket", "rest"])


def faulted(answer: Answer) -> tuple[Stage, FaultKind]:
    """Stage and kind of an answer that must be a fault."""
    assert isinstance(answer, Fault), answer
    return answer.stage, answer.kind


async def welcome(line: Line) -> None:
    """Take an upgrade, or answer a request."""
    head = await line.read_head()
    if "sec-websocket-key" in head.lower():
        await line.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    else:
        await line.respond("200 OK", "{}")


@both
async def test_a_port_where_nobody_listens(way: str) -> None:
    """A refused connection is told as such, at connect."""
    answers, seen = await observe(over(way, f"127.0.0.1:{closed_port()}"))
    assert faulted(answers[0]) == (Stage.CONNECT, FaultKind.REFUSED)
    assert [step["stage"] for step in seen.evidence.document["steps"]] == ["resolve", "connect"]


@both
async def test_a_name_that_nobody_has(way: str) -> None:
    """A name that does not resolve ends at resolve: told by the resolver, or by its silence."""
    answers, _ = await observe(over(way, "nothing.invalid"), deadline=3.0)
    stage, kind = faulted(answers[0])
    assert stage is Stage.RESOLVE
    assert kind in (FaultKind.NAME, FaultKind.TIMEOUT)


@both
async def test_a_network_that_never_answers(way: str) -> None:
    """A connection that is neither taken nor refused ends at the deadline, at connect."""
    with full_port() as port:
        answers, _ = await observe(over(way, f"127.0.0.1:{port}"), deadline=BRIEF)
    assert faulted(answers[0]) == (Stage.CONNECT, FaultKind.TIMEOUT)


@both
async def test_a_peer_that_never_completes_tls(way: str) -> None:
    """A peer that accepts and keeps silent ends the run at its deadline, at tls."""
    async with ScriptedServer(lambda _: stay()) as server:
        answers, _ = await observe(over(way, f"127.0.0.1:{server.port}", secure=True), deadline=BRIEF)
    assert faulted(answers[0]) == (Stage.TLS, FaultKind.TIMEOUT)


@both
async def test_a_peer_that_hangs_up_in_tls(way: str) -> None:
    """A connection dropped before it is secured is a reset, at tls."""

    async def script(line: Line) -> None:
        await line.reader.read(10)
        line.reset()

    async with ScriptedServer(script) as server:
        answers, _ = await observe(over(way, f"127.0.0.1:{server.port}", secure=True))
    assert faulted(answers[0]) == (Stage.TLS, FaultKind.RESET)


@both
async def test_a_peer_that_does_not_speak_tls(way: str) -> None:
    """Plain text where TLS is due is a fault of TLS."""

    async def script(line: Line) -> None:
        await line.reader.read(10)
        await line.send("HTTP/1.1 400 Bad Request\r\n\r\n")
        await stay(0.2)

    async with ScriptedServer(script) as server:
        answers, _ = await observe(over(way, f"127.0.0.1:{server.port}", secure=True))
    assert faulted(answers[0]) == (Stage.TLS, FaultKind.TLS)


@both
@pytest.mark.parametrize(
    ("certificate", "told"),
    [
        ("expired.pem", "certificate has expired"),
        ("other_name.pem", "certificate is not valid for '127.0.0.1'"),
        ("self_signed.pem", "self-signed certificate"),
    ],
)
async def test_a_certificate_that_cannot_be_believed(way: str, certificate: str, told: str) -> None:
    """A bad certificate is told with the reason, and no request is ever sent."""
    async with ScriptedServer(welcome, tls=server_tls(certificate)) as server:
        answers, seen = await observe(over(way, f"127.0.0.1:{server.port}", secure=True))
    assert faulted(answers[0]) == (Stage.TLS, FaultKind.CERTIFICATE)
    assert isinstance(answers[0], Fault)
    assert told in answers[0].detail
    assert seen.evidence.document["bytes_out"] == 0


@both
async def test_a_secured_connection_has_four_stages(way: str) -> None:
    """Over TLS every stage has its own time, and the evidence names peer and version."""
    async with ScriptedServer(welcome, tls=server_tls("right.pem")) as server:
        answers, seen = await observe(over(way, f"127.0.0.1:{server.port}", secure=True), deadline=3.0)
    assert isinstance(answers[0], Responded | Refused)
    document = seen.evidence.document
    assert [step["stage"] for step in document["steps"]][:3] == ["resolve", "connect", "tls"]
    assert (document["tls"], document["peer"]) == ("TLSv1.3", f"127.0.0.1:{server.port}")
    assert seen.finding is not None
    assert 0 < seen.finding.marks["connect"] < answers[0].at


@both
async def test_no_descriptor_left_is_our_own_fault(way: str) -> None:
    """A process that may open no further file blames itself, not the peer."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    ask = over(way, "127.0.0.1:9")
    answers: list[Answer] = []
    runner = Transport(secret=lambda _: CANARY)
    warm = await runner.run(ask_all([], over(way, f"127.0.0.1:{closed_port()}")), deadline=AMPLE)
    assert warm.finding is not None
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        await runner.run(ask_all(answers, ask), deadline=AMPLE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        await runner.aclose()
    assert faulted(answers[0]) == (Stage.CONNECT, FaultKind.MONITOR)


@pytest.mark.parametrize("url", ["ws://", "ftp://127.0.0.1/", "ws://127.0.0.1:99999/", "nonsense"])
async def test_an_address_that_is_none_is_our_own_fault(url: str) -> None:
    """A URL that cannot be dialled is the monitor's mistake."""
    answers, _ = await observe(open_at(url))
    assert faulted(answers[0])[1] is FaultKind.MONITOR


class Resolved(Executor):
    """A resolver that knows the answer already."""

    def __init__(self, *addresses: tuple[str, int]) -> None:
        self._found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]

    def submit(self, *_: Any, **__: Any) -> Future[Any]:
        """The answer, whatever is asked."""
        future: Future[Any] = Future()
        future.set_result(self._found)
        return future


def blank_tape() -> Recorder:
    """A tape of the running loop."""
    loop = asyncio.get_running_loop()
    return Recorder(now=loop.time, zero=loop.time(), limits=Limits())


async def test_a_dead_address_costs_a_moment_only() -> None:
    """Where the first address leads nowhere the second is tried soon after, as users' clients do."""
    async with ScriptedServer(welcome) as server:
        with full_port() as dead:
            resolver = Resolved(("127.0.0.1", dead), ("127.0.0.1", server.port))
            tape = blank_tape()
            sock = await dial(Origin(host="name", port=1, secure=False), None, tape, resolver)
            sock.close()
    assert tape.peer == f"127.0.0.1:{server.port}"
    assert tape.connected is not None
    assert tape.connected < 0.25 + GRACE


@pytest.mark.parametrize(
    ("other", "kind", "detail"),
    [
        ("127.0.0.1", FaultKind.REFUSED, "Connection refused"),
        ("255.255.255.255", FaultKind.UNREACHABLE, "none of 2 addresses answers"),
    ],
)
async def test_what_all_addresses_say_is_one_fault(other: str, kind: FaultKind, detail: str) -> None:
    """The same reason is told once; different ones are a host that cannot be reached, and never our fault."""
    port = closed_port()
    resolver = Resolved(("127.0.0.1", port), (other, port))
    with pytest.raises(Broken) as caught:
        await dial(Origin(host="name", port=1, secure=False), None, blank_tape(), resolver)
    assert (caught.value.kind, caught.value.detail) == (kind, detail)


async def test_a_refused_address_is_passed_over_at_once() -> None:
    """A refusal is an answer: the next address is tried without waiting."""
    async with ScriptedServer(welcome) as server:
        resolver = Resolved(("127.0.0.1", closed_port()), ("127.0.0.1", server.port))
        tape = blank_tape()
        (await dial(Origin(host="name", port=1, secure=False), None, tape, resolver)).close()
    assert tape.connected is not None
    assert tape.connected < 0.25


def tunnel(target: str, answer: str, heads: list[str]) -> Callable[[Line], Any]:
    """A proxy that gives that answer, and passes on to *target* where it agrees."""

    async def script(line: Line) -> None:
        heads.append(await line.read_head())
        await line.send(f"HTTP/1.1 {answer}\r\n\r\n")
        if answer.startswith("200"):
            reader, writer = await asyncio.open_connection(*target.split(":"))
            try:
                await asyncio.gather(pass_on(line.reader, writer), pass_on(reader, line.writer))
            finally:
                writer.transport.abort()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)
        writer.close()

    return script


@both
@pytest.mark.parametrize("certificate", [None, "right.pem"])
async def test_everything_goes_through_the_proxy(way: str, certificate: str | None) -> None:
    """REST and WebSocket, plain and secured, take the proxy's tunnel, with its user and password."""
    heads: list[str] = []
    answers: list[Answer] = []
    tls = server_tls(certificate) if certificate else None
    async with ScriptedServer(welcome, tls=tls) as server:
        script = tunnel(f"127.0.0.1:{server.port}", "200 OK", heads)
        async with ScriptedServer(script) as proxy:
            runner = Transport(
                secret=lambda _: CANARY,
                proxy=f"http://me:p%40ss@127.0.0.1:{proxy.port}",
                ca_file=CERTIFICATES / "ca.pem",
            )
            ask = over(way, f"127.0.0.1:{server.port}", secure=certificate is not None)
            seen = await runner.run(ask_all(answers, ask), deadline=3.0)
            await runner.aclose()
    assert isinstance(answers[0], Responded | Refused), answers
    assert heads[0].startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1")
    assert "Proxy-Authorization: Basic bWU6cEBzcw==" in heads[0]
    assert CANARY not in heads[0]
    assert "through a proxy" in seen.evidence.document["notes"][0]


@both
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("407 Proxy Authentication Required", FaultKind.MONITOR),
        ("403 Forbidden", FaultKind.MONITOR),
        ("502 Bad Gateway", FaultKind.UNREACHABLE),
        ("nonsense", FaultKind.MONITOR),
    ],
)
async def test_a_proxy_that_refuses(way: str, answer: str, kind: FaultKind) -> None:
    """What stands between us and the proxy is our own; what the proxy says of the peer is the peer's."""
    answers: list[Answer] = []
    async with ScriptedServer(tunnel("", answer, [])) as proxy:
        runner = Transport(secret=lambda _: CANARY, proxy=f"http://127.0.0.1:{proxy.port}")
        await runner.run(ask_all(answers, over(way, "127.0.0.1:9")), deadline=AMPLE)
        await runner.aclose()
    assert faulted(answers[0]) == (Stage.CONNECT, kind)


async def test_a_proxy_that_is_not_there() -> None:
    """A proxy that cannot be reached is our own side."""
    answers: list[Answer] = []
    runner = Transport(secret=lambda _: CANARY, proxy=f"http://127.0.0.1:{closed_port()}")
    await runner.run(ask_all(answers, over("rest", "127.0.0.1:9")), deadline=AMPLE)
    await runner.aclose()
    assert faulted(answers[0]) == (Stage.CONNECT, FaultKind.MONITOR)


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:1080", "https://proxy.example", "proxy.example:3128"])
def test_a_proxy_of_another_kind_is_refused_at_start(url: str) -> None:
    """Only tunnelling HTTP proxies are spoken to; any other is refused with what to write."""
    with pytest.raises(ConfigurationError, match=r"network.proxy: a proxy is given as http://host:port"):
        Transport(secret=lambda _: CANARY, proxy=url)


async def test_a_name_that_can_be_none_is_a_matter_of_names() -> None:
    """A label longer than 63 characters is refused before anybody is asked."""
    answers, _ = await observe(upload_to(f"http://{'a' * 70}.example/"))
    assert isinstance(answers[0], Fault)
    assert (answers[0].kind, answers[0].stage) == (FaultKind.NAME, Stage.RESOLVE)
    assert answers[0].detail == "this can be no host's name"


@both
@pytest.mark.parametrize(
    ("network", "no_proxy", "own", "goes"),
    [
        ("there", "", None, "by proxy"),
        ("there", "127.0.0.1", None, "straight"),
        ("there", "other.example,127.0.0.0/8", None, "straight"),
        ("there", "*", None, "straight"),
        ("there", "", "none", "straight"),
        ("dead", "", "there", "by proxy"),
        ("dead", "127.0.0.1", "there", "by proxy"),
        (None, "", "there", "by proxy"),
        (None, "", "env:ROUTE", "by proxy"),
    ],
)
async def test_the_route_of_a_run(
    way: str, network: str | None, no_proxy: str, own: str | None, goes: str
) -> None:
    """NO_PROXY spares hosts from the network's proxy; an endpoint's own route outranks both."""
    heads: list[str] = []
    answers: list[Answer] = []
    async with ScriptedServer(welcome) as server:
        script = tunnel(f"127.0.0.1:{server.port}", "200 OK", heads)
        async with ScriptedServer(script) as proxy:
            urls = {"there": proxy.url(), "dead": f"http://127.0.0.1:{closed_port()}", "none": "none"}
            runner = Transport(
                secret=lambda name: proxy.url() if name == "env:ROUTE" else CANARY,
                proxy=urls[network] if network else None,
                no_proxy=no_proxy,
            )
            ask = over(way, f"127.0.0.1:{server.port}")
            await runner.run(ask_all(answers, ask), deadline=3.0, proxy=urls.get(own, own) if own else None)
            await runner.aclose()
    assert isinstance(answers[0], Responded | Refused), answers
    assert ("by proxy" if heads else "straight") == goes


@pytest.mark.parametrize(
    ("host", "port", "no_proxy", "spared"),
    [
        ("api.example.com", 443, "example.com", True),
        ("api.example.com", 443, ".example.com", True),
        ("api.example.com", 443, "*.example.com", True),
        ("example.com", 443, ".example.com", True),
        ("API.Example.COM", 443, "example.com", True),
        ("notexample.com", 443, "example.com", False),
        ("example.com.evil.test", 443, "example.com", False),
        ("api.example.com", 443, "example.com:443", True),
        ("api.example.com", 8443, "example.com:443", False),
        ("10.1.2.3", 443, "10.0.0.0/8", True),
        ("11.1.2.3", 443, "10.0.0.0/8", False),
        ("ten.example", 443, "10.0.0.0/8", False),
        ("::1", 443, "::1", True),
        ("::1", 443, "[::1]", True),
        ("::1", 443, "[::1]:443", True),
        ("::1", 80, "[::1]:443", False),
        ("fd00::5", 443, "fd00::/8", True),
        ("any.test", 443, "*", True),
        ("any.test", 443, "a.test, any.test", True),
        ("any.test", 443, "a.test any.test", True),
        ("any.test", 443, "", False),
        ("any.test", 443, " , .", False),
    ],
)
def test_no_proxy_is_read_as_curl_reads_it(host: str, port: int, no_proxy: str, spared: bool) -> None:  # noqa: FBT001
    """Names with what ends in them, addresses, networks, ports; nothing that only looks alike."""
    assert is_spared(Origin(host=host, port=port, secure=True), no_proxy) is spared


@both
async def test_a_header_by_reference_is_sent_and_hidden(way: str) -> None:
    """The secret reaches the peer, and no evidence of it: neither where it is sent nor where it is echoed."""
    heads: list[str] = []

    async def echo(line: Line) -> None:
        heads.append(await line.read_head())
        body = "you sent gw-Secret/77=x and 67772d5365637265742f37373d78"
        await line.respond("403 No", body, "x-echo: gw-Secret/77=x")

    def secret(reference: str) -> str:
        return {"env:GATEWAY": "gw-Secret/77=x"}.get(reference, CANARY)

    answers: list[Answer] = []
    async with ScriptedServer(echo) as server:
        added = (("x-gateway-key", "env:GATEWAY"), ("x-team", "speech"))
        ask = (
            open_at(server.url("ws"), *added)
            if way == "websocket"
            else upload_to(server.url(), b"audio", *added)
        )
        runner = Transport(secret=secret)
        seen = await runner.run(ask_all(answers, ask), deadline=3.0)
        await runner.aclose()
    assert "x-gateway-key: gw-secret/77=x" in heads[0].lower()
    assert "x-team: speech" in heads[0].lower()
    assert isinstance(answers[0], Responded | Refused)
    assert answers[0].body == b"you sent [secret] and [secret]"
    told = str(seen.evidence.document) + str(answers)
    assert "gw-Secret" not in told
    assert "env:GATEWAY" not in told
