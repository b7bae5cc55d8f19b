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
from tests.support.fakes import BINARY, TEXT, Line, ScriptedServer, stay

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


def peer(rest: Mapping[str, Any], *session: Mapping[str, Any] | str) -> Script:
    """A peer that answers every upload with *rest* and holds sessions by a list.

    A text in the list is the type of a client event that is awaited, all others being passed over.
    """

    async def script(line: Line) -> None:
        head = await line.read_head()
        if head.startswith("POST"):
            await line.read_body(head)
            await line.respond("200 OK", json.dumps(rest), "Content-Type: application/json")
            return
        await line.accept(head)
        for step in session:
            if isinstance(step, str):
                while json.loads((await line.hear())[1])["type"] != step:
                    pass
            else:
                await line.say(json.dumps(step))
        while True:
            await line.hear()

    return script


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


CREATED = {"type": "session.created", "session": {"id": "sess_1", "type": "realtime"}}
UPDATED = {"type": "session.updated", "session": {"id": "sess_1"}}
ITEM = {"type": "conversation.item.added", "item": {"id": "item_1", "role": "user", "content": []}}
ANSWER = {"id": "item_2", "role": "assistant", "content": [{"type": "output_text", "text": WORDS}]}
DONE = {"type": "response.done", "response": {"status": "completed", "output": [ANSWER]}}


async def test_the_dual_pathway_is_two_connections_and_one_run() -> None:
    """REST gives the words, the session answers them, and the run passes with both sides' ids."""
    script = peer(
        {"text": WORDS},
        *(CREATED, "session.update", UPDATED, "conversation.item.create", ITEM, "response.create", DONE),
    )
    seen = await run(script, "dual", session_model="gpt-realtime")
    outcome = seen.outcome
    assert facts(outcome) == (Verdict.PASSED, None, None)
    assert (outcome.transcript, outcome.ids["session_id"]) == (WORDS, "sess_1")
    assert seen.evidence is not None
    stages = [step["stage"] for step in seen.evidence["steps"]]
    assert stages[3:] == [
        *("transcribe", "respond", "resolve", "connect"),
        *("handshake", "session", "configure", "respond"),
    ]


async def test_a_session_that_never_answers_is_silent_at_its_step() -> None:
    """REST works, the session takes the text and says nothing more."""
    script = peer({"text": WORDS}, CREATED, "session.update", UPDATED, "conversation.item.create", ITEM)
    outcome = (await run(script, "dual", within=1.0)).outcome
    assert facts(outcome) == (Verdict.FAILED, Failure.SILENT, Stage.RESPOND)
    assert (outcome.message or "").startswith("session step: no response.done")
    assert outcome.transcript == WORDS


def said(path: str, **fields: Any) -> str:
    """One message of Azure AI Speech."""
    return f"X-RequestId:1\r\nPath:{path}\r\n\r\n{json.dumps(fields)}"


async def test_a_turn_of_speech_is_held_in_binary_messages() -> None:
    """The service hears a RIFF header, 16 kHz samples and an end, and its words come back."""
    heard: list[tuple[int, bytes]] = []

    async def script(line: Line) -> None:
        head = await line.upgrade()
        assert "Ocp-Apim-Subscription-Key: " in head
        assert "/speech/recognition/conversation/cognitiveservices/v1?language=en-US" in head
        while not heard or heard[-1][0] != BINARY or not heard[-1][1].endswith(b"Z\r\n"):
            heard.append(await line.hear())
        await line.say(said("turn.start", context={"serviceTag": "tag-1"}))
        await line.say(said("speech.hypothesis", Text="he might"))
        await line.say(said("speech.phrase", RecognitionStatus="Success", DisplayText=WORDS))
        await line.say(said("turn.end"))
        await line.hear()

    outcome = (await run(script, "speech_ws", provider="azure_speech", path="/west")).outcome
    assert facts(outcome) == (Verdict.PASSED, None, None)
    assert outcome.ids["service_tag"] == "tag-1"
    assert heard[0][0] == TEXT
    assert b"X-Timestamp: 20" in heard[0][1]
    assert b"RIFF" in heard[1][1]
    assert len(heard) > 30


async def test_short_audio_that_is_not_recognised_is_no_success() -> None:
    """HTTP 200 with `NoMatch`."""

    async def script(line: Line) -> None:
        await line.read_request()
        await line.respond("200 OK", '{"RecognitionStatus": "NoMatch", "DisplayText": ""}')

    outcome = (await run(script, "speech_rest", provider="azure_speech", path="/west")).outcome
    assert facts(outcome) == (Verdict.FAILED, Failure.QUALITY, Stage.TRANSCRIBE)
    assert outcome.code == "NoMatch"


async def test_a_minted_secret_opens_the_session_and_is_seen_nowhere() -> None:
    """The peer gets it in the handshake; evidence and outcome hold neither it nor the key."""
    secret = "ek_0123456789abcdef0123456789abcdef"
    heads: list[str] = []
    updated = {"type": "session.updated", "session": {"audio": {"input": {"turn_detection": None}}}}
    item = {"type": "input_audio_buffer.committed", "item_id": "item_1"}
    done = {
        "type": "conversation.item.input_audio_transcription.completed",
        "item_id": "item_1",
        "transcript": WORDS,
    }
    session = peer(
        {"value": secret, "expires_at": 1790000600},
        *(CREATED, "session.update", updated, "input_audio_buffer.commit", item, done),
    )

    async def script(line: Line) -> None:
        line.heads = heads
        await session(line)

    seen = await run(script, "realtime_transcription", client_secret=True)
    assert facts(seen.outcome) == (Verdict.PASSED, None, None)
    assert f"Authorization: Bearer {KEY}" in heads[0]
    assert f"Authorization: Bearer {secret}" in heads[1]
    assert secret not in json.dumps(seen.evidence, default=str)
    assert secret not in repr(seen.outcome)


async def test_vllms_dialect_is_held_over_sockets() -> None:
    """It says nothing to a right update, hears the starting commit, and answers the final one."""
    delta = {"type": "transcription.delta", "delta": WORDS[:8]}
    done = {"type": "transcription.done", "text": WORDS, "usage": {"total_tokens": 16}}
    created = {"type": "session.created", "id": "sess-1", "created": 1795335730}
    commit = "input_audio_buffer.commit"
    script = peer({}, created, "session.update", commit, "input_audio_buffer.append", delta, commit, done)
    seen = await run(
        script,
        "realtime_transcription",
        provider="openai_compatible",
        endpoint={"dialect": "vllm", "sample_rate": 16_000},
        model="whisper-base",
    )
    assert facts(seen.outcome) == (Verdict.PASSED, None, None)
    assert seen.outcome.ids["session_id"] == "sess-1"


async def test_a_refused_update_is_the_end_of_what_we_say() -> None:
    """The server would go on; no audio is sent to it."""
    refusal = {
        "type": "error",
        "error": {"type": "invalid_session_type", "code": None, "message": "type must be realtime"},
    }
    script = peer({}, CREATED, "session.update", refusal)
    seen = await run(script, "realtime_transcription", provider="openai_compatible")
    assert (seen.outcome.verdict, seen.outcome.stage) == (Verdict.FAILED, Stage.CONFIGURE)
    assert seen.evidence is not None
    assert all(frame["kind"] != "audio" for frame in seen.evidence["frames"])
