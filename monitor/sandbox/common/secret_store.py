"""The client secrets that were given out: what session each one opens, and until when.

It knows no address and no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.sandbox.common.identifiers import Identifiers
from monitor.sandbox.common.session_kind import Purpose

PREFIX = "ek_"
LARGEST_NUMBER = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecret:
    """A key for sessions of one endpoint; *expires_at* in seconds since 1970."""

    value: str
    endpoint: str
    expires_at: int
    purpose: Purpose
    host: str | None
    session: Mapping[str, Any]


class SecretStore:
    """The client secrets of a running sandbox; the oldest go when there are too many."""

    def __init__(self, clock: Callable[[], datetime], ids: Identifiers) -> None:
        self._clock = clock
        self._ids = ids
        self._kept: dict[str, ClientSecret] = {}

    def make(
        self, endpoint: str, seconds: int, *, purpose: Purpose, host: str | None, session: Mapping[str, Any]
    ) -> ClientSecret:
        """A new secret that holds for so many seconds."""
        secret = ClientSecret(
            value=PREFIX + self._ids.hexadecimal(32),
            endpoint=endpoint,
            expires_at=int(self._clock().timestamp()) + seconds,
            purpose=purpose,
            host=host,
            session=session,
        )
        self._kept[secret.value] = secret
        if len(self._kept) > LARGEST_NUMBER:
            del self._kept[next(iter(self._kept))]
        return secret

    def find(self, endpoint: str, value: str | None) -> ClientSecret | None:
        """The secret of that value while it holds at *endpoint*; else None."""
        secret = self._kept.get(value or "")
        if secret is None or secret.endpoint != endpoint:
            return None
        return secret if self._clock().timestamp() < secret.expires_at else None
