"""Every documented refusal raises the matching exception of the official package, on its four clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI

from monitor import clips
from monitor.sandbox import create_app, running
from monitor.sandbox.common.refusals import fault_refusal
from monitor.sandbox.faults.catalogue import KINDS
from tests.support.sandbox_sessions import KEY, QUICK, broken, fault

CLIP = clips.load_clip("amiable")
FILE = ("probe.wav", CLIP.wav, "audio/wav")
CLIENTS = ["openai", "openai async", "azure", "azure async"]
VERSION = "2025-03-01-preview"

EXPECTED: dict[int, type[openai.APIStatusError]] = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    408: openai.APIStatusError,
    413: openai.APIStatusError,
    415: openai.APIStatusError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    502: openai.InternalServerError,
    503: openai.InternalServerError,
    504: openai.InternalServerError,
}
STATUSES = [name for name, kind in KINDS.items() if kind.inside]


async def transcribed(base: str, client: str, key: str = KEY, **options: Any) -> str:
    """One upload through one of the four clients, without retries."""
    wanted: dict[str, Any] = {"file": FILE, "model": "gpt-4o-transcribe", **options}
    azure: dict[str, Any] = {"api_key": key, "azure_endpoint": base + "/azure-sweden", "api_version": VERSION}
    plain: dict[str, Any] = {"api_key": key, "base_url": base + "/openai-us/v1"}
    if client.endswith("async"):
        maker: Any = (
            AsyncAzureOpenAI(**azure, max_retries=0)
            if "azure" in client
            else AsyncOpenAI(**plain, max_retries=0)
        )
        async with maker as asking:
            return str((await asking.audio.transcriptions.create(**wanted)).text)

    def ask() -> str:
        made: Any = (
            AzureOpenAI(**azure, max_retries=0) if "azure" in client else OpenAI(**plain, max_retries=0)
        )
        with made as asking:
            return str(asking.audio.transcriptions.create(**wanted).text)

    return await asyncio.to_thread(ask)


@pytest.fixture
async def base() -> AsyncIterator[str]:
    async with running(create_app(QUICK)) as address:
        yield address


@pytest.mark.parametrize("client", CLIENTS)
async def test_every_status_raises_its_class(client: str) -> None:
    """All named refusals, one after the other, on one sandbox: class, status, code and message."""
    app = create_app(QUICK)
    box = app.state.sandbox
    endpoint = box.script.endpoints["azure-sweden" if "azure" in client else "openai-us"]
    async with running(app) as base:
        for name in STATUSES:
            made = box.faults.add(fault(name))
            with pytest.raises(openai.APIStatusError) as raised:
                await transcribed(base, client)
            box.faults.remove(made.id)
            refusal = fault_refusal(endpoint, made, "gpt-4o-transcribe")
            assert raised.value.status_code == refusal.status, name
            assert type(raised.value) is EXPECTED[refusal.status], name
            body: Any = raised.value.body
            if refusal.media == "application/json":
                assert body["message"] in refusal.body.decode().replace("\\", ""), name
        assert await transcribed(base, client) == CLIP.text


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("options", "key", "error"),
    [
        ({"model": "nope"}, KEY, openai.NotFoundError),
        ({}, "sk-wrong-wrong-wrong", openai.AuthenticationError),
        ({"response_format": "srt"}, KEY, openai.BadRequestError),
        ({"model": "gpt-live-transcribe"}, KEY, openai.BadRequestError),
        ({"file": ("probe.wav", b"no audio", "audio/wav")}, KEY, openai.BadRequestError),
        ({"file": ("probe", CLIP.wav, "audio/wav")}, KEY, openai.BadRequestError),
        ({"model": "whisper-1", "include": ["logprobs"]}, KEY, openai.BadRequestError),
        ({"timestamp_granularities": ["word"]}, KEY, openai.BadRequestError),
        ({"file": ("probe.wav", bytes(26_300_000), "audio/wav")}, KEY, openai.APIStatusError),
    ],
    ids=["model", "key", "format", "live", "noise", "name", "logprobs", "times", "large"],
)
async def test_every_refusal_of_its_own_raises_its_class(
    base: str, client: str, options: dict[str, Any], key: str, error: type[openai.APIStatusError]
) -> None:
    """What the sandbox refuses without any fault."""
    with pytest.raises(error) as raised:
        await transcribed(base, client, key, **options)
    assert raised.value.response.headers.get("x-request-id")


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", ["drop", "accept_closed", "control_headers"])
async def test_lost_connections_raise_their_class(client: str, name: str) -> None:
    """No status: the connection is what failed."""
    async with running(create_app(broken(fault(name)))) as base:
        with pytest.raises(openai.APIConnectionError):
            await transcribed(base, client)


@pytest.mark.parametrize("client", CLIENTS)
async def test_silence_raises_a_timeout(client: str) -> None:
    """Once the client's patience is over."""
    async with running(create_app(broken(fault("silent")))) as base:
        with pytest.raises(openai.APITimeoutError):
            await transcribed(base, client, timeout=0.2)


