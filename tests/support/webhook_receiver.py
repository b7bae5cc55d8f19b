"""A receiver of webhooks on loopback, on a thread of its own: it keeps what is posted."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from standardwebhooks.webhooks import Webhook

SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"


class Receiver(ThreadingHTTPServer):
    """Answers with `status` and keeps headers (names in lower case) and body of every post."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.posted: list[tuple[Mapping[str, str], bytes]] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join(10)

    @property
    def url(self) -> str:
        """Where it is reached; the path is a secret of its own."""
        return f"http://127.0.0.1:{self.server_port}/hook/secret-path"

    def verified(self, secret: str = SECRET) -> Sequence[Mapping[str, Any]]:
        """Every body, in order; raises where a signature is not right (Standard Webhooks)."""
        return [Webhook(secret).verify(body, dict(headers)) for headers, body in self.posted]

    def ids(self) -> Sequence[str]:
        """The id of every post, in order."""
        return [headers["webhook-id"] for headers, _ in self.posted]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.posted.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"taken")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing: the tests print only what fails."""
