"""Uploads: `/audio/transcriptions` in each vendor's ways.

Answers are made from what was heard in the upload; nothing here knows sessions.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from monitor.sandbox.common import refusals, transcripts
from monitor.sandbox.common.http_call import (
    HANG_UP,
    Call,
    RequestRefused,
    admit,
    called,
    nothing_here,
    until_gone,
    with_headers,
)
from monitor.sandbox.common.http_faults import http_breakage, spoilt
from monitor.sandbox.common.multipart import BadForm, Form, read_form
from monitor.sandbox.common.refusals import Refusal
from monitor.sandbox.common.script import ServedEndpoint
from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.faults.catalogue import FaultMoment
from monitor.sandbox.hearing.audio import UnreadableAudio, UploadedAudio
from monitor.sandbox.hearing.decode import QUICK_BYTES, known_formats, read_upload
from monitor.sandbox.model_abilities import abilities
from monitor.sandbox.openai.upload_options import bad, check_length, check_options

LARGEST = 26_214_400  # 25 MB, as both vendors count it
LARGEST_FORM = LARGEST + 65_536


class _Job(NamedTuple):
    """An upload that may be transcribed."""

    name: str  # as the client called the model
    model: str
    form: Form
    recording: UploadedAudio
    format: str
    streams: bool
    dialect: str  # of a compatible server; else the usual one


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
        job = await _beside_the_loop(_accept, call, form, name)
    except RequestRefused as refused:
        return call.answer(refused.refusal, name)
    return await _perform(call, job, fault)


async def _form(call: Call) -> Form:
    body, size = bytearray(), 0
    async for chunk in call.request.stream():
        size += len(chunk)
        if size <= LARGEST_FORM:
            body += chunk
        elif size <= 4 * LARGEST_FORM:
            body.clear()  # read to its end all the same: who is still sending does not see an answer
        else:
            raise RequestRefused(_too_large(size)._replace(headers=HANG_UP))
    if size > LARGEST_FORM:
        raise RequestRefused(_too_large(size))
    try:
        return read_form(call.request.headers.get("content-type", ""), bytes(body))
    except BadForm as error:
        raise RequestRefused(bad(f"Could not parse multipart form: {error}", None)) from error


def _fault(call: Call, name: str | None, form: Form) -> ActiveFault | None:
    pathway = "rest_stream" if form.text("stream") == "true" else "rest"
    models = (name, call.endpoint.deployments.get(name or ""))
    return call.sandbox.faults.strike(
        FaultMoment.REQUEST, endpoint=call.endpoint.name, pathway=pathway, models=models
    )


async def _beside_the_loop(
    accept: Callable[[Call, Form, str | None], _Job], call: Call, form: Form, name: str | None
) -> _Job:
    """The job, judged in a thread where the upload is large, so that nobody else waits for its decoding."""
    size = sum(len(upload.content) for upload in form.files.values())
    return (
        accept(call, form, name) if size <= QUICK_BYTES else await asyncio.to_thread(accept, call, form, name)
    )


def _accept(call: Call, form: Form, name: str | None) -> _Job:
    model = call.endpoint.deployments.get(name or "")
    if not name:
        raise RequestRefused(bad("you must provide a model parameter", None))
    if model is None:
        raise RequestRefused(refusals.unknown_model(call.endpoint, name))
    able = abilities(model)
    if not able.uploads:
        raise RequestRefused(_sessions_only(call.endpoint, model))
    wanted = form.text("response_format") or "json"
    if wanted not in able.formats:
        raise RequestRefused(_wrong_format(wanted, model, able.formats))
    check_options(form, model)
    recording = _recording(form)
    check_length(form, model, recording.seconds)
    streams = form.text("stream") == "true" and able.streams
    return _Job(name, model, form, recording, wanted, streams, call.endpoint.dialect)


def _recording(form: Form) -> UploadedAudio:
    upload = form.files.get("file")
    if upload is None:
        raise RequestRefused(
            bad("[{'type': 'missing', 'loc': ('body', 'file'), 'msg': 'Field required'}]", None)
        )
    if len(upload.content) > LARGEST:
        raise RequestRefused(_too_large(len(upload.content)))
    _, dot, ending = upload.filename.rpartition(".")
    if not dot:
        raise RequestRefused(
            bad(f"Unrecognized file format. Supported formats: {list(known_formats())}", None)
        )
    if ending.lower() not in known_formats():
        raise RequestRefused(bad(f"Invalid file format. Supported formats: {list(known_formats())}", None))
    try:
        recording = read_upload(upload.content)
    except UnreadableAudio as error:
        message = "Audio file might be corrupted or unsupported"
        raise RequestRefused(bad(message, "invalid_value", "file")) from error
    if recording.seconds < 0.1:
        message = "Audio file is too short. Minimum audio length is 0.1 seconds."
        raise RequestRefused(bad(message, "audio_too_short", "file"))
    return recording


async def _perform(call: Call, job: _Job, fault: ActiveFault | None) -> Response:
    name = fault.fault if fault else ""
    delay = call.sandbox.script.latency.rest
    if delay:
        await call.sandbox.sleep(delay)
    heard = await call.sandbox.hear([job.recording.pcm])
    words = call.sandbox.answer(heard.words, fault, job.form.text("prompt") or "")
    spoken = transcripts.Spoken(words, job.recording.seconds, job.model)
    headers = call.evidence(job.name)
    if job.streams and name != "stream_ignored":
        return _streamed(call, _events(spoken, fault, job), headers, fault)
    if name == "deltas_stop":
        await until_gone(call.request)
    media, body = transcripts.rendered(spoken, job.format, job.form)
    return spoilt(call, fault, with_headers(Response(body), [*headers, ("content-type", media)]))


def _streamed(
    call: Call, events: list[bytes], headers: list[tuple[str, str]], fault: ActiveFault | None
) -> Response:
    headers = [*headers, ("content-type", "text/event-stream; charset=utf-8")]
    if fault is not None:
        return spoilt(call, fault, with_headers(Response(b"".join(events)), headers))
    return with_headers(StreamingResponse(_one_by_one(events)), headers)


async def _one_by_one(events: list[bytes]) -> AsyncIterator[bytes]:
    for event in events:
        yield event


def _events(spoken: transcripts.Spoken, fault: ActiveFault | None, job: _Job) -> list[bytes]:
    name = fault.fault if fault else ""
    said, done = _said(spoken, job)
    half = said[: len(said) // 2]
    match name:
        case "deltas_stop":
            events: list[Any] = half
        case "sse_error":
            events = [*half, {"error": refusals.stream_error(fault)}]
        case _:
            events = [*said, done]
    marker = [b"data: [DONE]\n\n"] if name == "sse_done_marker" or job.dialect == "vllm" else []
    return [*(b"data: " + orjson.dumps(event) + b"\n\n" for event in events), *marker]


def _said(spoken: transcripts.Spoken, job: _Job) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The deltas of a stream and its last event, with what the form wants besides the words."""
    wants_logprobs = "logprobs" in job.form.fields.get("include[]", ())
    if job.dialect in _STREAMS:
        return _STREAMS[job.dialect](spoken)
    is_diarized = job.format == "diarized_json"
    said: list[dict[str, Any]] = []
    for delta in transcripts.deltas(spoken.words):
        event: dict[str, Any] = {"type": "transcript.text.delta", "delta": delta}
        if wants_logprobs:
            event["logprobs"] = transcripts.logprobs((delta,))
        said.append(event | ({"segment_id": transcripts.SEGMENT} if is_diarized else {}))
    if is_diarized and spoken.words:
        said.append(transcripts.segment(spoken))
    done: dict[str, Any] = {"type": "transcript.text.done", "text": spoken.text}
    if wants_logprobs:
        done["logprobs"] = transcripts.logprobs(spoken.words)
    return said, done | {"usage": transcripts.upload_usage(spoken, streamed=True)}


