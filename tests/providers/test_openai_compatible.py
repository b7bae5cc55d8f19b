"""Servers that speak OpenAI's protocol at any base."""

from __future__ import annotations

import pytest

from monitor.core.classification.failure_rules import FailureClass
from monitor.core.model import Blame, Failure
from monitor.providers.openai_compatible import OPENAI_COMPATIBLE
from tests.support.realtime_events import error, spoken
from tests.support.scripted_peer import hold, judge, target


@pytest.mark.parametrize(
    ("pasted", "base"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/audio/transcriptions", "http://localhost:8000/v1"),
        ("ws://localhost:8000/v1/realtime?model=m", "http://localhost:8000/v1"),
        ("https://gateway.example/stt/api/v3", "https://gateway.example/stt/api/v3"),
        ("https://contoso.openai.azure.com/openai/v1", "https://contoso.openai.azure.com/openai/v1"),
    ],
)
def test_any_base_will_do(pasted: str, base: str) -> None:
    """The version is added where none stands, and kept where one does."""
    assert OPENAI_COMPATIBLE.understand_url(pasted) == base


def test_a_flat_server_takes_the_model_from_the_address() -> None:
    """Speaches refuses the upgrade without it, and gateways such as LiteLLM do."""
    flat = target(
        "realtime_transcription",
        "openai_compatible",
        model="Systran/faster-whisper-small",
        endpoint={"dialect": "preview"},
    )
    assert OPENAI_COMPATIBLE.realtime_url(flat) == (
        "ws://stt.test:8000/v1/realtime?model=Systran%2Ffaster-whisper-small&intent=transcription"
    )
    nested = target("realtime_transcription", "openai_compatible")
    assert OPENAI_COMPATIBLE.realtime_url(nested) == (
        "ws://stt.test:8000/v1/realtime?model=gpt-4o-transcribe&intent=transcription"
    )


@pytest.mark.parametrize(
    ("code", "failure", "blame"),
    [
        ("model_load_error", Failure.SERVER, Blame.PROVIDER),
        ("session_limit_reached", Failure.CAPACITY, Blame.PROVIDER),
        ("model_not_validated", Failure.CONFIG, Blame.ACCOUNT),
    ],
)
def test_their_own_codes_are_understood(code: str, failure: Failure, blame: Blame) -> None:
    """Codes that only these servers send have their meaning in this provider's data."""
    asked = target("realtime", "openai_compatible")
    finding, _ = hold([*spoken(), error("commit-1", code=code)], asked)
    judged = judge(finding, asked)
    assert (judged.failure, judged.blame, judged.rule) == (failure, blame, 0)


def test_a_type_may_stand_for_the_code() -> None:
    """speech-to-speech puts its code into the type."""
    assert OPENAI_COMPATIBLE.codes["invalid_session_type"] is FailureClass.CONFIG


@pytest.mark.parametrize(
    ("dialect", "query", "ends"),
    [
        ("ga", "auto", "/v1/realtime?model=gpt-4o-transcribe&intent=transcription"),
        ("ga", "intent", "/v1/realtime?intent=transcription"),
        ("preview", "auto", "/v1/realtime?model=gpt-4o-transcribe&intent=transcription"),
        ("vllm", "auto", "/v1/realtime"),
        ("qwen", "auto", "/v1/realtime?model=gpt-4o-transcribe"),
        ("ga", "both", "/v1/realtime?model=gpt-4o-transcribe&intent=transcription"),
        ("ga", "model", "/v1/realtime?model=gpt-4o-transcribe"),
        ("preview", "intent", "/v1/realtime?intent=transcription"),
        ("qwen", "none", "/v1/realtime"),
    ],
)
def test_what_the_address_of_a_session_names_can_be_set(dialect: str, query: str, ends: str) -> None:
    """By the dialect, unless the endpoint says otherwise."""
    endpoint = {"dialect": dialect, "session_query": query}
    asked = target("realtime_transcription", "openai_compatible", endpoint=endpoint)
    assert OPENAI_COMPATIBLE.realtime_url(asked) == f"ws://stt.test:8000{ends}"


@pytest.mark.parametrize(
    ("query", "ends"), [("auto", "?model=gpt-realtime"), ("both", "?model=gpt-realtime"), ("none", "")]
)
def test_a_conversation_names_its_host_or_nothing(query: str, ends: str) -> None:
    """It has no intent."""
    asked = target("realtime", "openai_compatible", endpoint={"session_query": query})
    url = OPENAI_COMPATIBLE.realtime_url(asked)
    assert url == f"ws://stt.test:8000/v1/realtime{ends}"
