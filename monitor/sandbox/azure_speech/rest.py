"""Azure AI Speech by HTTP: short audio and fast transcription.

Its errors are not wrapped in `error`, and its 200 does not mean that something was recognised.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from monitor.sandbox.azure_speech import results
from monitor.sandbox.common.http_call import HANG_UP, Call, RequestRefused, called, nothing_here
from monitor.sandbox.common.http_faults import http_breakage, spoilt
from monitor.sandbox.common.json_checks import anything, choice, listing, table, text
from monitor.sandbox.common.multipart import BadForm, Form, read_form
from monitor.sandbox.common.refusals import Complaint, Refusal, speech_refusal
from monitor.sandbox.common.script import SPEECH_MODEL
from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.faults.catalogue import FaultMoment
from monitor.sandbox.hearing.audio import UnreadableAudio, UploadedAudio, is_silent
from monitor.sandbox.hearing.decode import QUICK_BYTES, read_upload

LONGEST_SHORT = 60.0
LARGEST_FAST = 250 * 1024 * 1024
LARGEST_SHORT = 16 * 1024 * 1024
FAST_VERSIONS = ("2025-10-15", "2024-11-15")
FORMATS = ("simple", "detailed")
PROFANITY = ("masked", "removed", "raw")
MEDIA = ("audio/wav", "audio/x-wav", "audio/ogg")
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?-[A-Z]{2}(-[a-z]+)?")
MODES = ("interactive", "conversation", "dictation")
_definition = table(
    {
        "locales": listing(text),
        "profanityFilterMode": choice("None", "Masked", "Removed", "Tags"),
        "channels": listing(anything),
        "diarization": anything,
        "phraseList": anything,
        "enhancedMode": anything,
        "models": anything,
    }
)


async def recognise_short(request: Request) -> Response:
    """The answer to short audio."""
    call = called(request)
    if call is None or request.path_params["mode"] not in MODES:
        return await nothing_here(request)
    try:
        call.admit()
        _check_short(call)
        body = await _body(call, LARGEST_SHORT)
        fault = _strike(call, SPEECH_MODEL)
        broken = await http_breakage(call, fault, None)
        if broken is not None:
            return broken
        recording = await _recording(body)
        if recording.seconds > LONGEST_SHORT:
            raise _bad(f"The audio is longer than {LONGEST_SHORT:.0f} seconds.")
    except RequestRefused as refused:
        return call.answer(refused.refusal)
    words = await _words(call, recording, fault)
    status = results.status_of(words, fault, spoken=not is_silent(recording.pcm))
    detailed = request.query_params.get("format") == "detailed"
    found = results.phrase(words, status, 0, recording.seconds * 1000, detailed=detailed)
    right = call.answer(Refusal(200, orjson.dumps(found), "application/json; charset=utf-8"))
    return spoilt(call, fault, right)


async def transcribe_fast(request: Request) -> Response:
    """The answer to fast transcription."""
    call = called(request)
    if call is None:
        return await nothing_here(request)
    try:
        call.admit()
        form = await _fast_form(call)
        definition = _read_definition(form)
        fault = _strike(call, SPEECH_MODEL, _enhanced(definition))
        broken = await http_breakage(call, fault, None)
        if broken is not None:
            return broken
        recording = await _recording(form.files["audio"].content)
    except RequestRefused as refused:
        return call.answer(refused.refusal)
    words = await _words(call, recording, fault)
    locale = next(iter(definition.get("locales") or ["en-US"]))
    answer = results.fast_answer(words, recording.seconds, locale)
    right = call.answer(Refusal(200, orjson.dumps(answer), "application/json; charset=utf-8"))
    return spoilt(call, fault, right)


def _check_short(call: Call) -> None:
    query = call.request.query_params
    language = query.get("language")
    if not language:
        raise _bad("The query parameter 'language' is missing.")
    if _LOCALE.fullmatch(language) is None:
        raise _bad(f"The language '{language[:40]}' is not supported.")
    if query.get("profanity", "masked") not in PROFANITY:
        raise _bad("The query parameter 'profanity' must be 'masked', 'removed' or 'raw'.")
    if query.get("format", "simple") not in FORMATS:
        raise _bad("The query parameter 'format' must be 'simple' or 'detailed'.")
    media = call.request.headers.get("content-type", "")
    if not media.lower().startswith(MEDIA):
        raise RequestRefused(
            speech_refusal(415, "UnsupportedMediaType", f"'{media[:60]}' is not supported here.")
        )


async def _body(call: Call, largest: int) -> bytes:
    body = bytearray()
    async for chunk in call.request.stream():
        body += chunk
        if len(body) > largest:
            large = speech_refusal(413, "InvalidRequest", "The request body is too large.")
            raise RequestRefused(large._replace(headers=HANG_UP))
    return bytes(body)


async def _fast_form(call: Call) -> Form:
    version = call.request.query_params.get("api-version")
    if version not in FAST_VERSIONS:
        raise _bad(f"The api-version '{version}' is not supported; use {FAST_VERSIONS[0]}.")
    body = await _body(call, LARGEST_FAST)
    try:
        form = read_form(call.request.headers.get("content-type", ""), body)
    except BadForm as error:
        raise _bad(f"Could not read the form: {error}.") from error
    if "audio" not in form.files:
        raise _bad("The part 'audio' is missing.")
    return form


def _read_definition(form: Form) -> dict[str, Any]:
    given = form.text("definition")
    if given is None and "definition" in form.files:
        given = form.files["definition"].content.decode("utf-8", "replace")
    try:
        definition = orjson.loads(given or "{}")
    except orjson.JSONDecodeError as error:
        raise _bad("The part 'definition' is no JSON.") from error
    complaint: Complaint | None = _definition(definition, "definition")
    if complaint is not None:
        raise _bad(complaint.message)
    found: dict[str, Any] = definition
    return found


def _enhanced(definition: dict[str, Any]) -> str | None:
    mode = definition.get("enhancedMode")
    return mode.get("model") if isinstance(mode, dict) else None


def _strike(call: Call, *models: str | None) -> ActiveFault | None:
    return call.sandbox.faults.strike(
        FaultMoment.REQUEST, endpoint=call.endpoint.name, pathway="speech_rest", models=models
    )


async def _recording(content: bytes) -> UploadedAudio:
    try:
        if len(content) <= QUICK_BYTES:
            return read_upload(content)
        return await asyncio.to_thread(read_upload, content)
    except UnreadableAudio as error:
        raise _bad("The audio is no file that can be read.") from error


async def _words(call: Call, recording: UploadedAudio, fault: ActiveFault | None) -> tuple[str, ...]:
    if call.sandbox.script.latency.rest:
        await call.sandbox.sleep(call.sandbox.script.latency.rest)
    heard = await call.sandbox.hear([recording.pcm])
    return call.sandbox.answer(heard.words, fault)


def _bad(message: str) -> RequestRefused:
    return RequestRefused(speech_refusal(400, "InvalidArgument", message))
