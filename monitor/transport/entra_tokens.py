"""Entra ID tokens: got by azure-identity, kept until shortly before they expire, never written anywhere.

The library is imported only where an endpoint is configured for it. It fetches over connections of its
own, in a thread, before a run begins: no token is waited for inside a measured time.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Protocol

from monitor.core.errors import ConfigurationError, SecretError, TokenRefused

PREFIX = "entra:"
# Microsoft's tokens last 60 to 90 minutes; their own libraries renew 5 minutes before the end.
RENEW_BEFORE_S = 300.0
WITHIN_S = 20.0
_MISSING = 'auth = "entra" needs azure-identity: install earwitness with its extra, earwitness[entra]'
_WHO = ("upn", "unique_name", "app_displayname", "appid", "azp", "oid")
WAIT = "a new assignment takes up to five minutes, sometimes longer, to work"


class Token(Protocol):
    """What a credential gives: azure-core's `AccessToken`."""

    @property
    def token(self) -> str:
        """The token itself."""
        ...

    @property
    def expires_on(self) -> int:
        """Seconds since the epoch."""
        ...


class TokenCredential(Protocol):
    """What gives tokens: any of azure-identity's credentials."""

    def get_token(self, *scopes: str) -> Token:
        """A token for the scopes; blocks."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Held:
    """One token; its text appears in no representation."""

    text: str
    expires: float
    principal: str


def require_library() -> None:
    """Nothing, where azure-identity is installed; ConfigurationError with what to install where it is not."""
    try:
        found = find_spec("azure.identity") is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        raise ConfigurationError([_MISSING])


def default_credential() -> TokenCredential:
    """Whatever identity the machine has: environment, workload, managed identity, a signed-in `az`.

    Raises ConfigurationError with what to install where the library is missing.
    """
    require_library()
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - half a second, rarely needed

    credential: TokenCredential = DefaultAzureCredential()
    return credential


class Tokens:
    """Tokens by scope. *make* builds the credential once, when it is first needed."""

    def __init__(
        self,
        make: Callable[[], TokenCredential] = default_credential,
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._make, self._wall = make, wall
        self._credential: TokenCredential | None = None
        self._held: dict[str, _Held] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def ready(self, reference: str) -> None:
        """Hold a token for the reference that lasts longer than any run.

        Raises TokenRefused where Entra refuses, SecretError where it could not be asked. A token that is
        still valid serves on while renewing it fails.
        """
        async with self._locks.setdefault(reference, asyncio.Lock()):
            held = self._held.get(reference)
            left = 0.0 if held is None else held.expires - self._wall()
            if left > RENEW_BEFORE_S:
                return
            try:
                self._held[reference] = await self._fetch(reference)
            except (SecretError, TokenRefused):
                if left <= WITHIN_S:
                    self._held.pop(reference, None)
                    raise

    def current(self, reference: str) -> str:
        """The token that is held for the reference; SecretError where there is none."""
        held = self._held.get(reference)
        if held is None:
            raise SecretError(reference, "no token is held: it was not asked for before the run")
        return held.text

    def principal(self, reference: str) -> str | None:
        """Who the token says we are; None without a token."""
        held = self._held.get(reference)
        return held.principal if held else None

    async def _fetch(self, reference: str) -> _Held:
        try:
            async with asyncio.timeout(WITHIN_S):
                token = await asyncio.to_thread(self._ask, reference.removeprefix(PREFIX))
        except TimeoutError:
            raise SecretError(reference, f"Entra ID gave no token within {WITHIN_S:g} s") from None
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 - the library may be absent, and so its classes
            raise _explained(reference, error) from None
        return _Held(text=token.token, expires=float(token.expires_on), principal=principal_of(token.token))

    def _ask(self, scope: str) -> Token:
        if self._credential is None:
            self._credential = self._make()
        return self._credential.get_token(scope)


def _explained(reference: str, error: Exception) -> SecretError | TokenRefused:
    """A refusal has a code of Entra's own (AADSTS…); anything else kept us from asking."""
    said = " ".join(str(error).split())
    at = said.find("AADSTS")
    if at >= 0:
        return TokenRefused(f"Entra ID gave no token: {said[at : at + 400]}")
    return SecretError(reference, f"no token could be had: {said[:300] or type(error).__name__}")


def principal_of(token: str) -> str:
    """Who a token speaks for, as its claims say (RFC 7519); nothing is verified, nothing secret is told."""
    claims = _claims(token)
    named = [(name, claims[name]) for name in _WHO if isinstance(claims.get(name), str)]
    return " ".join(f"{name} {value}" for name, value in named)[:200] or "unknown"


def _claims(token: str) -> dict[str, Any]:
    parts = token.split(".")
    try:
        body = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        claims = json.loads(body)
    except (IndexError, binascii.Error, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def advice(principal: str | None, role: str | None) -> str:
    """What a refused token usually wants: who, which role, how long to wait."""
    who = principal or "unknown"
    needed = f"the role {role}" if role else "a role"
    return f"principal: {who}; it needs {needed} on the resource, and {WAIT}"