@pytest.mark.parametrize("client", ["openai async", "azure async"])
@pytest.mark.parametrize("extras", [{"retry_after_ms": 1}, {"retry_after": "0.001"}])
async def test_a_wait_hint_is_obeyed_by_the_package(client: str, extras: dict[str, Any]) -> None:
    """With a hint of a millisecond and half of the runs refused, a retrying client sees nothing of it."""
    options: dict[str, Any] = {"file": FILE, "model": "gpt-4o-transcribe"}
    async with running(create_app(broken(fault("429", share=0.5, **extras)))) as base:
        if client.startswith("azure"):
            made: Any = AsyncAzureOpenAI(
                api_key=KEY, azure_endpoint=base + "/azure-sweden", api_version=VERSION
            )
        else:
            made = AsyncOpenAI(api_key=KEY, base_url=base + "/openai-us/v1")
        async with made as asking:
            for _ in range(2):
                assert (await asking.audio.transcriptions.create(**options)).text == CLIP.text


async def test_an_error_in_a_stream_is_raised() -> None:
    """After the first words."""
    async with (
        running(create_app(broken(fault("sse_error", code="server_error")))) as base,
        AsyncOpenAI(api_key=KEY, base_url=base + "/openai-us/v1", max_retries=0) as client,
    ):
        stream = await client.audio.transcriptions.create(file=FILE, model="gpt-4o-transcribe", stream=True)
        words = [await anext(stream) for _ in range(4)]
        with pytest.raises(openai.APIError, match="had an error"):
            await anext(stream)
    assert {event.type for event in words} == {"transcript.text.delta"}


@pytest.mark.parametrize("name", ["sse_done_marker", "deltas_stop"])
async def test_a_stream_ends_for_the_package_with_or_without_done(name: str) -> None:
    """The marker ends it; a stream without its last event ends without an error, and without the words."""
    async with (
        running(create_app(broken(fault(name)))) as base,
        AsyncOpenAI(api_key=KEY, base_url=base + "/openai-us/v1", max_retries=0) as client,
    ):
        stream = await client.audio.transcriptions.create(file=FILE, model="gpt-4o-transcribe", stream=True)
        kinds = [event.type async for event in stream]
    assert ("transcript.text.done" in kinds) is (name == "sse_done_marker")


def test_uploads_stream_through_the_synchronous_client() -> None:
    """The same events as through the other."""

    async def streamed() -> list[Any]:
        async with running(create_app(QUICK)) as base:

            def ask() -> list[Any]:
                with OpenAI(api_key=KEY, base_url=base + "/openai-us/v1", max_retries=0) as client:
                    return list(
                        client.audio.transcriptions.create(file=FILE, model="gpt-4o-transcribe", stream=True)
                    )

            return await asyncio.to_thread(ask)

    events = asyncio.run(streamed())
    assert (events[-1].type, events[-1].text) == ("transcript.text.done", CLIP.text)


@pytest.mark.parametrize("address", ["/openai-us/v1", "/azure-sweden/openai/v1"])
async def test_a_client_secret_opens_a_session(base: str, address: str) -> None:
    """Made with the package, and used by it as the key of a session."""
    session: Any = {
        "type": "transcription",
        "audio": {"input": {"transcription": {"model": "whisper-1"}, "turn_detection": None}},
    }
    async with AsyncOpenAI(api_key=KEY, base_url=base + address, max_retries=0) as client:
        secret = await client.realtime.client_secrets.create(
            session=session, expires_after={"anchor": "created_at", "seconds": 60}
        )
    assert secret.value.startswith("ek_")
    assert secret.session.type == "transcription"
    async with (
        AsyncOpenAI(api_key=secret.value, base_url=base + address, max_retries=0) as client,
        client.realtime.connect(extra_query={"intent": "transcription"}) as connection,
    ):
        created: Any = await connection.recv()
        assert created.type == "session.created"
        assert created.session.audio.input.transcription.model == "whisper-1"


async def test_a_secret_for_a_conversation_fits_its_class(base: str) -> None:
    """The session that comes with it is that of a conversation."""
    async with AsyncOpenAI(api_key=KEY, base_url=base + "/openai-us/v1", max_retries=0) as client:
        secret = await client.realtime.client_secrets.create(
            session={"type": "realtime", "model": "gpt-realtime"}
        )
    assert secret.session.type == "realtime"
    assert secret.session.model == "gpt-realtime"


async def test_the_fault_of_june_raises_a_server_error() -> None:
    """500 with a transcription block, a secret without."""
    audio: Any = {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}
    async with (
        running(create_app(broken(fault("secret_transcription")))) as base,
        AsyncOpenAI(api_key=KEY, base_url=base + "/azure-sweden/openai/v1", max_retries=0) as client,
    ):
        with pytest.raises(openai.InternalServerError):
            await client.realtime.client_secrets.create(session={"type": "transcription", "audio": audio})
        assert (await client.realtime.client_secrets.create(session={"type": "realtime"})).value
