"""Reading and building addresses: what people paste, and what goes on the wire; nothing is resolved."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_HOST = re.compile(r"[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\]")
_SECRET_NAMES = re.compile(r"key|token|secret|signature|^sig$|code", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A pasted address in its parts; `origin` is scheme, host and port, `path` has no final slash."""

    origin: str
    host: str
    path: str
    query: tuple[tuple[str, str], ...]

    def value(self, name: str) -> str | None:
        """The last value of a query parameter."""
        return next((value for key, value in reversed(self.query) if key == name), None)


def read_address(text: str, *, known: Collection[str]) -> Address:
    """The parts of an http, https, ws or wss address; `known` are the query names it may have.

    A missing scheme means https. Raises ValueError, in a sentence without the secret, for anything
    that is no such address, for secrets inside it, and for query parameters nobody understands.
    """
    stripped = text.strip()
    if not stripped or any(character.isspace() or not character.isprintable() for character in stripped):
        raise ValueError("the address is empty or holds spaces or control characters")
    try:
        parts = urlsplit(stripped if "://" in stripped else f"https://{stripped}")
        port = parts.port
    except ValueError as error:
        raise ValueError(f"this is no address: {error}") from None
    scheme = _SCHEMES.get(parts.scheme.lower())
    if scheme is None:
        raise ValueError(f"'{parts.scheme}' cannot be used: an address begins with https:// or wss://")
    if "@" in parts.netloc:
        raise ValueError('a user name or password stands in the address: give the key as key = "env:NAME"')
    host = (parts.hostname or "").rstrip(".")
    bracketed = f"[{host}]" if ":" in host else host
    if not _HOST.fullmatch(bracketed):
        raise ValueError("the address names no host")
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    _check_query([name for name, _ in query], known)
    path = re.sub(r"/{2,}", "/", parts.path).rstrip("/")
    return Address(
        origin=f"{scheme}://{bracketed}" + (f":{port}" if port is not None else ""),
        host=host,
        path=path,
        query=query,
    )


def _check_query(names: Sequence[str], known: Collection[str]) -> None:
    for name in names:
        if name in known:
            continue
        if _SECRET_NAMES.search(name):
            raise ValueError(f'a secret stands in the address ({name}=…): give it as key = "env:NAME"')
        raise ValueError(f"the part '?{name}=' cannot be kept: give the address up to the question mark")


def cut_at(path: str, ends: Sequence[str]) -> str:
    """The path without the first of `ends` that it ends with."""
    for end in ends:
        if path.endswith(end):
            return path[: -len(end)]
    return path


def as_websocket(base: str) -> str:
    """The same address for a WebSocket: http becomes ws, https becomes wss."""
    return "ws" + base.removeprefix("http") if base.startswith("http") else base


def with_query(url: str, *pairs: tuple[str, str | None]) -> str:
    """The address with the parameters that have a value."""
    given = [(name, value) for name, value in pairs if value is not None]
    return f"{url}?{urlencode(given, quote_via=quote)}" if given else url


def segment(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")
