"""Who may enter: the endpoint an address names, and the key that was shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hmac import compare_digest
from typing import Literal

from monitor.sandbox.common import refusals
from monitor.sandbox.common.refusals import Refusal
from monitor.sandbox.common.script import Script, ServedEndpoint

# The official JavaScript SDK passes the key so from browsers, which cannot set headers on a WebSocket
# (openai-node, src/realtime/websocket.ts).
_KEY_PROTOCOL = "openai-insecure-api-key."
_WAYS: Mapping[str, Literal["azure", "openai"]] = {"openai": "azure", "v1": "openai"}


def named_endpoint(script: Script, path: str) -> ServedEndpoint | None:
    """The endpoint whose name is the first part of *path*, with the ways that the rest of it asks for.

    ``/NAME/v1`` has OpenAI's ways and ``/NAME/openai/…`` Azure's, whichever is the endpoint's own: a
    gateway in front of either offers both.
    """
    name, _, rest = path.lstrip("/").partition("/")
    endpoint = script.endpoints.get(name)
    if endpoint is None or endpoint.kind in ("speech", "compatible"):
        return endpoint
    way = _WAYS.get(rest.partition("/")[0], endpoint.kind)
    return endpoint if way == endpoint.kind else replace(endpoint, kind=way)


def shown_key(endpoint: ServedEndpoint, headers: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    """The key a client sent, where this vendor looks for it; None where there is none.

    On Azure a bearer token is an Entra token or, as Microsoft's v1 samples do, the key itself.
    """
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" and bearer.strip() else None
    if endpoint.kind == "speech":
        # An Entra token for Speech reads `aad#resource#token`; here the token is the key.
        return headers.get("ocp-apim-subscription-key") or (token and token.rpartition("#")[2])
    if endpoint.kind == "azure":
        return headers.get("api-key") or token or query.get("api-key")
    if endpoint.kind == "compatible":
        token = token or headers.get("x-api-key")
    return token or _key_among_protocols(headers.get("sec-websocket-protocol", ""))


def _key_among_protocols(offered: str) -> str | None:
    """Return the key that a browser passed as a WebSocket sub-protocol."""
    names = (name.strip() for name in offered.split(","))
    return next((name.removeprefix(_KEY_PROTOCOL) for name in names if name.startswith(_KEY_PROTOCOL)), None)


def is_right_key(endpoint: ServedEndpoint, key: str | None) -> bool:
    """Whether *key* opens the endpoint."""
    return key is not None and compare_digest(key.encode(), endpoint.key.encode())


def refused_key(
    endpoint: ServedEndpoint, headers: Mapping[str, str], query: Mapping[str, str]
) -> Refusal | None:
    """The HTTP answer to a missing or wrong key; None where it is right."""
    key = shown_key(endpoint, headers, query)
    return None if is_right_key(endpoint, key) else refusals.unauthorised(endpoint, key)
