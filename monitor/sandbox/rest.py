"""Uploads: `/audio/transcriptions` in each vendor's ways.

Answers are made from what was heard in the upload; nothing here knows sessions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from monitor.sandbox import refusals, transcripts
from monitor.sandbox.audio import Recording, UnreadableAudio, read_wav
from monitor.sandbox.breakage import http_breakage, spoilt
from monitor.sandbox.calls import Call, Refused, admit, called, nothing_here, until_gone, with_headers
from monitor.sandbox.faults import Fault
from monitor.sandbox.kinds import Stage
from monitor.sandbox.models import abilities
from monitor.sandbox.multipart import BadForm, Form, read_form
from monitor.sandbox.refusals import Refusal
from monitor.sandbox.script import Endpoint

LARGEST = 26_214_400  # 25 MB, as both vendors count it
_FORMATS = "['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'oga', 'ogg', 'wav', 'webm']"


class _Job(NamedTuple):
    """An upload that may be transcribed."""

    name: str  # as the client called the model
    model: str
    form: Form
    recording: Recording
    format: str
    streams: bool


async def transcribe(request: Request) -> Response:
    """The answer to an upload, on any of the three routes."""
    call = called(request)
    if call is None:
        return await nothing_here(request)
    name: str | None = None
    try:
        admit(call)
        form = await _form(call)
        name = request.path_params.get("deployment") or form.text("model")
        fault = _fault(call, name, form)
        broken = await http_breakage(call, fault, name)
        if broken is not None:
            return broken
        job = _accept(call, form, name)
    except Refused as refused:
        return call.answer(refused.refusal, name)
    return await _perform(call, job, fault)


async def _form(call: Call) -> Form:
    body = bytearray()
    async for chunk in call.request.stream():
        body += chunk
        if len(body) > LARGEST + 65_536:
            raise Refused(_too_large(len(body)))
    try:
        return read_form(call.request.headers.get("content-type", ""), bytes(body))
    except BadForm as error:
        raise Refused(_bad(f"Could not parse multipart form: {error}", None)) from error


def _fault(call: Call, name: str | None, form: Form) -> Fault | None:
    pathway = "rest_stream" if form.text("stream") == "true" else "rest"
    models = (name, call.endpoint.deployments.get(name or ""))
    return call.sandbox.faults.strike(
        Stage.REQUEST, endpoint=call.endpoint.name, pathway=pathway, models=models
    )


def _accept(call: Call, form: Form, name: str | None) -> _Job:
    model = call.endpoint.deployments.get(name or "")
    if not name:
        raise Refused(_bad("you must provide a model parameter", None))
    if model is None:
        raise Refused(refusals.unknown_model(call.endpoint, name))
    able = abilities(model)
    if not able.uploads:
        raise Refused(_sessions_only(call.endpoint, model))
    wanted = form.text("response_format") or "json"
    if wanted not in able.formats:
        raise Refused(_wrong_format(wanted, model, able.formats))
    _check_options(form, model)
    streams = form.text("stream") == "true" and able.streams
    return _Job(name, model, form, _recording(form), wanted, streams)


def _check_options(form: Form, model: str) -> None:
    able = abilities(model)
    if "language" in form.fields and "languages[]" in form.fields:
        raise Refused(
            _bad("You cannot provide both 'language' and 'languages'.", "invalid_parameter", "languages")
        )
    for field in ("languages[]", "keywords[]"):
        if field in form.fields and not able.names_languages:
            raise Refused(_bad(f"Unknown parameter: '{field[:-2]}'.", "unknown_parameter", field[:-2]))
    if "logprobs" in form.fields.get("include[]", ()) and not able.logprobs:
        raise Refused(
            _bad(f"logprobs is not supported with model '{model}'.", "unsupported_value", "include")
        )
    if form.text("prompt") and not able.prompt:
        raise Refused(_bad(f"prompt is not supported with model '{model}'.", "unsupported_value", "prompt"))
    if form.fields.get("timestamp_granularities[]") and form.text("response_format") != "verbose_json":
        message = "timestamp_granularities requires response_format 'verbose_json'."
        raise Refused(_bad(message, "unsupported_value", "timestamp_granularities"))


def _recording(form: Form) -> Recording:
    upload = form.files.get("file")
    if upload is None:
        raise Refused(_bad("[{'type': 'missing', 'loc': ('body', 'file'), 'msg': 'Field required'}]", None))
    if len(upload.content) > LARGEST:
        raise Refused(_too_large(len(upload.content)))
    if "." not in upload.filename:
        raise Refused(_bad(f"Unrecognized file format. Supported formats: {_FORMATS}", None))
    try:
        recording = read_wav(upload.content)
    except UnreadableAudio as error:
        message = "Audio file might be corrupted or unsupported"
        raise Refused(_bad(message, "invalid_value", "file")) from error
    if recording.seconds < 0.1:
        message = "Audio file is too short. Minimum audio length is 0.1 seconds."
        raise Refused(_bad(message, "audio_too_short", "file"))
    return recording


async def _perform(call: Call, job: _Job, fault: Fault | None) -> Response:
    name = fault.fault if fault else ""
    delay = call.sandbox.script.latency.rest
    if delay:
        await call.sandbox.sleep(delay)
    heard = await call.sandbox.hear([job.recording.pcm])
    words = call.sandbox.answer(heard.words, fault, job.form.text("prompt") or "")
    spoken = transcripts.Spoken(words, job.recording.seconds, job.model)
    headers = call.evidence(job.name)
    if job.streams and name != "stream_ignored":
        return _streamed(call, _events(spoken, fault), headers, fault)
    if name == "deltas_stop":
        await until_gone(call.request)
    media, body = transcripts.rendered(spoken, job.format, job.form)
    return spoilt(call, fault, with_headers(Response(body), [*headers, ("content-type", media)]))


def _streamed(
    call: Call, events: list[bytes], headers: list[tuple[str, str]], fault: Fault | None
) -> Response:
    headers = [*headers, ("content-type", "text/event-stream; charset=utf-8")]
    if fault is not None:
        return spoilt(call, fault, with_headers(Response(b"".join(events)), headers))
    return with_headers(StreamingResponse(_one_by_one(events)), headers)


async def _one_by_one(events: list[bytes]) -> AsyncIterator[bytes]:
    for event in events:
        yield event


def _events(spoken: transcripts.Spoken, fault: Fault | None) -> list[bytes]:
    name = fault.fault if fault else ""
    said = [{"type": "transcript.text.delta", "delta": delta} for delta in transcripts.deltas(spoken.words)]
    usage = transcripts.upload_usage(spoken)
    done = {"type": "transcript.text.done", "text": spoken.text, "usage": usage}
    half = said[: len(said) // 2]
    match name:
        case "deltas_stop":
            events: list[Any] = half
        case "sse_error":
            events = [*half, {"error": refusals.stream_error(fault)}]
        case _:
            events = [*said, done]
    marker = [b"data: [DONE]\n\n"] if name == "sse_done_marker" else []
    return [*(b"data: " + orjson.dumps(event) + b"\n\n" for event in events), *marker]


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
