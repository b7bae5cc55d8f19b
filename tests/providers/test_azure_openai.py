"""Azure OpenAI's addresses: what the portal shows, and the routes and dialects on the wire."""

from __future__ import annotations

import pytest

from monitor.core.conversation import Credential
from monitor.core.model import Deployment
from monitor.providers.azure_openai import AZURE_OPENAI, understand_url
from tests.support.scripted_peer import target

HOST = "https://contoso.openai.azure.com"


@pytest.mark.parametrize(
    ("pasted", "base"),
    [
        (HOST, HOST),
        (f"{HOST}/", HOST),
        ("contoso.openai.azure.com", HOST),
        (f"{HOST}/openai", HOST),
        (f"{HOST}/openai/v1/", HOST),
        (
            f"{HOST}/openai/deployments/stt-prod/audio/transcriptions?api-version=2025-03-01-preview",
            HOST,
        ),
        (f"{HOST}/openai/v1/audio/transcriptions?api-version=preview", HOST),
        (
            "wss://contoso.openai.azure.com/openai/realtime?api-version=2025-04-01-preview&deployment=rt",
            HOST,
        ),
        ("wss://contoso.openai.azure.com/openai/v1/realtime?model=rt-host", HOST),
        ("https://contoso.cognitiveservices.azure.com/", "https://contoso.cognitiveservices.azure.com"),
        (
            "https://contoso.services.ai.azure.com/api/projects/stt",
            "https://contoso.services.ai.azure.com",
        ),
        ("https://contoso.openai.azure.us/openai/v1", "https://contoso.openai.azure.us"),
        ("https://gateway.example/team-a/openai/v1", "https://gateway.example/team-a"),
        ("https://contoso.azure-api.net/stt", "https://contoso.azure-api.net/stt"),
        ("http://127.0.0.1:8900/azure-sweden", "http://127.0.0.1:8900/azure-sweden"),
        ("http://127.0.0.1:8900/azure-sweden/openai/v1", "http://127.0.0.1:8900/azure-sweden"),
    ],
)
def test_what_people_paste_is_understood(pasted: str, base: str) -> None:
    """The portal's Target URI, every host of a resource, gateways with a prefix, the sandbox."""
    assert understand_url(pasted) == base


@pytest.mark.parametrize(
    ("pasted", "piece"),
    [
        (
            "wss://contoso.openai.azure.com/openai/v1/realtime?api-version=2025-04-01-preview&model=rt",
            "the v1 realtime path takes no dated api-version",
        ),
        ("https://portal.azure.com/#@contoso/resource", "use the endpoint of your resource"),
        ("https://ai.azure.com/resource/deployments", "use the endpoint of your resource"),
        ("https://swedencentral.api.cognitive.microsoft.com/", "regional host"),
        ("https://swedencentral.stt.speech.microsoft.com/", "regional host"),
        ("https://api.openai.com/v1", 'provider = "openai"'),
        (
            "https://contoso.services.ai.azure.com/mai/v1/realtime",
            "use https://contoso.services.ai.azure.com",
        ),
        (f"{HOST}/openai/v1?api-key=hunter2", 'key = "env:NAME"'),
        (f"{HOST}/openai/v1?foo=bar", "up to the question mark"),
    ],
)
def test_what_cannot_work_is_refused_with_the_remedy(pasted: str, piece: str) -> None:
    """The sentence says which part to use, before any request is answered with a misleading 401."""
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the sentence is compared below
        understand_url(pasted)
    assert piece in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ({}, f"{HOST}/openai/v1/audio/transcriptions"),
        ({"api_version": "preview"}, f"{HOST}/openai/v1/audio/transcriptions?api-version=preview"),
        ({"api_version": "2025-04-01-preview"}, f"{HOST}/openai/v1/audio/transcriptions"),
        (
            {"api": "dated", "api_version": "2024-10-21"},
            f"{HOST}/openai/deployments/stt%20prod/audio/transcriptions?api-version=2024-10-21",
        ),
    ],
)
def test_rest_routes(endpoint: dict[str, str], url: str) -> None:
    """A dated version belongs to the dated route only, and there it is a must."""
    deployments = {"gpt-4o-transcribe": Deployment(model="gpt-4o-transcribe", name="stt prod")}
    assert (
        AZURE_OPENAI.rest_url(target("rest", "azure_openai", endpoint=endpoint, deployments=deployments))
        == url
    )


@pytest.mark.parametrize(
    ("pathway", "endpoint", "rest"),
    [
        ("realtime", {}, "/openai/v1/realtime?model=rt-host"),
        ("realtime_transcription", {}, "/openai/v1/realtime?intent=transcription"),
        ("realtime", {"api_version": "2025-04-01-preview"}, "/openai/v1/realtime?model=rt-host"),
        (
            "realtime",
            {"dialect": "preview", "api_version": "2024-10-01-preview"},
            "/openai/realtime?api-version=2024-10-01-preview&deployment=rt-host",
        ),
        (
            "realtime_transcription",
            {"dialect": "preview", "api_version": "v1"},
            "/openai/realtime?api-version=2025-04-01-preview&deployment=rt-host&intent=transcription",
        ),
    ],
)
def test_realtime_addresses(pathway: str, endpoint: dict[str, str], rest: str) -> None:
    """GA never carries a version, the preview always a dated one and a deployment."""
    deployments = {"gpt-realtime": Deployment(model="gpt-realtime", name="rt-host")}
    asked = target(pathway, "azure_openai", endpoint=endpoint, deployments=deployments)
    assert AZURE_OPENAI.realtime_url(asked) == f"wss://contoso.openai.azure.com{rest}"


def test_the_form_holds_the_model_unless_the_dated_route_is_told_not_to() -> None:
    """Azure once answered 500 to a form with the model on the dated route."""
    for endpoint, sent in (
        ({"send_model": False}, True),
        ({"api": "dated"}, True),
        ({"api": "dated", "send_model": False}, False),
    ):
        fields = dict(AZURE_OPENAI.form_fields(target("rest", "azure_openai", endpoint=endpoint)))
        assert ("model" in fields) is sent


def test_the_key_goes_in_its_own_header() -> None:
    """Never together with a bearer token, and no beta header on the preview."""
    assert AZURE_OPENAI.credential(target("rest", "azure_openai").endpoint) == Credential(
        header="api-key", reference="env:KEY"
    )
    asked = target("realtime", "azure_openai", endpoint={"dialect": "preview"})
    assert dict(AZURE_OPENAI.upgrade_headers(asked, "ours-1")) == {"x-ms-client-request-id": "ours-1"}


@pytest.mark.parametrize(
    ("endpoint", "scope"),
    [
        ({}, "https://ai.azure.com/.default"),
        ({"api": "dated"}, "https://cognitiveservices.azure.com/.default"),
        ({"dialect": "preview"}, "https://cognitiveservices.azure.com/.default"),
        ({"api": "dated", "scope": "https://own.test/.default"}, "https://own.test/.default"),
    ],
)
def test_a_token_of_entra_goes_as_bearer_and_never_beside_a_key(endpoint: dict[str, str], scope: str) -> None:
    """Its audience follows the route, unless it is set."""
    one = target(provider="azure_openai", endpoint={"auth": "entra", "key": None, **endpoint}).endpoint
    assert AZURE_OPENAI.credential(one) == Credential(
        header="Authorization", prefix="Bearer ", reference=f"entra:{scope}"
    )
