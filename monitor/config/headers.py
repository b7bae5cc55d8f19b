"""The headers that an endpoint adds: which of them may not be, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.config import forms
from monitor.config.secrets import check_reference
from monitor.core.model import Endpoint, is_reference
from monitor.providers import PROVIDERS

_FRAMING = "belongs to the connection and is made for every request; remove it"
_OWN = "is made by the check itself; remove it"
_RESERVED = {
    **dict.fromkeys(
        ("host", "connection", "upgrade", "content-length", "transfer-encoding", "te", "trailer", "expect",
         "keep-alive", "proxy-connection"), _FRAMING,
    ),
    **dict.fromkeys(("content-type", "accept", "accept-encoding", "user-agent"), _OWN),
    "proxy-authorization": "is for a proxy: write proxy, a reference to a URL with user and password",
    "openai-organization": "has a key of its own: write organization",
    "openai-project": "has a key of its own: write project",
    "openai-beta": 'follows the dialect: write dialect = "preview"',
}  # fmt: skip
_WEBSOCKET = "sec-websocket-"
_SECRET = re.compile(r"key|token|secret|auth|password|cookie|credential|signature", re.IGNORECASE)


def refused_headers(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    """The name of each header that may not be given, and a sentence that says why."""
    provider = PROVIDERS[endpoint.provider]
    credential = provider.credential(endpoint)
    reserved = {**_RESERVED, provider.correlation_header.lower(): _OWN}
    if credential is not None:
        reserved[credential.header.lower()] = "is sent with the key already; remove it"
    seen: set[str] = set()
    for name, value in endpoint.headers.items():
        lowered = name.lower()
        reason = _FRAMING if lowered.startswith(_WEBSOCKET) else reserved.get(lowered)
        reason = reason or _unusable(name, value)
        if lowered in seen:
            reason = "stands here twice: case makes no difference in the name of a header"
        seen.add(lowered)
        if reason:
            yield name, reason


def _unusable(name: str, value: str) -> str | None:
    try:
        forms.header_name(name)
        if is_reference(value) or _SECRET.search(name):
            check_reference(value)
    except ValueError as error:
        return str(error)
    return None
