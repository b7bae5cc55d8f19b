"""Compatible servers at the practice provider: our checks pass, and the recorded ways are kept."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from monitor import clips
from monitor.core.model import Endpoint, Failure, Kind, Outcome, Target, Verdict
from monitor.pipeline.observe import Due, observe
from monitor.sandbox import Script, create_app, running
from monitor.sandbox.common.script import DIALECTS, NO_LATENCY, ServedEndpoint
from monitor.transport import Transport
from tests.support.sandbox_sessions import AMIABLE, KEY, NOON, at_16_khz, fault

OWN = ("speaches", "vllm", "qwen", "together")
FIRST = "gpt-4o-transcribe"
TRANSCRIPTION = "conversation.item.input_audio_transcription."


def script(dialect: str, *faults: Any) -> Script:
    """A sandbox with one server of that dialect."""
    served = ServedEndpoint(name="own", kind="compatible", dialect=dialect)
    return Script(endpoints={"own": served}, latency=NO_LATENCY, faults=faults)


async def checked(dialect: str, pathway: str, *faults: Any, **settings: Any) -> Outcome:
    """One run of ours against it."""
    transport = Transport(secret=lambda _: KEY)
    app = create_app(script(dialect, *faults), clock=lambda: NOON, rng=random.Random(1))
    async with running(app) as base:
        rate = 24_000 if dialect in ("ga", "preview", "speaches") else 16_000
        endpoint = Endpoint(
            name="own",
            provider="openai_compatible",
            url=f"{base}/own/v1",
            key="env:KEY",
            dialect=dialect,
            sample_rate=rate,
        )
        asked = {"model": FIRST, "pace": "burst", "timeout": timedelta(seconds=4), **settings}
        target = Target(endpoint=endpoint, pathway=pathway, **asked)
        due = Due(target=target, slot=NOON, kind=Kind.MANUAL, location="here")
        seen = await observe(due, transport, now=NOON)
        await transport.aclose()
    return seen.outcome


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("pathway", ["rest", "rest_stream", "realtime_transcription"])
async def test_our_check_passes(dialect: str, pathway: str) -> None:
    """A whole server of any dialect is up, on every pathway that it has."""
    outcome = await checked(dialect, pathway)
    assert (outcome.verdict, outcome.wer) == (Verdict.PASSED, 0.0), outcome.message


@pytest.mark.parametrize("dialect", ["ga", "preview"])
async def test_a_conversation_passes_where_there_is_one(dialect: str) -> None:
    """Servers that speak OpenAI's own forms host conversations as well."""
    assert (await checked(dialect, "realtime")).verdict is Verdict.PASSED


@pytest.mark.parametrize("dialect", ["qwen", "together"])
async def test_a_turn_may_be_ended_by_the_server(dialect: str) -> None:
    """Its voice detection is as good as our commit."""
    assert (await checked(dialect, "realtime_transcription", turn="server_vad")).verdict is Verdict.PASSED


@pytest.mark.parametrize("dialect", OWN)
@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("failed", Failure.SERVER),
        ("silent", Failure.SILENT),
        ("drop", Failure.SERVER),
        ("wrong", Failure.QUALITY),
    ],
)
async def test_a_fault_strikes_in_the_way_of_the_server(dialect: str, name: str, failure: Failure) -> None:
    """What fails is told as `error` or `failed`, and our check calls each what it is."""
    outcome = await checked(dialect, "realtime_transcription", fault(name))
    assert (outcome.verdict, outcome.failure) == (Verdict.FAILED, failure), outcome.message


@pytest.mark.parametrize("dialect", OWN)
async def test_a_model_that_is_not_there_is_a_failure_of_the_configuration_or_the_server(
    dialect: str,
) -> None:
    """Each refuses it at its own moment; speaches opens the session all the same."""
    outcome = await checked(dialect, "realtime_transcription", model="nobody")
    if dialect in ("vllm", "together"):
        assert outcome.failure is Failure.CONFIG, outcome.message
    else:
        assert outcome.verdict is not Verdict.PASSED or dialect in ("speaches", "qwen")


