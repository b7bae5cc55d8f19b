"""The HTTP side of the sandbox: which address is answered by what."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime

from starlette.applications import Starlette
from starlette.routing import Route

from monitor.sandbox import calls, client_secrets, control, rest, speech
from monitor.sandbox.script import Script
from monitor.sandbox.state import Sandbox, utc_now

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
    app = Starlette(routes=[*control.ROUTES, *_rest_routes()])
    app.state.sandbox = Sandbox(script, clock=clock, sleep=sleep, rng=rng)
    return app


def _rest_routes() -> list[Route]:
    upload, secrets = "/audio/transcriptions", "/realtime/client_secrets"
    return [
        Route("/{endpoint}/v1" + upload, rest.transcribe, methods=["POST"]),
        Route("/{endpoint}/openai/v1" + upload, rest.transcribe, methods=["POST"]),
        Route("/{endpoint}/openai/deployments/{deployment}" + upload, rest.transcribe, methods=["POST"]),
        Route("/{endpoint}/v1" + secrets, client_secrets.create_secret, methods=["POST"]),
        Route("/{endpoint}/openai/v1" + secrets, client_secrets.create_secret, methods=["POST"]),
        Route(f"/{{endpoint}}{SHORT_AUDIO}", speech.recognise_short, methods=["POST"]),
        Route(f"/{{endpoint}}{FAST}", speech.transcribe_fast, methods=["POST"]),
        Route("/{endpoint}/v1/models", calls.list_models),
        Route("/{endpoint}/openai/v1/models", calls.list_models),
        Route("/{endpoint}/v1/models/{model:path}", calls.show_model),
        Route("/{endpoint}/openai/v1/models/{model:path}", calls.show_model),
        Route("/{rest:path}", calls.nothing_here, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]
