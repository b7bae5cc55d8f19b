"""Drives a conversation: answers what it asks, within the deadline, and keeps the evidence.

It retries nothing and judges nothing. Whatever happens, cancellation too, every socket is closed.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from ssl import SSLContext
from typing import assert_never

import orjson

from monitor.core.conversation import (
    MINTED,
    Answer,
    Ask,
    Close,
    Conversation,
    Credential,
    Enter,
    Evidence,
    Fault,
    FaultKind,
    Finding,
    Headers,
    Noted,
    Open,
    Receive,
    Responded,
    Send,
    Silent,
    Upload,
)
from monitor.core.errors import ConfigurationError
from monitor.core.model import Stage, is_reference
from monitor.transport.dial import (
    DIRECT,
    Origin,
    Proxy,
    cut_user,
    dial,
    is_spared,
    origin_of,
    parse_proxy,
    password_in,
)
from monitor.transport.entra_tokens import PREFIX, Tokens
from monitor.transport.errors import Broken, translated
from monitor.transport.evidence import CLIENT, summarise, utc
from monitor.transport.http import HttpRequest, load_engine, upload
from monitor.transport.http_stream import Download, begin
from monitor.transport.limits import Limits
from monitor.transport.loop_lag import LagSampler
from monitor.transport.probe import ProbeResult, measure
from monitor.transport.recorder import Recorder
from monitor.transport.sockets import Streams, open_streams
from monitor.transport.tls import trusted
from monitor.transport.websocket import ClientWebSocket, MessageListener
from monitor.transport.websocket_conversation import WebSocketConversation

CLOCK_STEP = 2.0  # seconds between wall clock and monotonic clock that no slewing explains
_LATE_ASKS = 64  # what a conversation may still ask after the deadline, to find its end
_FAIR_SHARE = 64  # asks answered in a row before other runs get their turn
# A resolver that hangs holds a thread; the store and everything else have threads of their own.
_RESOLVERS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one run left: what the conversation found, the evidence, and how sound our own side was.

    `finding` is None where the conversation did not come to an end at its deadline. `lag` (how late
    our event loop was at worst) is in seconds; `clock_stepped` says that the wall clock jumped.
    """

    finding: Finding | None
    evidence: Evidence
    lag: float
    clock_stepped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """What came back for a notice: a status, or the fault that kept it from coming; never both."""

    status: int | None
    headers: Headers = ()
    body: bytes = b""
    fault: FaultKind | None = None
    detail: str | None = None


