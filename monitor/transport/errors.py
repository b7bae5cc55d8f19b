"""Foreign exceptions, translated once into kinds of fault; nothing else knows the libraries' own."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpcore
import httpx
from websockets.exceptions import (
    InvalidMessage,
    InvalidURI,
    PayloadTooBig,
    SecurityError,
    TooManyFragments,
    WebSocketException,
)

from monitor.core.conversation import FaultKind
from monitor.core.errors import SecretError

# The first row that fits decides: a class stands above the classes it is derived from.
_TABLE: tuple[tuple[type[Exception], FaultKind], ...] = (
    (socket.gaierror, FaultKind.NAME),
    (ssl.SSLCertVerificationError, FaultKind.CERTIFICATE),
    (ssl.SSLError, FaultKind.TLS),
    (ConnectionRefusedError, FaultKind.REFUSED),
    (ConnectionError, FaultKind.RESET),
    (EOFError, FaultKind.RESET),
    (TimeoutError, FaultKind.TIMEOUT),
    (SecretError, FaultKind.MONITOR),
    (InvalidURI, FaultKind.MONITOR),
    (httpx.InvalidURL, FaultKind.MONITOR),
    (httpcore.LocalProtocolError, FaultKind.MONITOR),  # a header of ours that cannot be sent
    (PayloadTooBig, FaultKind.TOO_LARGE),
    (TooManyFragments, FaultKind.TOO_LARGE),
    (SecurityError, FaultKind.TOO_LARGE),
    (WebSocketException, FaultKind.PROTOCOL),
    (httpcore.ProtocolError, FaultKind.PROTOCOL),
    (httpcore.NetworkError, FaultKind.RESET),
    (UnicodeError, FaultKind.PROTOCOL),
)
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}
_FOREIGN: tuple[type[Exception], ...] = (OSError, *(known for known, _ in _TABLE))
_HEAD_TOO_LONG = 431  # h11's hint where a head is longer than is taken


class Broken(Exception):
    """Something below the protocol broke; `stage` of the run tells where, `by_proxy` whether a proxy did."""

    def __init__(self, kind: FaultKind, detail: str, *, by_proxy: bool = False) -> None:
        self.kind = kind
        self.detail = detail
        self.by_proxy = by_proxy
        super().__init__(f"{kind}: {detail}")


@contextmanager
def translated() -> Iterator[None]:
    """Whatever the libraries and the system raise inside leaves as Broken."""
    try:
        yield
    except _FOREIGN as error:
        raise translate(error) from error


def translate(error: Exception) -> Broken:
    """The fault that *error* means; its detail names no host, header or URL."""
    if isinstance(error, InvalidMessage) and isinstance(error.__cause__, Exception):
        return translate(error.__cause__)
    if getattr(error.__cause__, "error_status_hint", None) == _HEAD_TOO_LONG:
        return Broken(FaultKind.TOO_LARGE, "the head of the answer is too long")
    for known, kind in _TABLE:
        if isinstance(error, known):
            return Broken(kind, _detail(error))
    if isinstance(error, OSError):
        # What the network did not cause (no descriptor, no memory, no free port) is our own side.
        unreachable = error.errno in _UNREACHABLE
        return Broken(FaultKind.UNREACHABLE if unreachable else FaultKind.MONITOR, _detail(error))
    return Broken(FaultKind.PROTOCOL, _detail(error))


def _detail(error: Exception) -> str:
    if isinstance(error, InvalidURI | httpx.InvalidURL):  # both quote it, and it may hold a password
        return "the URL cannot be used: its host or port cannot be read"
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    if isinstance(error, ssl.SSLError):
        return str(error.reason or error.strerror or error)
    if isinstance(error, OSError) and error.strerror:
        return str(error.strerror)
    return str(error)[:500] or type(error).__name__
