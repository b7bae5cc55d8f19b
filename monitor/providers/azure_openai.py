"""Azure OpenAI's ways: deployments for models, an `api-key` header, two routes and two dialects."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.core.conversation import Credential, Headers
from monitor.core.model import Endpoint, Target
from monitor.providers.addresses import Address, as_websocket, cut_at, read_address, segment, with_query
from monitor.providers.provider import (
    Fields,
    Provider,
    deployment_name,
    form,
    host_name,
)

# The last dated previews that Microsoft's reference pages name; a setting overrides them.
REST_VERSION = "2025-04-01-preview"
REALTIME_VERSION = "2025-04-01-preview"

_QUERY = ("api-version", "deployment", "model", "intent")
_DATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?")
_ROUTE = re.compile(r"^(?P<prefix>.*?)/openai(?:/(?P<rest>.*))?$")
_PORTALS = ("portal.azure.com", "ai.azure.com", "oai.azure.com", "learn.microsoft.com")
_MEANS_DATED = (
    "the v1 path answers a dated api_version with 401, which looks like a bad key; remove it, or say "
    'api = "dated" for REST or dialect = "preview" for realtime sessions'
)
_OWN_HOST = "use the endpoint of your resource, such as https://NAME.openai.azure.com"


def understand_url(text: str) -> str:
    """The resource's base, from what the portal and the samples show; a gateway's prefix is kept.

    Understood: the *Target URI* with deployment and api-version, hosts of cognitiveservices and
    services.ai.azure.com, project endpoints, wss. Raises ValueError saying what to use instead; a
    dated api-version on the GA realtime path is refused, because Azure answers it as a wrong key.
    """
    address = read_address(text, known=_QUERY)
    _check_host(address.host)
    _check_version(address)
    route = _ROUTE.match(address.path)
    prefix = route["prefix"] if route else _without_project(address.path)
    if prefix and address.host.endswith((".azure.com", ".azure.us", ".azure.cn")):
        raise ValueError(f"the path {prefix} is no part of a resource: use {address.origin}")
    return address.origin + prefix


def _check_host(host: str) -> None:
    if host in _PORTALS:
        raise ValueError(f"{host} is a page for people: {_OWN_HOST}")
    if host.endswith((".api.cognitive.microsoft.com", ".stt.speech.microsoft.com")):
        raise ValueError(f"{host} is a regional host without deployments: {_OWN_HOST}")
    if host == "api.openai.com" or host.endswith(".api.openai.com"):
        raise ValueError(f'{host} belongs to OpenAI: write provider = "openai"')


def _check_version(address: Address) -> None:
    version = address.value("api-version") or ""
    if address.path.endswith("/openai/v1/realtime") and _DATED.fullmatch(version):
        raise ValueError(
            f"the v1 realtime path takes no dated api-version, Azure answers 401: leave out "
            f'?api-version={version}, or write dialect = "preview" and api_version = "{version}"'
        )


def _without_project(path: str) -> str:
    """The path without Foundry's project or model-inference part, which serve other operations."""
    return cut_at(re.sub(r"/api/projects/[^/]*.*$", "", path), ("/models", "/v1"))


def rest_url(target: Target) -> str:
    """Where audio is posted: the v1 route, or the dated one that names the deployment."""
    endpoint = target.endpoint
    base = f"{endpoint.url.rstrip('/')}/openai"
    if endpoint.api == "dated":
        path = f"{base}/deployments/{segment(deployment_name(target))}/audio/transcriptions"
        return with_query(path, ("api-version", endpoint.api_version or REST_VERSION))
    version = endpoint.api_version if endpoint.api_version in ("v1", "preview") else None
    return with_query(f"{base}/v1/audio/transcriptions", ("api-version", version))


def realtime_url(target: Target) -> str:
    """The address of a session: GA names a model or nothing, the preview a deployment and a version."""
    endpoint = target.endpoint
    base = f"{as_websocket(endpoint.url.rstrip('/'))}/openai"
    intent = "transcription" if target.ways.only_transcribes else None
    if endpoint.dialect != "preview":
        host = None if intent else host_name(target)
        return with_query(f"{base}/v1/realtime", ("intent", intent), ("model", host))
    return with_query(
        f"{base}/realtime",
        ("api-version", _preview_version(endpoint)),
        ("deployment", host_name(target)),
        ("intent", intent),
    )


