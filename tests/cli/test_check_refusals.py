"""`check --json` against a server that refuses: what its words say outranks its status and its code."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.support.commands import Configure, Run

CONFIG = """
[monitor]
location = "berlin"

[database]
url = "sqlite:///{folder}/data/earwitness.db"

[web]
listen = "127.0.0.1:{port}"

[endpoint.own]
provider = "openai_compatible"
url = "{base}/v1"

[[watch]]
endpoint = "own"
models = ["whisper-1"]
pathways = ["rest"]
timeout = "5s"
"""
TARGET = "own/whisper-1/rest"


class Refusing:
    """A server that answers every upload with one status and one body."""

    def __init__(self) -> None:
        self.status = 500
        self.body = ""
        told = self

        class Handler(BaseHTTPRequestHandler):
            """Reads the upload and refuses it."""

            def do_POST(self) -> None:
                """Answer with what is set."""
                self.rfile.read(int(self.headers["Content-Length"]))
                body = told.body.encode()
                self.send_response(told.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def refusing() -> Iterator[Refusing]:
    """The server, for one test."""
    one = Refusing()
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "failure", "blame", "code"),
    [
        (429, {"error": {"message": "The engine is currently overloaded"}}, "capacity", "provider", 1),
        (500, {"error": {"message": "Error code: 401 - refused", "code": "500"}}, "auth", "account", 1),
        (429, {"error": {"message": "upstream: HTTP 503"}}, "server", "provider", 1),
        (403, {"message": "Out of call volume quota."}, "quota", "account", 1),
        (
            400,
            {
                "error": {
                    "message": "Invalid file format.",
                    "type": "invalid_request_error",
                    "code": "invalid_value",
                }
            },
            "audio",
            "monitor",
            2,
        ),
        (424, "Request failed during generation", "server", "provider", 1),
        (498, "", "capacity", "provider", 1),
        (501, "", "config", "account", 1),
        (404, "404 page not found", "config", "account", 1),
    ],
)
def test_a_refusal_is_read_by_its_words(
    run: Run,
    configure: Configure,
    refusing: Refusing,
    status: int,
    body: object,
    failure: str,
    blame: str,
    code: int,
) -> None:
    """Failure and blame of the outcome line, and the exit code: 2 where nothing was measured."""
    refusing.status, refusing.body = status, body if isinstance(body, str) else json.dumps(body)
    configure(refusing.base, text=CONFIG)
    done = run("check", "--json", TARGET)
    told = json.loads(done.out)
    assert (told["failure"], told["blame"], told["http_status"], done.code) == (failure, blame, status, code)


@pytest.mark.parametrize(
    ("body", "quoted"),
    [
        ({"error_msg": "the engine said no"}, "the engine said no"),
        ({"errors": [{"title": "No", "detail": "the engine said no"}]}, "the engine said no"),
        ("the engine said no", "the engine said no"),
        ("<html><h1>the engine</h1><p>said no</p></html>", "the engine said no"),
        ({"ok": False, "why": "the engine said no"}, '{"ok": false, "why": "the engine said no"}'),
    ],
)
def test_words_of_any_shape_are_quoted(
    run: Run, configure: Configure, refusing: Refusing, body: object, quoted: str
) -> None:
    """Never *without an explanation* where there is one."""
    refusing.body = body if isinstance(body, str) else json.dumps(body)
    configure(refusing.base, text=CONFIG)
    told = json.loads(run("check", "--json", TARGET).out)
    assert (told["failure"], told["message"]) == ("server", quoted)