class Transport:
    """Opens every socket: one for all runs of a process, used from one event loop.

    *secret* resolves a reference such as ``env:NAME`` (SecretError where it cannot); *proxy* is the
    ``http://`` URL of a tunnelling proxy, which the hosts in *no_proxy* are reached without (in the form
    of the variable NO_PROXY); *ca_file* is trusted beside the system's certificates.
    Raises ConfigurationError for a proxy that cannot be used. *tls* and *wall* are seams for tests.
    """

    def __init__(
        self,
        *,
        secret: Callable[[str], str],
        proxy: str | None = None,
        no_proxy: str = "",
        ca_file: Path | None = None,
        limits: Limits | None = None,
        tokens: Tokens | None = None,
        tls: Callable[[Path | None], SSLContext] = trusted,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._secret = secret
        self._tokens = tokens or Tokens()
        self._proxy_url = proxy
        try:
            self._proxy = parse_proxy(proxy) if proxy else None
        except ValueError as error:
            raise ConfigurationError([f"network.proxy: {error}"]) from error
        self._no_proxy = no_proxy
        self._limits = limits or Limits()
        self._make_tls = partial(tls, ca_file)
        self._tls: SSLContext | None = None
        self._wall = wall
        self._lag = LagSampler()
        self._resolver = ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="resolve")

    async def run(
        self, conversation: Conversation, *, deadline: float, proxy: str | None = None
    ) -> Observation:
        """Hold one conversation, for at most *deadline* seconds (and 0.5 s to hear it out).

        *proxy* is a route of its own: a reference, a URL, or "none" for no proxy. What the conversation
        itself raises is raised here.
        """
        self._warm()
        tape = self._tape(proxy)
        run = _Run(self, tape, deadline)
        watch = self._lag.start()
        started = tape.started = self._wall()
        try:
            finding = await run.drive(conversation)
        finally:
            run.abandon()
            conversation.close()
            self._lag.stop(watch)
        tape.notes.extend(finding.notes if finding else ())
        stepped = abs(self._wall() - started - tape.at()) > CLOCK_STEP
        if stepped:
            tape.notes.append("the wall clock stepped during the run")
        evidence = summarise(tape, utc(started), lag=watch.worst)
        return Observation(
            finding=_marked(finding, tape), evidence=evidence, lag=watch.worst, clock_stepped=stepped
        )

    async def ready(self, credential: Credential | None) -> None:
        """Have what a run's credential needs before the run is timed; raises TokenRefused, SecretError."""
        if credential is not None and credential.reference.startswith(PREFIX):
            await self._tokens.ready(credential.reference)

    def principal(self, credential: Credential | None) -> str | None:
        """Whom a token speaks for; None for a key, and before there is a token."""
        return None if credential is None else self._tokens.principal(credential.reference)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, deadline: float) -> HttpReply:
        """Send a notice, once; redirects are not followed, and 64 KiB of the answer are read.

        User and password in the URL are sent as Basic authentication.
        """
        self._warm()
        tape = self._tape()
        try:
            url, authorization = cut_user(url)
        except ValueError as error:
            return HttpReply(status=None, fault=FaultKind.MONITOR, detail=str(error))
        sent = tuple(headers.items())
        if authorization is not None:
            tape.scrub.hide(authorization.removeprefix("Basic "))
            tape.scrub.hide(password_in(authorization))
            sent = (*sent, ("Authorization", authorization))
        request = HttpRequest(method="POST", url=url, headers=sent, body=body)
        connect = partial(self.connect, url, tape)
        limit = self._limits.reply
        answer = await upload(request, connect, tape, until=deadline, limit=limit)
        match answer:
            case Responded():
                return HttpReply(status=answer.status, headers=answer.headers, body=answer.body)
            case Silent():
                return HttpReply(status=None, fault=FaultKind.TIMEOUT, detail="no answer in time")
            case Fault():
                return HttpReply(status=None, fault=answer.kind, detail=answer.detail)

    async def reach(self, url: str, *, deadline: float, proxy: str | None = None) -> ProbeResult:
        """How far the origin of *url* can be reached, TLS included where the URL asks for it."""
        self._warm()
        return await measure(self.connect, url, self._tape(proxy), deadline)

    async def aclose(self) -> None:
        """Let go of the resolver's threads; runs must be over."""
        self._resolver.shutdown(wait=False, cancel_futures=True)

    async def connect(self, url: str, tape: Recorder) -> Streams:
        """A connection to the origin of *url*, through TLS where it asks for it; raises Broken."""
        origin = origin_of(url)
        sock = await self._dial(origin, tape)
        with translated():
            context, name = self._security(origin, tape)
            reader, writer = await open_streams(sock, context, name)
        _note_tls(tape, writer.transport)
        return reader, writer

    async def connect_wire(self, url: str, listener: MessageListener, tape: Recorder) -> ClientWebSocket:
        """The same for a WebSocket, whose upgrade is still to be asked for; raises Broken."""
        origin = origin_of(url)
        with translated():
            wire = ClientWebSocket(url, listener, self._limits)
        sock = await self._dial(origin, tape)
        with translated():
            context, name = self._security(origin, tape)
            await asyncio.get_running_loop().create_connection(
                lambda: wire, sock=sock, ssl=context, server_hostname=name
            )
        _note_tls(tape, wire.transport)
        return wire

    def prepare(self, ask: Open | Upload, method: str, tape: Recorder) -> Headers:
        """The headers to send, the credential last; what may be kept of them goes on the tape."""
        headers = tuple(ask.headers)
        tape.request(method, ask.url, headers, ask.credential.header if ask.credential else None)
        with translated():
            sent = [self._header(name, value, tape) for name, value in headers]
            if ask.credential is not None:
                sent.append(self._credential(ask.credential, tape))
            return tuple(sent)

    def _header(self, name: str, value: str, tape: Recorder) -> tuple[str, str]:
        """A header of the endpoint's own may hold a reference."""
        if not is_reference(value):
            return name, value
        return self._credential(Credential(header=name, reference=value), tape)

    def _credential(self, credential: Credential, tape: Recorder) -> tuple[str, str]:
        is_minted = credential.reference == MINTED
        secret = (tape.minted or "") if is_minted else self._secret_of(credential.reference)
        tape.scrub.hide(secret)
        value = f"{credential.prefix}{secret}"
        if not secret:
            raise Broken(FaultKind.MONITOR, f"{credential.reference}: there is no such secret")
        if not (value.isascii() and value.isprintable()):
            raise Broken(
                FaultKind.MONITOR, f"{credential.reference}: a key is printable ASCII without line ends"
            )
        return credential.header, value

    def _secret_of(self, reference: str) -> str:
        return self._tokens.current(reference) if reference.startswith(PREFIX) else self._secret(reference)

    def _tape(self, proxy: str | None = None) -> Recorder:
        loop = asyncio.get_running_loop()
        tape = Recorder(now=loop.time, zero=loop.time(), limits=self._limits, proxy=proxy)
        if self._proxy is not None and self._proxy.authorization:
            tape.scrub.hide(self._proxy.authorization.removeprefix("Basic "))
        return tape

    def _warm(self) -> None:
        # Tens of milliseconds, which must not count as the first peer's.
        if self._tls is None:
            self._tls = self._make_tls()
            load_engine()

    async def _dial(self, origin: Origin, tape: Recorder) -> socket.socket:
        return await dial(origin, self._route(origin, tape), tape, self._resolver)

    def _route(self, origin: Origin, tape: Recorder) -> Proxy | None:
        """The proxy to go through: the run's own, else the network's, unless the host is spared from it."""
        if tape.proxy == DIRECT:
            return None
        if tape.proxy is None:
            return None if is_spared(origin, self._no_proxy) else self._proxy
        try:
            with translated():
                url = self._secret(tape.proxy) if is_reference(tape.proxy) else tape.proxy
            proxy = parse_proxy(url)
        except ValueError as error:
            raise Broken(FaultKind.MONITOR, f"the endpoint's proxy: {error}") from error
        if proxy.authorization:
            tape.scrub.hide(proxy.authorization.removeprefix("Basic "))
            tape.scrub.hide(password_in(proxy.authorization))
        return proxy

    def _security(self, origin: Origin, tape: Recorder) -> tuple[SSLContext | None, str | None]:
        if not origin.secure:
            return None, None
        tape.enter(Stage.TLS)
        return self._tls, origin.host


