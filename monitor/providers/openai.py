"""OpenAI's ways: one base ending in /v1, a bearer key, models by their own names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.core.conversation import Headers
from monitor.core.model import Endpoint, Target
from monitor.providers.addresses import as_websocket, cut_at, read_address, with_query
from monitor.providers.provider import (
    Provider,
    beta_header,
    form,
    host_name,
    key_as_bearer,
)

QUERY = ("model", "intent", "call_id")
OPERATIONS = (
    "/audio/transcriptions",
    "/audio/translations",
    "/realtime/transcription_sessions",
    "/realtime/client_secrets",
    "/realtime/sessions",
    "/realtime",
    "/chat/completions",
    "/responses",
    "/models",
)
SUPPORT_IDS = {"request_id": "x-request-id"}
_VERSION = re.compile(r"/v[0-9]+[a-z0-9]*$")


def api_base(url: str) -> str:
    """The base that ends in its version; ``/v1`` is added where none stands."""
    base = url.rstrip("/")
    return base if _VERSION.search(base) else f"{base}/v1"


def base_of(text: str) -> str:
    """The base of a pasted address: operation and query are cut off, the version is made sure of."""
    address = read_address(text, known=QUERY)
    return api_base(address.origin + cut_at(address.path, OPERATIONS))


def understand_url(text: str) -> str:
    """The normalised base of an OpenAI address; raises ValueError saying what to use instead."""
    base = base_of(text)
    host = read_address(text, known=QUERY).host
    if host.endswith((".azure.com", ".azure.us", ".azure.cn")):
        raise ValueError(f'{host} belongs to Azure: write provider = "azure_openai"')
    if host in ("platform.openai.com", "chat.openai.com", "chatgpt.com", "openai.com", "www.openai.com"):
        raise ValueError(f"{host} is a page for people: use https://api.openai.com/v1")
    return base


def rest_url(target: Target) -> str:
    """Where audio is posted."""
    return f"{api_base(target.endpoint.url)}/audio/transcriptions"


def realtime_url(target: Target) -> str:
    """The address of a session: a conversation names its host model, a transcription no model at all."""
    base = f"{as_websocket(api_base(target.endpoint.url))}/realtime"
    if target.ways.only_transcribes:
        return with_query(base, ("intent", "transcription"))
    return with_query(base, ("model", host_name(target)))


def secrets_url(target: Target) -> str:
    """Where client secrets are minted."""
    return f"{api_base(target.endpoint.url)}/realtime/client_secrets"


def models_url(endpoint: Endpoint) -> str:
    """Where the models are listed."""
    return f"{api_base(endpoint.url)}/models"


def account_headers(endpoint: Endpoint) -> Headers:
    """Organisation and project, where they are configured."""
    named = (("OpenAI-Organization", endpoint.organization), ("OpenAI-Project", endpoint.project))
    return tuple((name, value) for name, value in named if value)


# Keys of the endpoint, or its dialect, set these.
OWN_HEADERS = {
    "openai-organization": "has a key of its own: write organization",
    "openai-project": "has a key of its own: write project",
    "openai-beta": 'follows the dialect: write dialect = "preview"',
}


def refuse(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    """What contradicts itself: the dialect that was switched off."""
    if endpoint.dialect == "preview":
        # https://platform.openai.com/docs/deprecations: the beta shapes ended in May 2026.
        yield "dialect", "OpenAI switched the preview dialect off in May 2026; remove it"


OPENAI = Provider(
    name="openai",
    label="OpenAI",
    default_url="https://api.openai.com/v1",
    example_url="https://api.openai.com/v1",
    example_key="OPENAI_API_KEY",
    understand_url=understand_url,
    rest_url=rest_url,
    realtime_url=realtime_url,
    headers=account_headers,
    realtime_headers=beta_header,
    credential=key_as_bearer,
    form_fields=form,
    secrets_url=secrets_url,
    models_url=models_url,
    own_headers=OWN_HEADERS,
    support_ids=SUPPORT_IDS,
    may_rename_models=False,
    sample_rate=24_000,
    has_list_prices=True,
    has_own_days=True,
    refuse=refuse,
)
