"""Whole runs of the pathways against a scripted peer on loopback: from the check to the outcome."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.core.model import Endpoint, Failure, Kind, Outcome, Stage, Target, Verdict
from monitor.pipeline.observe import Due, Observed, observe
from monitor.transport import Transport
from tests.fakes import Line, ScriptedServer, stay

WORDS = "He might even have been made amiable himself."
KEY = "canary-7f3c2b5e-key"
NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
Script = Callable[[Line], Awaitable[None]]
EVENTS_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


async def run(
    script: Script,
    pathway: str,
    *,
    provider: str = "openai",
    path: str = "/v1",
    within: float = 5.0,
    endpoint: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Observed:
    """One run against that peer, which must end within its timeout."""
    transport = Transport(secret=lambda _: KEY)
    try:
        async with ScriptedServer(script) as server:
            known = Endpoint(
                name="here",
                provider=provider,
                url=server.url(path=path),
                key="env:KEY",
                **(endpoint or {}),
            )
            asked = {"model": "gpt-4o-transcribe", "pace": "burst", **settings}
            target = Target(endpoint=known, pathway=pathway, timeout=timedelta(seconds=within), **asked)
            due = Due(target=target, slot=NOW, kind=Kind.MANUAL, location="here")
            began = time.monotonic()
            seen = await observe(due, transport, now=NOW)
            assert time.monotonic() - began < within + 1.0
    finally:
        await transport.aclose()
    assert KEY not in json.dumps(seen.evidence, default=str)
    assert KEY not in repr(seen.outcome)
    return seen


def facts(outcome: Outcome) -> tuple[Verdict, Failure | None, Stage | None]:
    """What is compared most."""
    return outcome.verdict, outcome.failure, outcome.stage


def event(**fields: Any) -> str:
    """One server-sent event."""
    return f"data: {json.dumps(fields)}\n\n"


async def test_a_stream_passes_and_its_first_text_is_timed() -> None:
    """The deltas come while the run is on; the first is earlier than the last."""

    async def script(line: Line) -> None:
        _, body = await line.read_request()
        assert b'name="stream"' in body
        await line.send(EVENTS_HEAD + event(type="transcript.text.delta", delta=WORDS[:8]))
        await stay(0.1)
        await line.send(event(type="transcript.text.delta", delta=WORDS[8:]))
        await line.send(event(type="transcript.text.done", text=WORDS))

    outcome = (await run(script, "rest_stream")).outcome
    assert facts(outcome) == (Verdict.PASSED, None, None)
    first, final = outcome.timings_ms["first_text"], outcome.timings_ms["final"]
    assert first is not None
    assert final is not None
    assert final - first >= 90


async def test_a_stream_that_stops_ends_at_the_deadline() -> None:
    """Half a text and then nothing: silent, at the stage it had reached."""

    async def script(line: Line) -> None:
        await line.read_request()
        await line.send(EVENTS_HEAD + event(type="transcript.text.delta", delta="He might"))
        await stay()

    outcome = (await run(script, "rest_stream", within=0.5)).outcome
    assert facts(outcome) == (Verdict.FAILED, Failure.SILENT, Stage.TRANSCRIBE)


async def test_a_stream_that_is_cut_off_is_a_loss_of_the_server() -> None:
    """The connection ends in good order, the text does not."""

    async def script(line: Line) -> None:
        await line.read_request()
        await line.send(EVENTS_HEAD + event(type="transcript.text.delta", delta="He might"))

    outcome = (await run(script, "rest_stream")).outcome
    assert facts(outcome) == (Verdict.FAILED, Failure.SERVER, Stage.TRANSCRIBE)
    assert outcome.http_status == 200