@asynccontextmanager
async def dialled(
    dialect: str, query: str = f"?model={FIRST}", key: str = KEY
) -> AsyncIterator[ClientConnection]:
    """A plain connection to it."""
    app = create_app(script(dialect), clock=lambda: NOON, rng=random.Random(1))
    async with running(app) as base:
        address = f"{base.replace('http', 'ws', 1)}/own/v1/realtime{query}"
        shown = {"authorization": f"Bearer {key}"}
        async with connect(address, additional_headers=shown, compression=None) as socket:
            yield socket


async def said(socket: ClientConnection) -> dict[str, Any]:
    """The next event."""
    found: dict[str, Any] = orjson.loads(await asyncio.wait_for(socket.recv(), 2))
    return found


async def tell(socket: ClientConnection, **event: Any) -> None:
    """Send one event."""
    await socket.send(orjson.dumps(event).decode())


async def speak(socket: ClientConnection, pcm: bytes) -> None:
    """Send audio in pieces of a tenth of a second or so."""
    for begin in range(0, len(pcm), 4800):
        audio = base64.b64encode(pcm[begin : begin + 4800]).decode()
        await tell(socket, type="input_audio_buffer.append", audio=audio)


async def heard(socket: ClientConnection, last: str) -> list[dict[str, Any]]:
    """The events up to one of that type."""
    events = [await said(socket)]
    while events[-1]["type"] != last:
        events.append(await said(socket))
    return events


SPOKEN = clips.load_clip("amiable").pcm
PAUSE = bytes(96_000)


async def test_speaches_ends_turns_by_itself_and_gives_no_deltas() -> None:
    """The order of the recording: started, stopped, committed, created, completed."""
    async with dialled("speaches") as socket:
        created = await said(socket)
        assert "type" not in created["session"]
        await speak(socket, SPOKEN + PAUSE)
        events = await heard(socket, TRANSCRIPTION + "completed")
    assert [event["type"] for event in events] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.created",
        TRANSCRIPTION + "completed",
    ]
    assert (events[-1]["transcript"], events[-1]["usage"]["type"]) == (AMIABLE, "duration")


async def test_speaches_answers_a_nested_update_and_ignores_it() -> None:
    """And refuses that its detection be turned off, without a code."""
    async with dialled("speaches") as socket:
        before = (await said(socket))["session"]
        nested = {"type": "transcription", "audio": {"input": {"turn_detection": None}}}
        await tell(socket, type="session.update", session=nested)
        assert (await said(socket))["session"] == before
        await tell(socket, type="session.update", session={"turn_detection": None})
        error = (await said(socket))["error"]
    assert error["code"] is None


async def test_a_commit_breaks_speaches_without_a_close_frame() -> None:
    """It names the item, and then the connection is gone."""
    async with dialled("speaches") as socket:
        await said(socket)
        await speak(socket, SPOKEN)
        await tell(socket, type="input_audio_buffer.commit")
        await heard(socket, "conversation.item.created")
        with pytest.raises(ConnectionClosed) as closed:
            await said(socket)
    assert closed.value.rcvd is None


async def test_vllm_says_nothing_without_its_starting_commit() -> None:
    """Then the words, without ids of any kind; its errors are strings."""
    async with dialled("vllm", query="") as socket:
        assert set(await said(socket)) == {"type", "id", "created"}
        await tell(socket, type="input_audio_buffer.commit")
        refused = await said(socket)
        assert (refused["code"], type(refused["error"])) == ("model_not_validated", str)
        await tell(socket, type="session.update", model=FIRST)
        await speak(socket, at_16_khz(SPOKEN))
        await tell(socket, type="input_audio_buffer.commit", final=True)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.3)
        await tell(socket, type="input_audio_buffer.commit")
        await tell(socket, type="input_audio_buffer.commit", final=True)
        events = await heard(socket, "transcription.done")
    assert events[-1]["text"] == AMIABLE
    assert "".join(event["delta"] for event in events[:-1]) == AMIABLE
    assert not any({"event_id", "item_id"} & set(event) for event in events)


