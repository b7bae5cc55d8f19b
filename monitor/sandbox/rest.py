"""Uploads: `/audio/transcriptions` in each vendor's ways, and the list of models.

Answers are made from what was heard in the upload; nothing here knows sessions.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from monitor.sandbox import refusals, transcripts
from monitor.sandbox.access import named_endpoint, refused_key
from monitor.sandbox.audio import Recording, UnreadableAudio, read_wav
from monitor.sandbox.faults import KINDS, Fault, Stage
from monitor.sandbox.models import abilities
from monitor.sandbox.multipart import BadForm, Form, read_form
from monitor.sandbox.refusals import Refusal
from monitor.sandbox.script import Endpoint
from monitor.sandbox.state import Sandbox

LARGEST = 26_214_400  # 25 MB, as both vendors count it
_DATED = re.compile(r"\d{4}-\d\d-\d\d(-preview)?")
_FORMATS = "['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'oga', 'ogg', 'wav', 'webm']"


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


class _Job(NamedTuple):
    """An upload that may be transcribed."""

    name: str  # as the client called the model
    model: str
    form: Form
    recording: Recording
    format: str
    streams: bool


class _Visit(NamedTuple):
    """One request with what it is addressed to."""

    sandbox: Sandbox
    endpoint: Endpoint
    request: Request

    def answer(self, refusal: Refusal, name: str | None = None) -> Response:
        headers = [*self.evidence(name), ("content-type", refusal.media), *refusal.headers]
        return _with_headers(Response(refusal.body, status_code=refusal.status), headers)

    def evidence(self, name: str | None) -> list[tuple[str, str]]:
        return self.sandbox.evidence.of(
            self.endpoint,
            client_id=self.request.headers.get("x-ms-client-request-id"),
            deployment=name,
            milliseconds=round(self.sandbox.script.latency.rest * 1000),
        )


async def transcribe(request: Request) -> Response:
    """The answer to an upload, on any of the three routes."""
    visit = _visit(request)
    if visit is None:
        return await nothing_here(request)
    name: str | None = None
    try:
        _admit(visit)
        form = await _form(visit)
        name = request.path_params.get("deployment") or form.text("model")
        fault = _fault(visit, name, form)
        _break(visit, fault, name)
        job = _accept(visit, form, name)
    except _Refused as refused:
        return visit.answer(refused.refusal, name)
    return await _perform(visit, job, fault)


async def list_models(request: Request) -> Response:
    """The models of an endpoint, as `GET /models` shows them."""
    visit = _visit(request)
    if visit is None:
        return await nothing_here(request)
    try:
        _admit(visit)
    except _Refused as refused:
        return visit.answer(refused.refusal)
    created = 1_700_000_000
    names = [*visit.endpoint.deployments, *visit.endpoint.hosts]
    models = [{"id": name, "object": "model", "created": created, "owned_by": "sandbox"} for name in names]
    return visit.answer(Refusal(200, orjson.dumps({"object": "list", "data": models})))


async def nothing_here(request: Request) -> Response:
    """The answer to any other address."""
    sandbox: Sandbox = request.app.state.sandbox
    endpoint = named_endpoint(sandbox.script, request.url.path)
    if endpoint is None:
        known = ", ".join(sandbox.script.endpoints)
        sentence = f"no endpoint of that name here; this sandbox serves /NAME/… for: {known}; see /_control"
        return Response(orjson.dumps({"detail": sentence}), 404, media_type="application/json")
    path = request.url.path.removeprefix(f"/{endpoint.name}")
    return _Visit(sandbox, endpoint, request).answer(refusals.no_such_path(endpoint, request.method, path))


def _visit(request: Request) -> _Visit | None:
    sandbox: Sandbox = request.app.state.sandbox
    endpoint = sandbox.script.endpoints.get(request.path_params["endpoint"])
    if endpoint is None or (endpoint.kind == "azure") != ("/openai/" in request.url.path):
        return None
    return _Visit(sandbox, endpoint, request)


def _admit(visit: _Visit) -> None:
    refusal = refused_key(visit.endpoint, visit.request.headers, {})
    if refusal is not None:
        raise _Refused(refusal)
    version = visit.request.query_params.get("api-version")
    if "deployment" in visit.request.path_params:
        if version is None or not _DATED.fullmatch(version):
            raise _Refused(refusals.no_such_path(visit.endpoint, "POST", visit.request.url.path))
    elif version not in (None, "v1", "preview"):
        raise _Refused(refusals.azure_refusal(400, "BadRequest", "API version not supported"))


async def _form(visit: _Visit) -> Form:
    body = bytearray()
    async for chunk in visit.request.stream():
        body += chunk
        if len(body) > LARGEST + 65_536:
            raise _Refused(_too_large(len(body)))
    try:
        return read_form(visit.request.headers.get("content-type", ""), bytes(body))
    except BadForm as error:
        raise _Refused(_bad(f"Could not parse multipart form: {error}", None)) from error


def _fault(visit: _Visit, name: str | None, form: Form) -> Fault | None:
    pathway = "rest_stream" if form.text("stream") == "true" else "rest"
    models = (name, visit.endpoint.deployments.get(name or ""))
    return visit.sandbox.faults.strike(
        Stage.REQUEST, endpoint=visit.endpoint.name, pathway=pathway, models=models
    )


def _break(visit: _Visit, fault: Fault | None, name: str | None) -> None:
    if fault is not None and KINDS[fault.fault].inside:
        raise _Refused(refusals.fault_refusal(visit.endpoint, fault, name))


def _accept(visit: _Visit, form: Form, name: str | None) -> _Job:
    model = visit.endpoint.deployments.get(name or "")
    if not name:
        raise _Refused(_bad("you must provide a model parameter", None))
    if model is None:
        raise _Refused(refusals.unknown_model(visit.endpoint, name))
    able = abilities(model)
    if not able.uploads:
        raise _Refused(_sessions_only(visit.endpoint, model))
    wanted = form.text("response_format") or "json"
    if wanted not in able.formats:
        raise _Refused(_wrong_format(wanted, model, able.formats))
    _check_options(form, model)
    streams = form.text("stream") == "true" and able.streams
    return _Job(name, model, form, _recording(form), wanted, streams)


def _check_options(form: Form, model: str) -> None:
    able = abilities(model)
    if "language" in form.fields and "languages[]" in form.fields:
        raise _Refused(
            _bad("You cannot provide both 'language' and 'languages'.", "invalid_parameter", "languages")
        )
    for field in ("languages[]", "keywords[]"):
        if field in form.fields and not able.names_languages:
            raise _Refused(_bad(f"Unknown parameter: '{field[:-2]}'.", "unknown_parameter", field[:-2]))
    if "logprobs" in form.fields.get("include[]", ()) and not able.logprobs:
        raise _Refused(
            _bad(f"logprobs is not supported with model '{model}'.", "unsupported_value", "include")
        )
    if form.text("prompt") and not able.prompt:
        raise _Refused(_bad(f"prompt is not supported with model '{model}'.", "unsupported_value", "prompt"))
    if form.fields.get("timestamp_granularities[]") and form.text("response_format") != "verbose_json":
        message = "timestamp_granularities requires response_format 'verbose_json'."
        raise _Refused(_bad(message, "unsupported_value", "timestamp_granularities"))


def _recording(form: Form) -> Recording:
    upload = form.files.get("file")
    if upload is None:
        raise _Refused(_bad("[{'type': 'missing', 'loc': ('body', 'file'), 'msg': 'Field required'}]", None))
    if len(upload.content) > LARGEST:
        raise _Refused(_too_large(len(upload.content)))
    if "." not in upload.filename:
        raise _Refused(_bad(f"Unrecognized file format. Supported formats: {_FORMATS}", None))
    try:
        recording = read_wav(upload.content)
    except UnreadableAudio as error:
        message = "Audio file might be corrupted or unsupported"
        raise _Refused(_bad(message, "invalid_value", "file")) from error
    if recording.seconds < 0.1:
        message = "Audio file is too short. Minimum audio length is 0.1 seconds."
        raise _Refused(_bad(message, "audio_too_short", "file"))
    return recording


async def _perform(visit: _Visit, job: _Job, fault: Fault | None) -> Response:
    name = fault.fault if fault else ""
    if name == "drop":
        return _cut(visit)
    if name == "silent":
        await _until_gone(visit.request)
    delay = visit.sandbox.script.latency.rest
    if fault is not None and name == "slow":
        delay += float(fault.extras.get("delay", 10))
    if delay:
        await visit.sandbox.sleep(delay)
    words = transcripts.altered(visit.sandbox.ear.hear([job.recording.pcm]).words, fault)
    spoken = transcripts.Spoken(words, job.recording.seconds, job.model)
    headers = visit.evidence(job.name)
    if job.streams:
        stream = _events(spoken, ends=name != "deltas_stop")
        return _with_headers(
            StreamingResponse(stream), [*headers, ("content-type", "text/event-stream; charset=utf-8")]
        )
    if name == "deltas_stop":
        await _until_gone(visit.request)
    media, body = transcripts.rendered(spoken, job.format, job.form)
    return _with_headers(Response(body), [*headers, ("content-type", media)])


async def _events(spoken: transcripts.Spoken, *, ends: bool) -> AsyncIterator[bytes]:
    for delta in transcripts.deltas(spoken.words if ends else spoken.words[: len(spoken.words) // 2]):
        yield b"data: " + orjson.dumps({"type": "transcript.text.delta", "delta": delta}) + b"\n\n"
    if ends:
        done = {
            "type": "transcript.text.done",
            "text": spoken.text,
            "usage": transcripts.upload_usage(spoken),
        }
        yield b"data: " + orjson.dumps(done) + b"\n\n"


def _cut(visit: _Visit) -> Response:
    transport = getattr(visit.request.state, "transport", None)
    if transport is not None:
        transport.abort()
    return Response(status_code=502)


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _with_headers(response: Response, headers: list[tuple[str, str]]) -> Response:
    for name, value in headers:
        response.headers[name] = value
    return response


def _bad(message: str, code: str | None, param: str | None = None) -> Refusal:
    return refusals.openai_refusal(400, message, code=code, param=param)


def _too_large(size: int) -> Refusal:
    message = f"413: Maximum content size limit ({LARGEST}) exceeded ({size} bytes read)"
    error = {"message": message, "type": "server_error", "param": None, "code": None}
    return Refusal(413, orjson.dumps({"error": error, "usage": {"type": "duration", "seconds": 0}}))


def _sessions_only(endpoint: Endpoint, model: str) -> Refusal:
    if endpoint.kind == "azure":
        message = (
            "The audio transcription operation does not work with the specified model."
            " Please choose different model and try again."
        )
        return refusals.azure_refusal(400, "OperationNotSupported", message)
    return _bad(
        f"Model '{model}' is not supported in the v1/audio/transcriptions endpoint.", "invalid_value", "model"
    )


def _wrong_format(wanted: str, model: str, formats: tuple[str, ...]) -> Refusal:
    instead = " or ".join(f"'{name}'" for name in formats)
    message = f"response_format '{wanted}' is not compatible with model '{model}'. Use {instead} instead."
    return _bad(message, "unsupported_value", "response_format")
