"""The same requests to the practice provider and to aimock, and the shapes of what comes back.

A shape is the set of places in the JSON: ``completed.usage.seconds``, lists by ``[]``. Values do not count.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args

import httpx
from openai.pagination import SyncPage
from openai.types import Model
from openai.types.audio import (
    Transcription,
    TranscriptionTextDeltaEvent,
    TranscriptionTextDoneEvent,
    TranscriptionVerbose,
)
from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel, ValidationError
from websockets.asyncio.client import connect

from monitor import clips
from monitor.sandbox import create_app, running
from tests.support.sandbox_sessions import AMIABLE, KEY, QUICK

ROOT = Path(__file__).parents[2]
CLIP = clips.load_clip("amiable")
Shape = frozenset[str]
Answers = Mapping[str, Sequence[Mapping[str, Any]]]
_TRANSCRIPTION = "conversation.item.input_audio_transcription."
_ANSWERED = {"text": AMIABLE}


def aimock_command() -> list[str] | None:
    """How aimock is started; None where Node or the package is missing. `make drift` installs it."""
    folder = Path(os.environ.get("AIMOCK", ROOT / ".aimock"))
    script = folder / "node_modules" / ".bin" / "llmock"
    return [str(script)] if shutil.which("node") and script.exists() else None


@asynccontextmanager
async def aimock(folder: Path) -> AsyncIterator[str]:
    """An aimock that knows the words of one recording, at its base."""
    command = aimock_command()
    assert command is not None
    match = [{"match": {"endpoint": kind}, "response": {"transcription": _ANSWERED}} for kind in
             ("transcription", "realtime-transcription")]  # fmt: skip
    (folder / "fixtures.json").write_text(json.dumps({"fixtures": match}))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [
        *command,
        "--port",
        str(port),
        "--fixtures",
        str(folder / "fixtures.json"),
        "--log-level",
        "silent",
    ]
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*words, stdout=quiet, stderr=quiet)
    try:
        await _answering(port)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        await process.wait()


async def _answering(port: int) -> None:
    for _ in range(400):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise AssertionError("aimock does not answer")


@asynccontextmanager
async def sandbox() -> AsyncIterator[str]:
    """The practice provider in OpenAI's ways, at its base."""
    async with running(create_app(QUICK)) as base:
        yield f"{base}/openai-us/v1"


async def answers_of(base: str) -> Answers:
    """What is answered to each request, by its name: one object, or the events of a stream or session."""
    async with httpx.AsyncClient(base_url=base, headers={"authorization": f"Bearer {KEY}"}) as client:

        async def upload(**fields: str) -> httpx.Response:
            file = {"file": ("probe.wav", CLIP.wav, "audio/wav")}
            return await client.post("/audio/transcriptions", data=fields, files=file)

        models = ("gpt-4o-transcribe", "whisper-1", "gpt-transcribe")
        found: dict[str, Sequence[Mapping[str, Any]]] = {
            f"json of {model}": [(await upload(model=model)).json()] for model in models
        }
        found["verbose_json"] = [(await upload(model="whisper-1", response_format="verbose_json")).json()]
        found["stream"] = _events((await upload(model="gpt-4o-transcribe", stream="true")).text)
        found["models"] = [(await client.get("/models")).json()]
        found["unknown path"] = [(await client.get("/nowhere")).json()]
    return {**found, "session": await _session(base)}


def _events(text: str) -> Sequence[Mapping[str, Any]]:
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [{"type": "[DONE]"} if line == "[DONE]" else json.loads(line) for line in lines]


async def _session(base: str) -> Sequence[Mapping[str, Any]]:
    url = f"{base.replace('http', 'ws', 1)}/realtime?intent=transcription"
    transcription = {"model": "gpt-4o-transcribe"}
    audio = {"input": {"transcription": transcription, "turn_detection": None}}
    session = {"type": "transcription", "audio": audio}
    said: list[Mapping[str, Any]] = []
    async with asyncio.timeout(10), connect(url, additional_headers={"authorization": f"Bearer {KEY}"}) as ws:
        await ws.send(json.dumps({"type": "session.update", "session": session}))
        for begin in range(0, len(CLIP.pcm), 4800):
            piece = base64.b64encode(CLIP.pcm[begin : begin + 4800]).decode()
            await ws.send(json.dumps({"type": "input_audio_buffer.append", "audio": piece}))
        await ws.send(json.dumps({"type": "input_audio_buffer.commit"}))
        while not said or said[-1]["type"] != _TRANSCRIPTION + "completed":
            said.append(json.loads(await ws.recv()))
    return said


def shape(answers: Answers) -> Shape:
    """Every place of every answer, by the name of the request or the type of the event."""
    places: set[str] = set()
    for name, objects in answers.items():
        for one in objects:
            kind = str(one.get("type", "")).removeprefix(_TRANSCRIPTION)
            places.update(_places(one, f"{name}: {kind}" if len(objects) > 1 else f"{name}:"))
    return frozenset(places)


def _places(value: object, at: str) -> Iterator[str]:
    yield at
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _places(inner, f"{at} {key}" if at.endswith(":") else f"{at}.{key}")
    if isinstance(value, list) and value:
        yield from _places(value[0], f"{at}[]")


_OBJECTS: Mapping[str, type[BaseModel]] = {
    "json of gpt-4o-transcribe": Transcription,
    "json of whisper-1": Transcription,
    "json of gpt-transcribe": Transcription,
    "verbose_json": TranscriptionVerbose,
}
_STREAMED = (TranscriptionTextDeltaEvent, TranscriptionTextDoneEvent)


def unlike_the_sdk(answers: Answers) -> Shape:
    """Places that the official Python SDK does not know, and those that it requires and that are absent."""
    found: set[str] = set()
    for name, objects in answers.items():
        for one in objects:
            model = _model_of(name, one)
            if model is None:
                continue
            kind = str(one.get("type", "")).removeprefix(_TRANSCRIPTION)
            at = f"{name}: {kind}" if len(objects) > 1 else f"{name}:"
            try:
                found.update(_unknown(model.model_validate(one), at))
            except ValidationError as error:
                places = (".".join(str(part) for part in fault["loc"]) for fault in error.errors())
                found.update(f"{at} {place}" if at.endswith(":") else f"{at}.{place}" for place in places)
    return frozenset(found)


def _model_of(name: str, one: Mapping[str, Any]) -> type[BaseModel] | None:
    if name == "models":
        return SyncPage[Model]
    known: Sequence[Any] = (*_STREAMED, *get_args(get_args(RealtimeServerEvent)[0]))
    by_type = {get_args(model.model_fields["type"].annotation)[0]: model for model in known}
    return _OBJECTS.get(name) or by_type.get(one.get("type"))


def _unknown(value: object, at: str) -> Iterator[str]:
    if isinstance(value, BaseModel):
        for key in value.model_extra or {}:
            yield f"{at} {key}" if at.endswith(":") else f"{at}.{key}"
        for key in value.model_fields_set:
            inner = getattr(value, key, None)
            yield from _unknown(inner, f"{at} {key}" if at.endswith(":") else f"{at}.{key}")
    if isinstance(value, list):
        for inner in value[:1]:
            yield from _unknown(inner, f"{at}[]")
