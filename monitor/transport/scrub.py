"""Secrets, hidden in whatever a peer says: it may echo the key that it was sent."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from monitor.core.secret_spellings import Spellings, spellings_of

HIDDEN = "[secret]"
# Shorter ones are no secrets ("EMPTY", "none" for servers that want any key) but may be words.
_SHORTEST = 6
_SECRET_KEYS = ("key", "token", "secret", "sig", "password", "code", "auth", "credential")


class Scrubber:
    """Hides the secrets it was told of, in every spelling, from texts and bytes."""

    __slots__ = ("_sought",)

    def __init__(self) -> None:
        self._sought: tuple[Spellings, ...] = ()

    def hide(self, secret: str) -> None:
        """From now on *secret* is hidden."""
        if len(secret) >= _SHORTEST and (sought := spellings_of(secret)) not in self._sought:
            self._sought = tuple(sorted((*self._sought, sought), key=lambda one: -one.size))

    def text(self, text: str) -> str:
        """*text* without secrets."""
        for sought in self._sought:
            text = sought.hidden(text, HIDDEN)
        return text

    def data(self, data: bytes) -> bytes:
        """*data* without secrets."""
        for sought in self._sought:
            data = sought.hidden_bytes(data, HIDDEN)
        return data

    def headers(self, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Names and values without secrets."""
        return tuple((self.text(name), self.text(value)) for name, value in headers)


def public_url(url: str) -> str:
    """The URL without user, password, fragment, and without the values of keys that look secret."""
    parts = urlsplit(url)
    query = [(key, _public(key, value)) for key, value in parse_qsl(parts.query, keep_blank_values=True)]
    safe = urlencode(query, safe="[]:/")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, safe, ""))


def _public(key: str, value: str) -> str:
    return HIDDEN if any(word in key.lower() for word in _SECRET_KEYS) else value
