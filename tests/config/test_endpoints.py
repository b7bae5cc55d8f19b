from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.config import Settings

Load = Callable[[str], Settings]


@pytest.mark.parametrize(
    "pasted",
    [
        "https://contoso.openai.azure.com/",
        "https://contoso.openai.azure.com/openai/v1/",
        "https://contoso.openai.azure.com/openai/deployments/stt/audio/transcriptions?api-version=2025-03-01-preview",
        "wss://contoso.openai.azure.com/openai/v1/realtime?model=rt-host",
        "contoso.openai.azure.com",
    ],
)
def test_what_people_paste_from_the_portal_is_understood(pasted: str, azure: str, loaded: Load) -> None:
    """Target URI, base URL, socket URL and bare host give the same endpoint."""
    settings = loaded(azure.replace("https://contoso.openai.azure.com", pasted))
    assert settings.endpoints["azure"].url == "https://contoso.openai.azure.com"


def test_openai_needs_no_url(loaded: Load) -> None:
    """There is one address to fall back on."""
    settings = loaded('[endpoint.openai]\nprovider = "openai"\nkey = "env:K"\nproject = "proj_1"\n')
    endpoint = settings.endpoints["openai"]
    assert (endpoint.url, endpoint.auth, endpoint.project) == ("https://api.openai.com/v1", "key", "proj_1")


def test_a_server_of_ones_own_may_have_no_key_and_no_tls(loaded: Load) -> None:
    """Absent key means none is sent; http:// and 16 kHz are allowed."""
    settings = loaded(
        '[endpoint.own]\nprovider = "openai_compatible"\n'
        'url = "http://whisper:8000/v1"\nsample_rate = 16000\n'
    )
    endpoint = settings.endpoints["own"]
    assert (endpoint.auth, endpoint.key, endpoint.sample_rate) == ("none", None, 16_000)


@pytest.mark.parametrize(
    ("lines", "allowed"),
    [
        ('api = "dated"\napi_version = "2024-10-21"', True),
        ('dialect = "preview"\napi_version = "2025-04-01-preview"', True),
        ('api = "dated"\ndialect = "preview"\napi_version = "2025-04-01-preview"', True),
        ('api_version = "preview"', True),
        ('api_version = "v1"', True),
        ('api_version = "2024-10-21"', False),
        ('api = "dated"\napi_version = "preview"', False),
        ('dialect = "preview"', False),
    ],
)
def test_a_dated_version_stands_only_where_azure_takes_it(
    lines: str, *, allowed: bool, azure: str, loaded: Load
) -> None:
    """On the GA realtime path Azure answers a dated version with 401, so it is refused beforehand."""
    if allowed:
        loaded(f"{azure}{lines}\n")
        return
    with pytest.raises(Exception, match=r"endpoint\.azure\.api_version: "):
        loaded(f"{azure}{lines}\n")


def test_deployments_and_support_facts_reach_the_endpoint(azure: str, loaded: Load) -> None:
    """Names per pathway, type, version, and what only tickets carry."""
    settings = loaded(
        f"""{azure}
subscription = "EA"
tier = "S0"
resource_id = "/Subscriptions/0/x"
[endpoint.azure.deployment.whisper-1]
rest = "whisper"
realtime = "-"
[endpoint.azure.deployment.gpt-4o-transcribe]
name = "stt-prod"
type = "Standard"
version = "2025-03-20"
"""
    )
    endpoint = settings.endpoints["azure"]
    assert endpoint.details == {"subscription": "EA", "tier": "S0"}
    assert endpoint.deployment("whisper-1", "rest") == "whisper"
    assert endpoint.deployment("whisper-1", "rest_stream") == "whisper"
    assert endpoint.deployment("whisper-1", "realtime") is None
    assert endpoint.deployment("gpt-4o-transcribe", "rest") == "stt-prod"
    assert endpoint.deployments["gpt-4o-transcribe"].version == "2025-03-20"


@pytest.mark.parametrize(
    ("lines", "rate"),
    [('dialect = "vllm"', 16_000), ('dialect = "qwen"\nsample_rate = 24000', 24_000), ("", 24_000)],
)
def test_a_dialect_brings_its_rate(lines: str, rate: int, loaded: Load) -> None:
    """16 kHz where the dialect takes it, unless another is given."""
    text = f'[endpoint.own]\nprovider = "openai_compatible"\nurl = "http://stt.test:8000/v1"\n{lines}\n'
    assert loaded(text).endpoints["own"].sample_rate == rate
