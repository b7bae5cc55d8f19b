"""OpenAI's addresses and headers."""

from __future__ import annotations

import pytest

from monitor.core.conversation import Credential
from monitor.providers.openai import OPENAI, understand_url
from tests.support.scripted_peer import target


@pytest.mark.parametrize(
    ("pasted", "base"),
    [
        ("https://api.openai.com", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/audio/transcriptions", "https://api.openai.com/v1"),
        ("wss://api.openai.com/v1/realtime?intent=transcription", "https://api.openai.com/v1"),
        ("wss://eu.api.openai.com/v1/realtime?model=gpt-realtime", "https://eu.api.openai.com/v1"),
        ("http://127.0.0.1:8900/openai-us/v1", "http://127.0.0.1:8900/openai-us/v1"),
        ("http://127.0.0.1:8900/openai-us", "http://127.0.0.1:8900/openai-us/v1"),
        ("https://gateway.example/team/openai/v1", "https://gateway.example/team/openai/v1"),
    ],
)
def test_what_people_paste_is_understood(pasted: str, base: str) -> None:
    """With or without version, operation, query or scheme."""
    assert understand_url(pasted) == base


@pytest.mark.parametrize(
    ("pasted", "remedy"),
    [
        ("https://contoso.openai.azure.com/openai/v1", 'provider = "azure_openai"'),
        ("https://platform.openai.com/docs", "https://api.openai.com/v1"),
    ],
)
def test_what_belongs_elsewhere_is_refused_with_the_remedy(pasted: str, remedy: str) -> None:
    """The sentence says what to write instead."""
    with pytest.raises(ValueError, match=remedy.replace("(", r"\(")):
        understand_url(pasted)


@pytest.mark.parametrize("base", ["https://api.openai.com", "https://api.openai.com/v1/"])
def test_addresses_on_the_wire(base: str) -> None:
    """A conversation names its host model, a transcription session nothing at all."""
    endpoint = {"url": base}
    assert OPENAI.rest_url(target("rest", endpoint=endpoint)) == (
        "https://api.openai.com/v1/audio/transcriptions"
    )
    assert OPENAI.realtime_url(target("realtime", endpoint=endpoint)) == (
        "wss://api.openai.com/v1/realtime?model=gpt-realtime"
    )
    assert OPENAI.realtime_url(target("realtime_transcription", endpoint=endpoint)) == (
        "wss://api.openai.com/v1/realtime?intent=transcription"
    )


def test_headers_name_the_account_and_never_the_beta() -> None:
    """The beta header is sent only where the endpoint is configured for the old dialect."""
    endpoint = {"organization": "org-1", "project": "proj_1"}
    headers = dict(OPENAI.upgrade_headers(target(endpoint=endpoint), "ours-1"))
    assert headers == {
        "OpenAI-Organization": "org-1",
        "OpenAI-Project": "proj_1",
        "X-Client-Request-Id": "ours-1",
    }
    old = dict(OPENAI.upgrade_headers(target(endpoint={"dialect": "preview"}), "ours-1"))
    assert old["OpenAI-Beta"] == "realtime=v1"
    assert "OpenAI-Beta" not in dict(OPENAI.rest_headers(target(endpoint={"dialect": "preview"}), "x"))


def test_the_key_is_a_bearer_token() -> None:
    """The transport adds it last."""
    assert OPENAI.credential(target().endpoint) == Credential(
        header="Authorization", prefix="Bearer ", reference="env:KEY"
    )
