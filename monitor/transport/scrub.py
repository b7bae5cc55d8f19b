"""Secrets, hidden in whatever a peer says: it may echo the key that it was sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

HIDDEN = "[secret]"
# Shorter ones are no secrets ("EMPTY", "none" for servers that want any key) but may be words.
_SHORTEST = 6
_SECRET_KEYS = ("key", "token", "secret", "sig", "password", "code", "auth", "credential")


class Scrubber:
    """Hides the secrets it was told of, in every spelling, from texts and bytes."""

    __slots__ = ("_bytes", "_texts")

    def __init__(self) -> None:
        self._texts: tuple[str, ...] = ()
        self._bytes: tuple[bytes, ...] = ()

    def hide(self, secret: str) -> None:
        """From now on *secret* is hidden."""
        forms = sorted({*self._texts, *_spellings(secret)}, key=len, reverse=True)
        self._texts = tuple(forms)
        self._bytes = tuple(form.encode() for form in forms)

    def text(self, text: str) -> str:
        """*text* without secrets."""
        for form in self._texts:
            if form in text:
                text = text.replace(form, HIDDEN)
        return text

    def data(self, data: bytes) -> bytes:
        """*data* without secrets."""
        for form in self._bytes:
            if form in data:
                data = data.replace(form, HIDDEN.encode())
        return data

    def headers(self, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Names and values without secrets."""
        return tuple((self.text(name), self.text(value)) for name, value in headers)


@lru_cache(maxsize=128)
def _spellings(secret: str) -> tuple[str, ...]:
    if len(secret) < _SHORTEST:
        return ()
    plain = json.dumps(secret)[1:-1]
    forms = {secret, plain, plain.replace("/", "\\/"), quote(secret, safe=""), quote_plus(secret)}
    forms |= {form.replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d") for form in forms}
    for lead in range(3):
        core = _base64_core(secret.encode(), lead)
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return tuple(forms)


def _base64_core(raw: bytes, lead: int) -> str:
    """The characters that *raw* always gives in base64 when *lead* other bytes (modulo 3) stand before it."""
    encoded = base64.b64encode(bytes(lead) + raw).decode()
    return encoded[(0, 2, 3)[lead] : (len(raw) + lead) * 8 // 6]


def public_url(url: str) -> str:
    """The URL without user, password, fragment, and without the values of keys that look secret."""
    parts = urlsplit(url)
    query = [(key, _public(key, value)) for key, value in parse_qsl(parts.query, keep_blank_values=True)]
    safe = urlencode(query, safe="[]:/")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, safe, ""))


def _public(key: str, value: str) -> str:
    return HIDDEN if any(word in key.lower() for word in _SECRET_KEYS) else value
