"""The `speech_rest` pathway: one upload to Azure AI Speech; a status inside the success decides.

HTTP 200 does not mean that anything was recognised. No retries, and no judgement of the words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from monitor.checks.rest import LONGEST_TRANSCRIPT, read_answer
from monitor.clips import Clip, multipart, wav_at
from monitor.core.classification.error_bodies import mapping, text_of
from monitor.core.conversation import Conversation, End, Finding, ProviderError, Upload
from monitor.core.model import Stage, Target
from monitor.providers import PROVIDERS

RATE = 16_000  # Hz, what the service documents for uploads of WAV
CONTENT_TYPE = f"audio/wav; codecs=audio/pcm; samplerate={RATE}"
SUCCESS = "success"
# What recognisers say of a recording without speech: right for silence, wrong for words.
NOTHING_HEARD = frozenset({"nomatch", "initialsilencetimeout"})


def speech_rest(target: Target, clip: Clip, correlation: str) -> Conversation:
    """Post the clip as short audio or for fast transcription, and read what was recognised."""
    provider = PROVIDERS[target.endpoint.provider]
    connection = correlation.replace("-", "")
    form = provider.form_fields(target) if target.endpoint.api == "fast" else ()
    content_type, body = multipart(clip, form, part="audio") if form else (CONTENT_TYPE, wav_at(clip, RATE))
    upload = Upload(
        url=provider.rest_url(target),
        headers=(*provider.rest_headers(target, connection), ("Content-Type", content_type)),
        body=body,
        until=target.timeout.total_seconds(),
        credential=provider.credential(target.endpoint),
        summary={"clip": clip.name, "fields": dict(form)},
    )
    answer = yield upload
    finding = read_answer(answer, lambda value: _read(mapping(value), silent=not clip.text))
    ids = {**provider.ids_in(finding.headers), "client_request_id": connection}
    return replace(finding, url=upload.url, ids=ids)


def _read(fields: Mapping[str, object], *, silent: bool) -> Finding:
    phrases = fields.get("combinedPhrases")
    if isinstance(phrases, list):
        said = [mapping(phrase).get("text") for phrase in phrases[:100]]
        return _heard(" ".join(text for text in said if isinstance(text, str)))
    status = text_of(fields.get("RecognitionStatus"))
    if status is None:
        detail = "the response has neither a RecognitionStatus nor phrases"
        return Finding(stage=Stage.TRANSCRIBE, end=End.MALFORMED, detail=detail)
    if status.lower() == SUCCESS:
        return _heard(phrase_text(fields))
    if silent and status.lower() in NOTHING_HEARD:
        return _heard("")
    return Finding(stage=Stage.TRANSCRIBE, end=End.ERROR, error=failed_status(status))


def _heard(text: str) -> Finding:
    return Finding(stage=Stage.VERIFY, end=End.TEXT, transcript=text[:LONGEST_TRANSCRIPT])


def phrase_text(fields: Mapping[str, object]) -> str:
    """The words of a phrase: `DisplayText`, or the best of its alternatives in the detailed format."""
    text = fields.get("DisplayText")
    if isinstance(text, str):
        return text
    best = fields.get("NBest")
    first = mapping(best[0]) if isinstance(best, list) and best else {}
    shown = first.get("Display")
    return shown if isinstance(shown, str) else ""


def failed_status(status: str) -> ProviderError:
    """A recognition that did not succeed, as an error whose code is the status."""
    return ProviderError(type="RecognitionStatus", code=status, message=f"RecognitionStatus {status}")
