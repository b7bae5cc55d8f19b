"""The HTTP side of the sandbox: which address is answered by what."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime

from starlette.applications import Starlette
from starlette.routing import Route

from monitor.sandbox.azure_speech import rest as speech
from monitor.sandbox.common import http_call
from monitor.sandbox.common.script import Script
from monitor.sandbox.common.state import Sandbox, utc_now
from monitor.sandbox.openai import client_secrets, uploads
from monitor.sandbox.server import control_page

SHORT_AUDIO = "/speech/recognition/{mode}/cognitiveservices/v1"
FAST = "/speechtotext/transcriptions:transcribe"


def create_app(
    script: Script,
    *,
    clock: Callable[[], datetime] = utc_now,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    rng: random.Random | None = None,
) -> Starlette:
    """The HTTP application; `running` and `serve` add the WebSocket side to the same port.

    Fault times, identifiers and time stamps follow *clock*. Raises FaultError where the script holds
    a fault that could never strike.
    """
    app = Starlette(routes=[*control_page.ROUTES, *_rest_routes()])
    app.state.sandbox = Sandbox(script, clock=clock, sleep=sleep, rng=rng)
    return app


def _rest_routes() -> list[Route]:
    upload, secrets = "/audio/transcriptions", "/realtime/client_secrets"
    return [
        Route("/{endpoint}/v1" + upload, uploads.transcribe, methods=["POST"]),
        Route("/{endpoint}/openai/v1" + upload, uploads.transcribe, methods=["POST"]),
        Route("/{endpoint}/openai/deployments/{deployment}" + upload, uploads.transcribe, methods=["POST"]),
        Route("/{endpoint}/v1" + secrets, client_secrets.create_secret, methods=["POST"]),
        Route("/{endpoint}/openai/v1" + secrets, client_secrets.create_secret, methods=["POST"]),
        Route(f"/{{endpoint}}{SHORT_AUDIO}", speech.recognise_short, methods=["POST"]),
        Route(f"/{{endpoint}}{FAST}", speech.transcribe_fast, methods=["POST"]),
        Route("/{endpoint}/v1/models", http_call.list_models),
        Route("/{endpoint}/openai/v1/models", http_call.list_models),
        Route("/{endpoint}/v1/models/{model:path}", http_call.show_model),
        Route("/{endpoint}/openai/v1/models/{model:path}", http_call.show_model),
        Route("/{rest:path}", http_call.nothing_here, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]