async def test_qwens_texts_grow_and_the_last_is_text() -> None:
    """Cumulative, with an empty `delta`; no item is named as committed."""
    async with dialled("qwen") as socket:
        await said(socket)
        await tell(socket, type="session.update", session={"turn_detection": None, "sample_rate": 16_000})
        assert (await said(socket))["session"]["turn_detection"] is None
        await speak(socket, at_16_khz(SPOKEN))
        await tell(socket, type="input_audio_buffer.commit")
        *partial, final = await heard(socket, TRANSCRIPTION + "completed")
        await tell(socket, type="session.finish")
        assert (await said(socket))["type"] == "session.finished"
    assert ("transcript" in final, final["text"]) == (False, AMIABLE)
    assert all(later["text"].startswith(sooner["text"]) for sooner, later in pairwise(partial))
    assert {event["delta"] for event in partial} == {""}


async def test_together_names_no_item() -> None:
    """And echoes its detection by the event that set it."""
    async with dialled("together") as socket:
        await said(socket)
        await tell(socket, type="transcription_session.updated", session={"turn_detection": None})
        assert (await said(socket))["type"] == "transcription_session.updated"
        await speak(socket, at_16_khz(SPOKEN))
        await tell(socket, type="input_audio_buffer.commit")
        events = await heard(socket, TRANSCRIPTION + "completed")
    assert events[-1]["transcript"] == AMIABLE
    assert not any("item_id" in event for event in events)


@pytest.mark.parametrize("dialect", OWN)
@pytest.mark.parametrize(
    "frame", ["no json", "[]", "{}", '{"type": "input_audio_buffer.append", "audio": 1}']
)
async def test_what_is_no_event_is_refused_and_the_session_lives(dialect: str, frame: str) -> None:
    """Each in its own form of error; then the next event is taken."""
    async with dialled(dialect) as socket:
        await said(socket)
        await socket.send(frame)
        assert (await said(socket))["type"] == "error"
        await socket.send(frame.encode())
        assert (await said(socket))["type"] == "error"


@pytest.mark.parametrize(
    ("dialect", "query", "key"), [("speaches", "", KEY), ("qwen", "", KEY), ("vllm", "", "no")]
)
async def test_an_upgrade_without_model_or_key_is_403(dialect: str, query: str, key: str) -> None:
    """As Starlette refuses both before a session; vLLM needs no model in the address."""
    with pytest.raises(InvalidStatus) as refused:
        async with dialled(dialect, query, key):
            pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    ("dialect", "key", "model", "status", "shape"),
    [
        ("speaches", "no", FIRST, 403, {"detail"}),
        ("speaches", KEY, "nobody", 404, {"detail"}),
        ("vllm", KEY, "nobody", 404, {"error"}),
        ("ga", "no", FIRST, 401, {"error"}),
    ],
)
async def test_uploads_are_refused_in_the_servers_shape(
    dialect: str, key: str, model: str, status: int, shape: set[str]
) -> None:
    """FastAPI's `detail`, or OpenAI's `error`."""
    async with running(create_app(script(dialect))) as base, httpx.AsyncClient() as client:
        answer = await client.post(
            f"{base}/own/v1/audio/transcriptions",
            headers={"x-api-key": key},
            data={"model": model},
            files={"file": ("a.wav", bytes(np.zeros(10, "<i2")))},
        )
    assert (answer.status_code, set(answer.json())) == (status, shape)


async def test_the_script_names_a_dialect_for_compatible_servers_only() -> None:
    """An endpoint that only transcribes has no host to talk to."""
    assert not ServedEndpoint(name="own", kind="compatible", dialect="vllm").converses
    assert ServedEndpoint(name="own", kind="compatible").converses