def _preview_version(endpoint: Endpoint) -> str:
    version = endpoint.api_version or ""
    return version if _DATED.fullmatch(version) else REALTIME_VERSION


def secrets_url(target: Target) -> str:
    """Where client secrets are minted; the v1 route alone does."""
    return f"{target.endpoint.url.rstrip('/')}/openai/v1/realtime/client_secrets"


def form_fields(target: Target) -> Fields:
    """The form; `model` is left out on the dated route where the endpoint says so.

    In June 2025 Azure answered 500 to a form that held it, because the path names the deployment.
    """
    return form(target, send_model=target.endpoint.api != "dated" or target.endpoint.send_model)


def credential(endpoint: Endpoint) -> Credential | None:
    """The resource key, or a token of Entra ID; never both."""
    if endpoint.auth == "entra":
        reference = f"entra:{endpoint.scope or default_scope(endpoint)}"
        return Credential(header="Authorization", prefix="Bearer ", reference=reference)
    if endpoint.auth == "none" or endpoint.key is None:
        return None
    return Credential(header="api-key", reference=endpoint.key)


def default_scope(endpoint: Endpoint) -> str:
    """What a token is asked for: the v1 path's pages name another audience than those of the dated ones."""
    dated = endpoint.api == "dated" or endpoint.dialect == "preview"
    return "https://cognitiveservices.azure.com/.default" if dated else "https://ai.azure.com/.default"


def hosts_transcription(endpoint: Endpoint) -> bool:
    """Whether a deployment hosts a session that only transcribes: on the preview's route one does."""
    return endpoint.dialect == "preview"


def refuse(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    """What contradicts itself: versions and routes that do not belong together, an id that is none."""
    version = endpoint.api_version
    is_named = version in {"v1", "preview"}
    is_dated = endpoint.api == "dated" or endpoint.dialect == "preview"
    if is_dated and (version is None or is_named):
        reason = 'api = "dated"' if endpoint.api == "dated" else 'dialect = "preview"'
        yield "api_version", f'{reason} needs a date, write such as api_version = "2025-03-01-preview"'
    if not is_dated and version and not is_named:
        yield "api_version", _MEANS_DATED
    if endpoint.resource_id and not endpoint.resource_id.lower().startswith("/subscriptions/"):
        yield "resource_id", 'must begin with "/subscriptions/": copy it from the portal'


def _no_headers(_endpoint: Endpoint) -> Headers:
    return ()


AZURE_OPENAI = Provider(
    name="azure_openai",
    label="Azure OpenAI",
    aliases=("azure",),
    example_url="https://contoso.openai.azure.com",
    example_key="AZURE_OPENAI_KEY",
    understand_url=understand_url,
    rest_url=rest_url,
    realtime_url=realtime_url,
    headers=_no_headers,
    realtime_headers=_no_headers,  # the preview is told by its path; the SDK's beta header is not needed
    credential=credential,
    form_fields=form_fields,
    secrets_url=secrets_url,
    apis=("v1", "dated"),
    auths=("key", "entra"),
    has_versions=True,
    has_deployments=True,
    dialects=("ga", "preview"),
    sample_rate=24_000,
    must_name_host=True,
    hosts_transcription=hosts_transcription,
    correlation_header="x-ms-client-request-id",
    support_ids={
        "apim_request_id": "apim-request-id",
        "request_id": "x-request-id",
    },
    support_asks={
        "resource_id": "Which resource? Support asks first",
        "region": "Which region? Support asks for it",
    },
    # Microsoft Learn, "Role-based access control for Azure OpenAI": the least role that may infer.
    role="Cognitive Services OpenAI User",
    usual_quota=3,
    has_list_prices=True,
    days_elsewhere="Azure has its own dates",
    refuse=refuse,
)
