"""The ways of servers that speak OpenAI's protocol at any base, with or without a key."""

from __future__ import annotations

from monitor.core.classification.failure_rules import FailureClass
from monitor.core.model import Target
from monitor.providers.addresses import as_websocket, read_address, with_query
from monitor.providers.openai import (
    OWN_HEADERS,
    SUPPORT_IDS,
    account_headers,
    api_base,
    base_of,
    models_url,
    secrets_url,
)
from monitor.providers.openai import rest_url as usual_rest_url
from monitor.providers.provider import (
    Provider,
    beta_header,
    deployment_name,
    form,
    host_name,
    key_as_bearer,
)

CODES = {
    # LocalAI
    "model_load_error": FailureClass.PROVIDER,
    "session_update_error": FailureClass.CONFIG,
    "not_implemented": FailureClass.CONFIG,
    "buffer_size_exceeded": FailureClass.AUDIO,
    # Hugging Face speech-to-speech
    "session_limit_reached": FailureClass.CAPACITY,
    "unknown_or_invalid_event": FailureClass.CONFIG,
    "invalid_session_type": FailureClass.CONFIG,
    # vLLM
    "model_not_validated": FailureClass.CONFIG,
    "notfounderror": FailureClass.CONFIG,
    "processing_error": FailureClass.PROVIDER,  # whatever its engine raised in a session
    # LiteLLM: the ProxyErrorTypes of its proxy
    "auth_error": FailureClass.AUTH,
    "expired_key": FailureClass.AUTH,
    "token_not_found_in_db": FailureClass.AUTH,
    "budget_exceeded": FailureClass.QUOTA,
    "key_model_access_denied": FailureClass.CONFIG,
    "team_model_access_denied": FailureClass.CONFIG,
    "project_model_access_denied": FailureClass.CONFIG,
    "auth_provider_unavailable": FailureClass.PROVIDER,
}


# What the address of a session that transcribes names, unless the endpoint says otherwise: gateways such as
# LiteLLM and servers of the flat dialect find the model in it and refuse the upgrade without (403).
QUERIES = {
    "ga": "both",
    "preview": "both",
    "vllm": "none",
    "qwen": "model",
    "together": "model",
    "speaches": "both",
}


def rest_url(target: Target) -> str:
    """Where audio is posted; a server may have a path of its own, such as `/inference` of whisper.cpp."""
    endpoint = target.endpoint
    if endpoint.path is None:
        return usual_rest_url(target)
    return read_address(endpoint.url, known=()).origin + endpoint.path


def session_url(target: Target) -> str:
    """The address of a session; a conversation names its host model, if it names anything."""
    endpoint = target.endpoint
    base = f"{as_websocket(api_base(endpoint.url))}/realtime"
    named = endpoint.session_query
    if not target.ways.only_transcribes:
        return base if named in ("intent", "none") else with_query(base, ("model", host_name(target)))
    named = QUERIES[endpoint.dialect] if named == "auto" else named
    rate = f"pcm_s16le_{endpoint.sample_rate}" if endpoint.dialect == "together" else None
    return with_query(
        base,
        ("model", deployment_name(target) if named in ("both", "model") else None),
        ("intent", "transcription" if named in ("both", "intent") else None),
        ("input_audio_format", rate),
    )


OPENAI_COMPATIBLE = Provider(
    name="openai_compatible",
    label="A compatible server",
    aliases=("compatible",),
    example_url="http://whisper.example:8000/v1",
    example_key="NAME",
    understand_url=base_of,
    rest_url=rest_url,
    realtime_url=session_url,
    headers=account_headers,
    realtime_headers=beta_header,
    credential=key_as_bearer,
    form_fields=form,
    secrets_url=secrets_url,
    models_url=models_url,
    codes=CODES,
    own_headers=OWN_HEADERS,
    support_ids=SUPPORT_IDS,
    auths=("key", "none"),
    dialects=tuple(QUERIES),
    has_session_query=True,
    has_path=True,
)
