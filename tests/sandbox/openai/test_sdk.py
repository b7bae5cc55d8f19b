"""Fidelity shown from outside: the official `openai` package against the sandbox."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any, cast, get_args

import openai
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI
from openai.types.beta.realtime import RealtimeServerEvent as PreviewEvent
from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel

from monitor import clips
from monitor.sandbox import create_app, running
from tests.support.sandbox_sessions import AMIABLE, KEY, QUICK, Caller, broken, fault

CLIP = clips.load_clip("amiable")
FILE = ("probe.wav", CLIP.wav, "audio/wav")
GA_ADDRESSES = ["/openai-us/v1", "/azure-sweden/openai/v1"]
AUDIO = [base64.b64encode(CLIP.pcm[at : at + 4800]).decode() for at in range(0, len(CLIP.pcm), 4800)]


@pytest.fixture
async def base() -> AsyncIterator[str]:
    async with running(create_app(QUICK)) as address:
        yield address


@pytest.mark.parametrize("address", GA_ADDRESSES)
@pytest.mark.parametrize("model", ["gpt-4o-transcribe", "whisper-1", "gpt-transcribe"])
async def test_uploads_async(base: str, address: str, model: str) -> None:
    """The asynchronous client transcribes at both vendors' v1 addresses."""
    async with AsyncOpenAI(api_key=KEY, base_url=base + address, max_retries=0) as client:
        answer = await client.audio.transcriptions.create(file=FILE, model=model)
    assert answer.text == AMIABLE


async def test_uploads_sync(base: str) -> None:
    """The synchronous client too."""

    def transcribe() -> str:
        with OpenAI(api_key=KEY, base_url=base + "/openai-us/v1", max_retries=0) as client:
            return client.audio.transcriptions.create(file=FILE, model="gpt-4o-transcribe").text

    assert await asyncio.to_thread(transcribe) == AMIABLE


async def test_uploads_through_the_azure_client(base: str) -> None:
    """It takes the dated route with the deployment in the path."""

    def transcribe() -> str:
        with AzureOpenAI(
            api_key=KEY,
            azure_endpoint=base + "/azure-sweden",
            api_version="2025-03-01-preview",
            max_retries=0,
        ) as client:
            return client.audio.transcriptions.create(file=FILE, model="gpt-4o-transcribe").text

    assert await asyncio.to_thread(transcribe) == AMIABLE


async def test_uploads_as_a_stream(base: str) -> None:
    """Server-sent events, ended by done."""
    async with AsyncOpenAI(api_key=KEY, base_url=base + "/openai-us/v1", max_retries=0) as client:
        stream = await client.audio.transcriptions.create(file=FILE, model="gpt-4o-transcribe", stream=True)
        events = [event async for event in stream]
    assert events[-1].type == "transcript.text.done"
    assert events[-1].text == AMIABLE
    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == AMIABLE


async def test_verbose_answers_fit_the_models(base: str) -> None:
    """Segments and words of whisper-1 in their classes."""
    async with AsyncOpenAI(api_key=KEY, base_url=base + "/openai-us/v1", max_retries=0) as client:
        answer = await client.audio.transcriptions.create(
            file=FILE,
            model="whisper-1",
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
        )
    assert answer.segments is not None
    assert answer.words is not None
    assert (answer.text, answer.segments[0].end, len(answer.words)) == (AMIABLE, 3.29, 8)


@pytest.mark.parametrize(
    ("name", "error", "status"),
    [
        ("401", openai.AuthenticationError, 401),
        ("403", openai.PermissionDeniedError, 403),
        ("404", openai.NotFoundError, 404),
        ("429", openai.RateLimitError, 429),
        ("429_quota", openai.RateLimitError, 429),
        ("500", openai.InternalServerError, 500),
        ("502", openai.InternalServerError, 502),
        ("503", openai.InternalServerError, 503),
        ("drop", openai.APIConnectionError, None),
    ],
)
@pytest.mark.parametrize("address", GA_ADDRESSES)
async def test_faults_raise_the_matching_error(
    address: str, name: str, error: type[openai.APIError], status: int | None
) -> None:
    """Every status has its class."""
    async with (
        running(create_app(broken(fault(name)))) as base,
        AsyncOpenAI(api_key=KEY, base_url=base + address, max_retries=0) as client,
    ):
        with pytest.raises(error) as raised:
            await client.audio.transcriptions.create(file=FILE, model="gpt-4o-transcribe")
    assert getattr(raised.value, "status_code", None) == status


@pytest.mark.parametrize(
    ("options", "key", "error"),
    [
        ({"model": "nope"}, KEY, openai.NotFoundError),
        ({"model": "gpt-4o-transcribe"}, "sk-wrong", openai.AuthenticationError),
        ({"model": "gpt-4o-transcribe", "response_format": "srt"}, KEY, openai.BadRequestError),
    ],
)
async def test_refusals_raise_the_matching_error(
    base: str, options: dict[str, Any], key: str, error: type[openai.APIStatusError]
) -> None:
    """What the sandbox refuses by itself; the request id is where the package looks for it."""
    async with AsyncOpenAI(api_key=key, base_url=base + "/openai-us/v1", max_retries=0) as client:
        with pytest.raises(error) as raised:
            await client.audio.transcriptions.create(file=FILE, **options)
    assert str(raised.value.request_id).startswith("req_")