class _Run:
    """One conversation under way."""

    def __init__(self, transport: Transport, tape: Recorder, deadline: float) -> None:
        self._transport = transport
        self._tape = tape
        self._deadline = deadline
        self._download: Download | None = None
        self.talk = WebSocketConversation(tape, self._open)

    def abandon(self) -> None:
        """Say goodbye where that is still possible, and free every socket."""
        self.talk.abandon()
        self._let_go()

    def _let_go(self) -> None:
        """An answer that was being received is over: the next `Receive` is meant for what comes now."""
        if self._download is not None:
            self._download.abandon()
            self._download = None

    async def drive(self, conversation: Conversation) -> Finding | None:
        """Answer until the conversation has found its end, or has asked too long past the deadline."""
        asks = late = 0
        try:
            ask = next(conversation)
            while late < _LATE_ASKS:
                answer = await self._answer(ask)
                asks += 1
                late += answer.at >= self._deadline
                if asks % _FAIR_SHARE == 0:
                    await asyncio.sleep(0)
                ask = conversation.send(answer)
        except StopIteration as stop:
            found: Finding = stop.value
            return found
        self._tape.notes.append("the conversation went on asking after its deadline and was ended")
        return None

    async def _answer(self, ask: Ask) -> Answer:
        if isinstance(ask, Enter):
            self._tape.enter(ask.stage)
            return Noted(at=self._tape.at())
        if self._tape.at() >= self._deadline:
            return Silent(at=self._tape.at())
        until = min(ask.until, self._deadline)
        match ask:
            case Upload():
                return await self._upload(ask, until)
            case Receive() if self._download is not None:
                return await self._download.next(until)
            case Open() | Send() | Receive() | Close():
                return await self.talk.answer(ask, until)
            case _:
                assert_never(ask)

    async def _open(self, ask: Open, listener: MessageListener) -> tuple[ClientWebSocket, Headers]:
        self._let_go()
        headers = self._transport.prepare(ask, "GET", self._tape)
        wire = await self._transport.connect_wire(ask.url, listener, self._tape)
        return wire, (*headers, ("User-Agent", CLIENT))

    async def _upload(self, ask: Upload, until: float) -> Answer:
        self.abandon()
        stage = self._tape.stage
        try:
            headers = self._transport.prepare(ask, ask.method, self._tape)
        except Broken as broken:
            return Fault(at=self._tape.at(), stage=stage, kind=broken.kind, detail=broken.detail)
        summary = self._tape.scrub.text(orjson.dumps(dict(ask.summary)).decode())
        self._tape.http("out", ask.method, len(ask.body), summary)
        request = HttpRequest(method=ask.method, url=ask.url, headers=headers, body=ask.body, mints=ask.mints)
        connect = partial(self._transport.connect, ask.url, self._tape)
        limits = self._tape.limits
        if not ask.streamed:
            return await upload(request, connect, self._tape, until=until, limit=limits.response)
        self._download, answer = await begin(request, connect, self._tape, until=until, limits=limits)
        return answer


def _note_tls(tape: Recorder, transport: asyncio.BaseTransport) -> None:
    secured = transport.get_extra_info("ssl_object")
    if secured is not None:
        tape.tls = secured.version()


def _marked(finding: Finding | None, tape: Recorder) -> Finding | None:
    """The finding with the one mark that only the transport can see: when the connection stood."""
    if finding is None or tape.connected is None or "connect" in finding.marks:
        return finding
    return replace(finding, marks={"connect": tape.connected, **finding.marks})
