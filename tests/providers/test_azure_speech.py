"""Azure AI Speech: hosts by region, locales, and what its statuses mean."""

from __future__ import annotations

import json

import pytest

from monitor.providers import PROVIDERS
from monitor.providers.azure_speech import locale
from tests.support.scripted_peer import target

SPEECH = PROVIDERS["azure_speech"]
REGIONAL = "https://westeurope.stt.speech.microsoft.com"
RESOURCE = "https://contoso.cognitiveservices.azure.com"
RECOGNITION = "/speech/recognition/conversation/cognitiveservices/v1?language=en-US&format=simple"


@pytest.mark.parametrize(
    ("pasted", "base"),
    [
        (f"{REGIONAL}{RECOGNITION}", REGIONAL),
        ("wss://westeurope.stt.speech.microsoft.com/", REGIONAL),
        ("https://westeurope.api.cognitive.microsoft.com/", "https://westeurope.api.cognitive.microsoft.com"),
        (
            "https://westeurope.api.cognitive.microsoft.com/sts/v1.0/issueToken",
            "https://westeurope.api.cognitive.microsoft.com",
        ),
        (f"{RESOURCE}/speechtotext/transcriptions:transcribe?api-version=2025-10-15", RESOURCE),
        ("http://127.0.0.1:8900/speech-west", "http://127.0.0.1:8900/speech-west"),
    ],
)
def test_what_people_paste_is_understood(pasted: str, base: str) -> None:
    """Operations, tokens and sockets lead to the same base."""
    assert SPEECH.understand_url(pasted) == base


@pytest.mark.parametrize(
    ("pasted", "piece"),
    [
        ("https://contoso.openai.azure.com", 'provider = "azure_openai"'),
        ("https://portal.azure.com", "page for people"),
        ("https://westeurope.stt.speech.microsoft.com?subscription-key=abc", "secret"),
    ],
)
def test_what_cannot_be_used_is_explained(pasted: str, piece: str) -> None:
    """The sentence says what to write instead."""
    with pytest.raises(ValueError, match=piece):
        SPEECH.understand_url(pasted)


@pytest.mark.parametrize("url", [REGIONAL, "https://westeurope.api.cognitive.microsoft.com"])
def test_a_region_has_a_host_for_each_operation(url: str) -> None:
    """Whichever of the two was pasted, each operation goes to its own."""
    short = target("speech_rest", "azure_speech", endpoint={"url": url, "api": "short"})
    fast = target("speech_rest", "azure_speech", endpoint={"url": url, "api": "fast"})
    assert SPEECH.rest_url(short) == f"{REGIONAL}{RECOGNITION}"
    assert SPEECH.realtime_url(short) == f"wss://westeurope.stt.speech.microsoft.com{RECOGNITION}"
    assert SPEECH.rest_url(fast) == (
        "https://westeurope.api.cognitive.microsoft.com/speechtotext/transcriptions:transcribe"
        "?api-version=2025-10-15"
    )


def test_the_resources_own_host_answers_fast_transcription_only() -> None:
    """The other operations go to the region, which must be known."""
    own = {"url": RESOURCE, "region": "westeurope"}
    assert SPEECH.rest_url(target("speech_rest", "azure_speech", endpoint=own)) == f"{REGIONAL}{RECOGNITION}"
    fast = target("speech_rest", "azure_speech", endpoint={**own, "api": "fast", "api_version": "2024-11-15"})
    expected = f"{RESOURCE}/speechtotext/transcriptions:transcribe?api-version=2024-11-15"
    assert SPEECH.rest_url(fast) == expected
    assert not list(SPEECH.refuse(fast.endpoint))
    unknown = target("speech_ws", "azure_speech", endpoint={"url": RESOURCE})
    assert [key for key, _ in SPEECH.refuse(unknown.endpoint)] == ["region"]


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "en-US"), ("de", "de-DE"), ("pt", "pt-BR"), ("en-GB", "en-GB"), (None, None)],
)
def test_a_language_is_asked_for_by_its_locale(language: str | None, expected: str | None) -> None:
    """A locale is kept as it is."""
    assert locale(target("speech_ws", "azure_speech", language=language)) == expected


def test_fast_transcription_is_defined_in_json() -> None:
    """Locales where a language is known; a model where it is one of the enhanced mode."""
    plain = target("speech_rest", "azure_speech", model="default")
    enhanced = target("speech_rest", "azure_speech", model="MAI-Transcribe-2", language=None)
    [(name, value)] = SPEECH.form_fields(plain)
    assert (name, json.loads(value)) == ("definition", {"locales": ["en-US"]})
    [(_, value)] = SPEECH.form_fields(enhanced)
    assert json.loads(value) == {"enhancedMode": {"enabled": True, "model": "MAI-Transcribe-2"}}


def test_the_key_goes_under_the_services_own_header() -> None:
    """Never as a bearer token."""
    credential = SPEECH.credential(target("speech_ws", "azure_speech").endpoint)
    assert credential is not None
    assert (credential.header, credential.prefix) == ("Ocp-Apim-Subscription-Key", "")