@pytest.mark.parametrize("address", GA_ADDRESSES)
async def test_a_realtime_transcription_session(base: str, address: str) -> None:
    """Opened by intent and without a model; committed by hand."""
    async with (
        AsyncOpenAI(api_key=KEY, base_url=base + address, max_retries=0) as client,
        client.realtime.connect(extra_query={"intent": "transcription"}) as connection,
    ):
        assert (await connection.recv()).type == "session.created"
        audio: Any = {"input": {"transcription": {"model": "gpt-4o-transcribe"}, "turn_detection": None}}
        await connection.session.update(session={"type": "transcription", "audio": audio})
        assert (await connection.recv()).type == "session.updated"
        for piece in AUDIO:
            await connection.input_audio_buffer.append(audio=piece)
        await connection.input_audio_buffer.commit()
        async for event in connection:
            if event.type == "conversation.item.input_audio_transcription.completed":
                assert event.transcript == AMIABLE
                return
            assert event.type != "error"
    pytest.fail("the connection ended without a transcript")


@pytest.mark.parametrize("address", GA_ADDRESSES)
async def test_a_realtime_conversation(base: str, address: str) -> None:
    """The dual pipeline's second half: text in, a completed response out."""
    async with (
        AsyncOpenAI(api_key=KEY, base_url=base + address, max_retries=0) as client,
        client.realtime.connect(model="gpt-realtime") as connection,
    ):
        assert (await connection.recv()).type == "session.created"
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        content: Any = [{"type": "input_text", "text": "Say yes."}]
        await connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": content}
        )
        await connection.response.create(response={"output_modalities": ["text"]})
        async for event in connection:
            assert event.type != "error"
            if event.type == "response.done":
                assert event.response.status == "completed"
                return
    pytest.fail("the connection ended without a response")


async def test_the_azure_client_speaks_the_preview(base: str) -> None:
    """It builds the preview's address, and the session there is flat."""
    async with (
        AsyncAzureOpenAI(
            api_key=KEY,
            azure_endpoint=base + "/azure-sweden",
            websocket_base_url=base.replace("http", "ws", 1) + "/azure-sweden/openai",
            api_version="2025-04-01-preview",
            max_retries=0,
        ) as client,
        client.beta.realtime.connect(model="gpt-realtime") as connection,
    ):
        created = await connection.recv()
        assert created.type == "session.created"
        assert created.session.input_audio_format == "pcm16"
        await connection.session.update(session={"input_audio_transcription": {"model": "whisper-1"}})
        assert (await connection.recv()).type == "session.updated"


async def test_the_beta_header_is_turned_away_at_openai(base: str) -> None:
    """The package's beta client gets the error event of the live service."""
    async with (
        AsyncOpenAI(
            api_key=KEY,
            base_url=base + "/openai-us/v1",
            websocket_base_url=base.replace("http", "ws", 1) + "/openai-us/v1",
            max_retries=0,
        ) as client,
        client.beta.realtime.connect(model="gpt-realtime") as connection,
    ):
        event = await connection.recv()
        assert event.type == "error"
        assert event.error.code == "beta_api_shape_disabled"


def classes(union: Any) -> dict[str, type[BaseModel]]:
    """The event class of each type."""
    members = get_args(get_args(union)[0])
    return {get_args(member.model_fields["type"].annotation)[0]: member for member in members}


GA, PREVIEW = classes(RealtimeServerEvent), classes(PreviewEvent)


def validate(events: list[dict[str, Any]], known: dict[str, type[BaseModel]]) -> set[str]:
    """Reads every event with the class of its type; returns the types seen."""
    for event in events:
        known[event["type"]].model_validate(event)
    return {cast(str, event["type"]) for event in events}


@pytest.mark.parametrize("model", ["gpt-4o-transcribe", "whisper-1", "gpt-transcribe", "gpt-live-transcribe"])
def test_every_event_of_a_transcription_fits_its_class(model: str) -> None:
    """Created, updated, committed, items, deltas, completed, cleared, errors."""
    caller = Caller()
    caller.transcribe(model)
    caller.say("input_audio_buffer.clear")
    caller.say("nonsense")
    seen = validate(caller.line.events(), GA)
    assert {"error", "input_audio_buffer.cleared", "session.updated"} < seen


@pytest.mark.parametrize("name", ["failed", "failed_audio", "failed_quota", "drift", "session_expired"])
def test_every_event_of_a_broken_session_fits_its_class(name: str) -> None:
    """Failures have a shape too."""
    caller = Caller(broken(fault(name)))
    caller.transcribe()
    validate(caller.line.events(), GA)


@pytest.mark.parametrize("kind", ["text", "audio"])
def test_every_event_of_a_conversation_fits_its_class(kind: str) -> None:
    """Speech, items and responses, in text and in sound."""
    caller = Caller(purpose="realtime")
    wanted = {"transcription": {"model": "whisper-1"}, "turn_detection": {"type": "server_vad"}}
    session = {"type": "realtime", "output_modalities": [kind], "audio": {"input": wanted}}
    caller.say("session.update", session=session)
    caller.speak(CLIP.pcm + bytes(96_000))
    seen = validate(caller.line.events(), GA)
    assert {"input_audio_buffer.speech_started", "response.done", "rate_limits.updated"} < seen


def test_every_event_of_a_preview_conversation_fits_its_class() -> None:
    """The flat shapes with the beta classes."""
    caller = Caller(dialect="preview", purpose="realtime")
    wanted = {"modalities": ["text"], "input_audio_transcription": {"model": "whisper-1"}}
    caller.say("session.update", session=wanted)
    caller.speak(CLIP.pcm + bytes(96_000))
    seen = validate(caller.line.events(), PREVIEW)
    assert {"conversation.item.created", "response.text.done", "response.done"} < seen
