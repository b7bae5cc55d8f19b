"""From a URL to a connected socket, in stages with separate times: resolve, connect, and a proxy's tunnel."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import os
import socket
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

from aiohappyeyeballs import AddrInfoType, start_connection

from monitor.core.conversation import FaultKind
from monitor.core.model import Stage
from monitor.transport.errors import Broken, translated
from monitor.transport.recorder import Recorder

# RFC 8305, 5: how long the next address waits for the one before it.
STAGGER = 0.25
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_LONGEST_ANSWER = 64 * 1024
DIRECT = "none"  # in place of a proxy: go without


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a URL leads."""

    host: str
    port: int
    secure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy that tunnels; `authorization` is the value of the header that opens it."""

    host: str
    port: int
    authorization: str | None = None


def origin_of(url: str) -> Origin:
    """Host, port and security of a URL; Broken (monitor) where it is none that can be dialled."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError as error:
        # The reason quotes the URL, which may hold a password.
        raise Broken(FaultKind.MONITOR, "the URL cannot be used: its host or port cannot be read") from error
    if not host or not port or parts.scheme not in _PORTS:
        raise Broken(FaultKind.MONITOR, "the URL needs a host and http, https, ws or wss")
    return Origin(host=host, port=port, secure=parts.scheme in ("https", "wss"))


def parse_proxy(url: str) -> Proxy:
    """The proxy at an `http://` URL, with its user and password; ValueError for any other kind."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError("a proxy is given as http://host:port (TLS to the proxy and SOCKS are not spoken)")
    _, authorization = cut_user(url)
    return Proxy(host=parts.hostname, port=parts.port or 3128, authorization=authorization)


def is_spared(origin: Origin, no_proxy: str) -> bool:
    """Whether *origin* is reached without a proxy, by a list in the form of the variable NO_PROXY.

    As curl and Python read it: names with all that end in them, addresses and networks, each perhaps
    with a port, separated by commas or spaces; ``*`` spares every host.
    """
    return any(_is_named(origin, entry) for entry in no_proxy.lower().replace(",", " ").split())


def _is_named(origin: Origin, entry: str) -> bool:
    host = origin.host.lower().rstrip(".")
    network = _network(entry)
    if (network is None and entry.count(":") == 1) or (entry.startswith("[") and not entry.endswith("]")):
        entry, _, port = entry.rpartition(":")
        if port != str(origin.port):
            return False
        network = _network(entry)
    if network is not None:
        try:
            return ipaddress.ip_address(host) in network
        except ValueError:
            return False
    name = entry.removeprefix("*").lstrip(".").rstrip(".")
    return entry == "*" or (bool(name) and (host == name or host.endswith(f".{name}")))


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return None


def cut_user(url: str) -> tuple[str, str | None]:
    """The URL without user and password, and the header's value that sends them (RFC 7617, 2).

    None where there are none; ValueError, which quotes nothing, for a user that cannot be sent.
    """
    parts = urlsplit(url)
    user, found, host = parts.netloc.rpartition("@")
    if not found:
        return url, None
    name, _, password = user.partition(":")
    if ":" in unquote(name):
        raise ValueError("the user in the URL holds a colon, which Basic authentication cannot send")
    told = f"{unquote(name)}:{unquote(password)}"
    return urlunsplit(parts._replace(netloc=host)), f"Basic {base64.b64encode(told.encode()).decode()}"


def password_in(authorization: str) -> str:
    """The password that a header of Basic authentication sends."""
    return base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")[2]


async def dial(origin: Origin, proxy: Proxy | None, tape: Recorder, resolver: Executor) -> socket.socket:
    """A connected socket to *origin*, by way of *proxy* where there is one; raises Broken.

    Everything goes through the proxy's tunnel (RFC 9110, 9.3.6), plain HTTP too, so that REST and
    WebSocket take the same route.
    """
    if proxy is None:
        return await _reach(origin.host, origin.port, tape, resolver)
    try:
        sock = await _reach(proxy.host, proxy.port, tape, resolver)
    except Broken as broken:
        raise Broken(
            FaultKind.MONITOR, f"the proxy: {broken.kind}: {broken.detail}", by_proxy=True
        ) from broken
    tape.notes.append("through a proxy: peer is the proxy's address")
    try:
        with translated():
            await _tunnel(sock, origin, proxy)
    except BaseException:
        sock.close()
        raise
    return sock


async def _reach(host: str, port: int, tape: Recorder, resolver: Executor) -> socket.socket:
    tape.enter(Stage.RESOLVE)
    with translated():
        addresses = _literal(host, port) or await _resolve(host, port, resolver)
        tape.enter(Stage.CONNECT)
        sock = await _connect(addresses)
    if tape.connected is None:  # of a run with several connections the first is timed
        tape.connected = tape.at()
    peer = sock.getpeername()
    tape.peer = f"[{peer[0]}]:{peer[1]}" if sock.family == socket.AF_INET6 else f"{peer[0]}:{peer[1]}"
    return sock


def _literal(host: str, port: int) -> list[AddrInfoType]:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return [(family, socket.SOCK_STREAM, 0, "", (host, port))]
    return []


async def _resolve(host: str, port: int, resolver: Executor) -> Sequence[AddrInfoType]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.run_in_executor(
            resolver, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
    except UnicodeError as error:  # a label that is empty or longer than 63 characters
        raise Broken(FaultKind.NAME, "this can be no host's name") from error
    return [*found]


async def _connect(addresses: Sequence[AddrInfoType]) -> socket.socket:
    """The first connection of several addresses, tried a little apart, families in turns (RFC 8305)."""
    try:
        return await start_connection(
            addresses, happy_eyeballs_delay=STAGGER, interleave=1, socket_factory=_socket
        )
    except OSError as error:
        if len(addresses) == 1:
            raise
        # The library tells all reasons at once, with the addresses, and no number where they differ.
        if error.errno is None:
            raise Broken(FaultKind.UNREACHABLE, f"none of {len(addresses)} addresses answers") from error
        raise OSError(error.errno, os.strerror(error.errno)) from error


def _socket(address: AddrInfoType) -> socket.socket:
    sock = socket.socket(*address[:3])
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


async def _tunnel(sock: socket.socket, origin: Origin, proxy: Proxy) -> None:
    loop = asyncio.get_running_loop()
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    lines = [f"CONNECT {host}:{origin.port} HTTP/1.1", f"Host: {host}:{origin.port}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    await loop.sock_sendall(sock, "\r\n".join([*lines, "", ""]).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        chunk = await loop.sock_recv(sock, 4096)
        answer += chunk
        if not chunk or len(answer) > _LONGEST_ANSWER:
            raise Broken(
                FaultKind.MONITOR, "the proxy gave no answer that could be understood", by_proxy=True
            )
    _judge_tunnel(answer)


def _judge_tunnel(answer: bytes) -> None:
    status = answer.split(b"\r\n", 1)[0].split(b" ", 2)[1:2]
    if status and status[0][:1] == b"2" and answer.endswith(b"\r\n\r\n"):
        return
    told = status[0][:3].decode("ascii", "replace") if status else "no status"
    # 502 to 504: the proxy is well and tells that the peer is not; anything else is between us and it.
    kind = FaultKind.UNREACHABLE if told in {"502", "503", "504"} else FaultKind.MONITOR
    raise Broken(kind, f"the proxy answered {told}", by_proxy=True)
