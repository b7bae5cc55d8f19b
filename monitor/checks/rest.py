"""The `rest` pathway: one upload of the clip, one JSON answer; no retries, and no judgement of the words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from monitor.clips import Clip, multipart
from monitor.core.classification.error_bodies import bounded, error_in, mapping, read_error, read_json
from monitor.core.conversation import (
    Answer,
    Conversation,
    End,
    Fault,
    Finding,
    Headers,
    ProviderError,
    Responded,
    Silent,
    Upload,
)
from monitor.core.model import Stage, Target
from monitor.providers import PROVIDERS
from monitor.providers.provider import Fields, deployment_name

Read = Callable[[object], Finding]
LONGEST_TRANSCRIPT = 20_000  # characters; what is cut off would be words that nobody said


def rest(target: Target, clip: Clip, correlation: str) -> Conversation:
    """Post the clip, wait for the answer, read its text."""
    provider = PROVIDERS[target.endpoint.provider]
    upload = upload_of(target, clip, correlation)
    answer = yield upload
    finding = read_answer(answer)
    ids = {**provider.ids_in(finding.headers), "client_request_id": correlation}
    return replace(finding, url=upload.url, ids=ids, drift=drift_of(target, finding.headers))


def drift_of(target: Target, headers: Headers) -> tuple[str, ...]:
    """What to say where the answer names another deployment than the one that was asked for (Azure does)."""
    asked = deployment_name(target)
    named = next((value for name, value in headers if name.lower() == "x-ms-deployment-name"), asked)
    if named.lower() == asked.lower():
        return ()
    return (f"the deployment {bounded(named, 100)} answered, {asked} was asked for",)


def upload_of(target: Target, clip: Clip, correlation: str, more: Fields = ()) -> Upload:
    """The request that posts the clip, its form ending in the fields *more*."""
    provider = PROVIDERS[target.endpoint.provider]
    fields = (*provider.form_fields(target), *more)
    content_type, body = multipart(clip, fields)
    return Upload(
        url=provider.rest_url(target),
        headers=(*provider.rest_headers(target, correlation), ("Content-Type", content_type)),
        body=body,
        until=target.timeout.total_seconds(),
        credential=provider.credential(target.endpoint),
        summary={"clip": clip.name, "fields": dict(fields)},
    )


def read_answer(answer: Answer, read: Read | None = None) -> Finding:
    """What an answer to the upload amounts to; the run began with the upload, at offset 0.

    *read* finds the text in the JSON of a success, where it is not `{"text": …}`.
    """
    match answer:
        case Responded():
            found = _read_response(answer, read or _read_text)
            marks = {"commit": 0.0, "final": answer.at} if found.end is End.TEXT else {}
            return replace(found, http_status=answer.status, headers=answer.headers, marks=marks)
        case Fault():
            return Finding(stage=answer.stage, end=End.FAULT, fault=answer.kind, detail=answer.detail)
        case Silent():
            detail = f"no complete answer within {answer.at:.1f} s"
            return Finding(stage=answer.stage or Stage.TRANSCRIBE, end=End.SILENT, detail=detail)
        case _:
            return _malformed(f"{type(answer).__name__} came where an HTTP response was due")


def _read_response(answer: Responded, read: Read) -> Finding:
    if not 200 <= answer.status < 300:
        return Finding(stage=Stage.TRANSCRIBE, end=End.ERROR, error=error_in(answer.body))
    if answer.truncated:
        return _malformed("the response is longer than we read")
    try:
        value = read_json(answer.body)
    except ValueError:
        return _malformed(f"status {answer.status} without JSON: {_beginning(answer.body)}")
    return _read_refusal(mapping(value).get("error")) or read(value)


def _read_refusal(said: object) -> Finding | None:
    """An error with a status of success, which OpenAI was seen to send; None where there is none."""
    if not said:
        return None
    error = read_error(said)
    if error == ProviderError():
        return _malformed("the response has an error that says nothing")
    return Finding(stage=Stage.TRANSCRIBE, end=End.ERROR, error=error)


def _read_text(value: object) -> Finding:
    text = mapping(value).get("text")
    if not isinstance(text, str):
        return _malformed("the response has no text")
    if text.lstrip().startswith("data:"):  # LiteLLM hands on an upstream's raw event stream as text
        return _malformed(f"the text is an unread event stream: {bounded(text, 200)}")
    return Finding(stage=Stage.VERIFY, end=End.TEXT, transcript=text[:LONGEST_TRANSCRIPT])


def _malformed(detail: str) -> Finding:
    return Finding(stage=Stage.TRANSCRIBE, end=End.MALFORMED, detail=detail)


def _beginning(body: bytes) -> str:
    return bounded(body[:400].decode("utf-8", "replace").strip(), 200) or "an empty body"
