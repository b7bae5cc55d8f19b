"""What every request passes first and every answer carries: host, origin and security headers.

Pure ASGI, so that streams pass through untouched; it knows nothing of routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.web.frame.errors import problem_response

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
SECURITY_HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not "no-referrer": browsers then send "Origin: null" with a form of our own, which tells nothing.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
MOST_BODY_BYTES = 64_000
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Refuses foreign hosts, cross-site writes and huge bodies; adds the security headers to every answer."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str] | None) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        headed = scope["method"] == "HEAD" and not scope["path"].endswith("/events")

        async def send_guarded(message: Message) -> None:
            if headed and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
            await send(message)

        refused = self._refusal(scope, Headers(scope=scope))
        if refused:
            await problem_response(*refused)(scope, receive, send_guarded)
            return
        # Whatever can be read can be asked about (RFC 9110, 9.3.2): probers do, and browsers' tools.
        await self.app({**scope, "method": "GET"} if headed else scope, receive, send_guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host, method = headers.get("host", ""), scope["method"]
        if self.hosts is not None and _name_of(host) not in self.hosts | _own_address(scope):
            # A name that merely resolves to us must not read our pages (DNS rebinding).
            return 421, "This service is not known under that host name: set web.public_url to it."
        if method not in _SAFE and _is_foreign(headers, host):
            return 403, "A change must come from this site itself, not from another page."
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > MOST_BODY_BYTES:
            return 413, f"A body holds at most {MOST_BODY_BYTES:,} bytes."
        return None


def _own_address(scope: Scope) -> frozenset[str]:
    """The address that was connected to: probers ask for it, and no page of a foreign name can."""
    server = scope.get("server")
    try:
        return frozenset({str(ip_address(server[0]))} if server else ())
    except ValueError:
        return frozenset()


def _name_of(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_foreign(headers: Headers, host: str) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    if origin is None:
        return False  # no browser: they send one of the two with every unsafe request
    return origin == "null" or urlsplit(origin).netloc.lower() != host.lower()
