"""Azure AI Speech's ways: regional hosts, locales, a subscription key, and statuses inside a success.

Sources: Microsoft's pages on REST for short audio and on fast transcription (2025-10-15), and for the
WebSocket the open JavaScript SDK, whose protocol is not documented for others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from monitor.core.classification.failure_rules import FailureClass
from monitor.core.conversation import Credential, Headers
from monitor.core.model import Endpoint, Target
from monitor.providers.addresses import as_websocket, read_address, with_query
from monitor.providers.provider import Fields, Provider

FAST_VERSION = "2025-10-15"
_RECOGNITION = "/speech/recognition/conversation/cognitiveservices/v1"
_FAST = "/speechtotext/transcriptions:transcribe"
_OPERATION = re.compile(r"/(speech/recognition|stt/speech|speechtotext|sts|cognitiveservices)(/.*)?$")
_QUERY = ("language", "format", "profanity", "api-version")
_REGIONAL = re.compile(
    r"^(?P<region>[a-z0-9-]+)\.(stt\.speech|api\.cognitive)\.(?P<cloud>microsoft\.com|azure\.cn|azure\.us)$"
)
_RESOURCE = ".cognitiveservices.azure.com"
_ENHANCED = "mai-"  # models of the enhanced mode are named in the request, the base model is not
# The usual locale of a language, where it is not the language's name twice (`de-DE`).
_LOCALES = {
    "ar": "ar-EG", "cs": "cs-CZ", "da": "da-DK", "el": "el-GR", "en": "en-US", "et": "et-EE", "he": "he-IL",
    "hi": "hi-IN", "ja": "ja-JP", "ko": "ko-KR", "nb": "nb-NO", "pt": "pt-BR", "sl": "sl-SI", "sv": "sv-SE",
    "uk": "uk-UA", "vi": "vi-VN", "zh": "zh-CN",
}  # fmt: skip

# The meanings of statuses are those that the SDKs give `CancellationErrorCode`. *Forbidden* there says that
# a free subscription has no quota left; as the code of a 403 it is the usual word.
# What `RecognitionStatus`, the top-level `code` of an error, a status and a close code mean, in lower case.
CODES = {
    "nomatch": FailureClass.UNINTELLIGIBLE,
    "initialsilencetimeout": FailureClass.UNINTELLIGIBLE,
    "babbletimeout": FailureClass.UNINTELLIGIBLE,
    "error": FailureClass.PROVIDER,
    "serviceerror": FailureClass.PROVIDER,
    "servicetimeout": FailureClass.PROVIDER,
    "recognitionstatus forbidden": FailureClass.QUOTA,
    "toomanyrequests": FailureClass.QUOTA,
    "badrequest": FailureClass.CONFIG,
    "invalidargument": FailureClass.CONFIG,
    "unauthorized": FailureClass.AUTH,
    "status 400": FailureClass.CONFIG,  # a language that is missing or unknown; it comes without a body
    "status 403": FailureClass.AUTH,  # the key or token is missing
    "close 1002": FailureClass.PROVIDER,
    "close 1003": FailureClass.PROVIDER,
    "close 1007": FailureClass.CONFIG,
    "close 4000": FailureClass.PROVIDER,
}


def understand_url(text: str) -> str:
    """The base of the resource: a regional host, the resource's own, or any other server's base.

    Raises ValueError saying what to use instead.
    """
    address = read_address(text, known=_QUERY)
    if address.host.endswith((".openai.azure.com", ".services.ai.azure.com")):
        raise ValueError(f'{address.host} belongs to Azure OpenAI: write provider = "azure_openai"')
    if address.host in ("portal.azure.com", "speech.microsoft.com", "ai.azure.com", "learn.microsoft.com"):
        own = "use the endpoint of your resource, such as https://westeurope.stt.speech.microsoft.com"
        raise ValueError(f"{address.host} is a page for people: {own}")
    return address.origin + _OPERATION.sub("", address.path)


def refuse(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    """What contradicts itself: a resource's own host answers fast transcription only."""
    host = urlsplit(endpoint.url).hostname or ""
    if host.endswith(_RESOURCE) and not endpoint.region:
        example = 'region = "westeurope"'
        yield "region", f"is missing: {host} serves fast transcription only, write such as {example}"


def rest_url(target: Target) -> str:
    """Where audio is posted: short audio, or fast transcription where the endpoint says so."""
    endpoint = target.endpoint
    if endpoint.api != "fast":
        return _recognition(_base(endpoint, "stt.speech"), target)
    version = endpoint.api_version or FAST_VERSION
    return with_query(f"{_base(endpoint, 'api.cognitive')}{_FAST}", ("api-version", version))


def realtime_url(target: Target) -> str:
    """The address of a recognition over WebSocket."""
    return _recognition(as_websocket(_base(target.endpoint, "stt.speech")), target)


def _recognition(base: str, target: Target) -> str:
    return with_query(f"{base}{_RECOGNITION}", ("language", locale(target)), ("format", "simple"))


def _base(endpoint: Endpoint, service: str) -> str:
    """The base that serves the operation; a region has a host for each, any other server has one."""
    base = endpoint.url.rstrip("/")
    host = urlsplit(base).hostname or ""
    regional = _REGIONAL.match(host)
    if regional:
        return f"https://{regional['region']}.{service}.{regional['cloud']}"
    if host.endswith(_RESOURCE) and service == "stt.speech" and endpoint.region:
        return f"https://{endpoint.region}.{service}.microsoft.com"
    return base


def locale(target: Target) -> str | None:
    """The locale to ask for; None where no language is configured."""
    language = target.language
    if language is None or "-" in language:
        return language
    return _LOCALES.get(language, f"{language}-{language.upper()}")


def told_language(endpoint: Endpoint) -> Sequence[str]:
    """The pathways that must be told the language; fast transcription finds it out."""
    return ("speech_ws",) if endpoint.api == "fast" else ("speech_rest", "speech_ws")


def definition(target: Target) -> Fields:
    """The form of fast transcription beside the audio; a model is named in the enhanced mode only."""
    wanted: dict[str, Any] = {}
    if target.language:
        wanted["locales"] = [locale(target)]
    if target.model.lower().startswith(_ENHANCED):
        wanted["enhancedMode"] = {"enabled": True, "model": target.model}
    return (("definition", json.dumps(wanted)),)


def credential(endpoint: Endpoint) -> Credential | None:
    """The resource key, which works with every form of address."""
    if endpoint.auth == "none" or endpoint.key is None:
        return None
    return Credential(header="Ocp-Apim-Subscription-Key", reference=endpoint.key)


def _no_headers(_endpoint: Endpoint) -> Headers:
    return ()


AZURE_SPEECH = Provider(
    name="azure_speech",
    label="Azure Speech",
    example_url="https://westeurope.stt.speech.microsoft.com",
    example_key="SPEECH_KEY",
    understand_url=understand_url,
    rest_url=rest_url,
    realtime_url=realtime_url,
    headers=_no_headers,
    realtime_headers=_no_headers,
    credential=credential,
    form_fields=definition,
    correlation_header="X-ConnectionId",
    codes=CODES,
    support_ids={"apim_request_id": "apim-request-id", "request_id": "x-requestid"},
    pathways=("speech_rest", "speech_ws"),
    apis=("short", "fast"),
    has_versions=True,
    told_language=told_language,
    has_list_prices=True,
    days_elsewhere="Azure has its own dates",
    refuse=refuse,
)