def _in_segments(spoken: transcripts.Spoken) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Speaches: one delta for each segment, and a last event whose text is empty."""
    rest = {"logprobs": None, "usage": None}
    said = [{"type": "transcript.text.delta", "delta": f" {spoken.text}", "segment_id": None}]
    return said if spoken.words else [], {"type": "transcript.text.done", "text": "", **rest}


def _in_chunks(spoken: transcripts.Spoken) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The way of vLLM: chunks as of a chat, one for each token, none of which has a type."""
    chunk = {"id": "transcribe-1", "object": "transcription.chunk", "model": spoken.model}
    pieces = [{"delta": {"content": piece}} for piece in transcripts.deltas(spoken.words)]
    end = {"delta": {"content": ""}, "finish_reason": "stop"}
    return [{**chunk, "choices": [piece]} for piece in pieces], {**chunk, "choices": [end]}


_STREAMS = {"speaches": _in_segments, "vllm": _in_chunks}


def _too_large(size: int) -> Refusal:
    message = f"413: Maximum content size limit ({LARGEST}) exceeded ({size} bytes read)"
    error = {"message": message, "type": "server_error", "param": None, "code": None}
    return Refusal(413, orjson.dumps({"error": error, "usage": {"type": "duration", "seconds": 0}}))


def _sessions_only(endpoint: ServedEndpoint, model: str) -> Refusal:
    if endpoint.kind == "azure":
        message = (
            "The audio transcription operation does not work with the specified model."
            " Please choose different model and try again."
        )
        return refusals.azure_refusal(400, "OperationNotSupported", message)
    return bad(
        f"Model '{model}' is not supported in the v1/audio/transcriptions endpoint.", "invalid_value", "model"
    )


def _wrong_format(wanted: str, model: str, formats: tuple[str, ...]) -> Refusal:
    instead = " or ".join(f"'{name}'" for name in formats)
    message = f"response_format '{wanted}' is not compatible with model '{model}'. Use {instead} instead."
    return bad(message, "unsupported_value", "response_format")
