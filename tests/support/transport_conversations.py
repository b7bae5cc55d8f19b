"""Conversations for these tests: they ask what they are told to, and keep the answers."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.core.conversation import (
    Answer,
    Ask,
    Close,
    Conversation,
    Credential,
    End,
    Finding,
    Open,
    Receive,
    Send,
    Upload,
)
from monitor.core.model import Stage
from monitor.transport import Limits, Observation, Transport

CERTIFICATES = Path(__file__).parents[1] / "transport" / "certificates"
CANARY = "sk-canary/7+Wq=0123456789"
KEY = Credential(header="Authorization", reference="env:CANARY", prefix="Bearer ")
FOUND = Finding(stage=Stage.VERIFY, end=End.TEXT)
BRIEF = 0.3  # the deadline of a run that is meant to meet it, in seconds
AMPLE = 5.0  # the deadline of a run that is not meant to meet it
GRACE = 0.5  # by how much a run may overrun


def ask_all(answers: list[Answer], *asks: Ask) -> Conversation:
    """Ask one after the other, whatever the answers are."""
    for ask in asks:
        answers.append((yield ask))  # noqa: PERF401 - no yield in a comprehension
    return FOUND


def open_at(url: str, *headers: tuple[str, str]) -> Open:
    """An upgrade with the canary for a key."""
    return Open(url=url, headers=headers, until=60.0, credential=KEY)


def upload_to(url: str, body: bytes = b"audio", *headers: tuple[str, str]) -> Upload:
    """A request with the canary for a key."""
    return Upload(url=url, headers=headers, body=body, until=60.0, credential=KEY)


def send(*frames: str, spacing: float = 0.0, audio: bool = False) -> Send:
    """Those frames."""
    return Send(frames=frames, until=60.0, spacing=spacing, audio=audio)


RECEIVE = Receive(until=60.0)
CLOSE = Close(until=60.0)


def transport(limits: Limits | None = None, wall: Callable[[], float] = time.time) -> Transport:
    """A transport that knows the canary and trusts the authority of these tests."""
    return Transport(secret=lambda _: CANARY, ca_file=CERTIFICATES / "ca.pem", limits=limits, wall=wall)


async def observe(
    *asks: Ask, deadline: float = AMPLE, limits: Limits | None = None
) -> tuple[list[Answer], Observation]:
    """The answers to those asks and what is left of the run, which must end in time."""
    answers: list[Answer] = []
    runner = transport(limits)
    began = time.monotonic()
    try:
        seen = await runner.run(ask_all(answers, *asks), deadline=deadline)
    finally:
        await runner.aclose()
    assert time.monotonic() - began < deadline + GRACE
    return answers, seen


def server_tls(certificate: str) -> ssl.SSLContext:
    """A server's side with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / certificate)
    return context


@contextmanager
def full_port() -> Iterator[int]:
    """A port whose queue is full: the network takes no further connection, and refuses none."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        try:
            yield listener.getsockname()[1]
        finally:
            for one in waiting:
                one.close()


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
