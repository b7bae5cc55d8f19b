"""What a provider is: how one vendor spells addresses, headers, forms and codes; no I/O, no sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.core.classification.failure_rules import FailureClass
from monitor.core.conversation import Credential, Headers
from monitor.core.model import Endpoint, Target

DEFAULT_HOST_MODEL = "gpt-realtime"
_BETA_DIALECTS = ("preview", "together")
# Models that take `languages` (a list) beside or instead of `language` (SDK: audio_transcription.py).
MODELS_OF_MANY_LANGUAGES = frozenset({"gpt-transcribe", "gpt-live-transcribe"})

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One vendor's ways, as pure functions and data.

    `understand_url` turns what people paste into the base that `Endpoint.url` holds, or raises
    ValueError with a sentence that says what to use. `codes` are the vendor's own error codes and types
    in lower case, beyond the common table. `support_ids` maps the keys of an outcome's ids to the
    response headers that carry them. `pathways` are those that the vendor offers, `apis` the routes of
    REST requests, the usual one first; `has_versions` says that requests may name an API version;
    `has_deployments` that a model goes by a name of the operator's; `dialects` are those of realtime
    sessions, `has_session_query` says that it can be set what their addresses name, and `has_path` that
    uploads may go to another path. `secrets_url` is where client secrets are minted, empty where none are.
    `models_url` is where an endpoint lists its models, with last days perhaps, None where the vendor offers
    no such list. `refuse` gives what
    contradicts itself in an endpoint: the key of the configuration, and a sentence.
    """

    name: str
    understand_url: Callable[[str], str]
    rest_url: Callable[[Target], str]
    realtime_url: Callable[[Target], str]
    headers: Callable[[Endpoint], Headers]
    realtime_headers: Callable[[Endpoint], Headers]
    credential: Callable[[Endpoint], Credential | None]
    form_fields: Callable[[Target], Fields]
    correlation_header: str = "X-Client-Request-Id"
    codes: Mapping[str, FailureClass] = field(default_factory=dict)
    support_ids: Mapping[str, str] = field(default_factory=dict)
    pathways: Sequence[str] = ("rest", "rest_stream", "realtime", "realtime_transcription", "dual")
    apis: Sequence[str] = ("v1",)
    has_versions: bool = False
    dialects: Sequence[str] = ("ga",)
    has_session_query: bool = False
    has_path: bool = False
    needs_key: bool = True
    has_deployments: bool = False
    secrets_url: Callable[[Target], str] = lambda _target: ""
    models_url: Callable[[Endpoint], str | None] = lambda _endpoint: None
    refuse: Callable[[Endpoint], Iterable[tuple[str, str]]] = lambda _endpoint: ()

    def rest_headers(self, target: Target, correlation: str) -> Headers:
        """The headers of one REST request, without the credential and the content type.

        A value may be a reference: it becomes the secret where it is sent.
        """
        return self.request_headers(target.endpoint, correlation)

    def request_headers(self, endpoint: Endpoint, correlation: str) -> Headers:
        """The same for a request that is about no target."""
        common = [("Accept", "application/json"), *self.headers(endpoint), *endpoint.headers.items()]
        return (*common, (self.correlation_header, correlation))

    def upgrade_headers(self, target: Target, correlation: str) -> Headers:
        """The headers of one WebSocket handshake, without the credential."""
        endpoint = target.endpoint
        own = (*self.headers(endpoint), *self.realtime_headers(endpoint), *endpoint.headers.items())
        return (*own, (self.correlation_header, correlation))

    def ids_in(self, headers: Headers) -> dict[str, str | None]:
        """The ids that this vendor's support asks for, as found in response headers."""
        seen = {name.lower(): value for name, value in reversed(headers)}
        return {key: seen[header] for key, header in self.support_ids.items() if header in seen}


def deployment_name(target: Target) -> str:
    """The name under which the model under test is asked for."""
    return target.endpoint.deployment(target.model, target.pathway) or target.model


def host_name(target: Target) -> str:
    """The name under which the host model of a realtime conversation is asked for."""
    host = target.session_model or DEFAULT_HOST_MODEL
    pathway = "realtime" if target.pathway == "dual" else target.pathway
    return target.endpoint.deployment(host, pathway) or host


def names_asked(target: Target) -> tuple[str, ...]:
    """The names under which a target asks for models: its own, and that of a host that was configured."""
    host = (host_name(target),) if target.session_model else ()
    return (deployment_name(target), *host)


def is_transcription_session(target: Target) -> bool:
    """Whether the session only transcribes, as against a conversation with a speech model."""
    return target.pathway == "realtime_transcription"


def form(target: Target, *, send_model: bool = True) -> Fields:
    """The form fields of a transcription request, without the file."""
    fields: Sequence[tuple[str, str]] = [("model", deployment_name(target))] if send_model else []
    key = "languages[]" if target.model in MODELS_OF_MANY_LANGUAGES else "language"
    language = [(key, target.language)] if target.language else []
    return (*fields, *language, ("response_format", "json"))


def beta_header(endpoint: Endpoint) -> Headers:
    """The header of the old dialect, sent only where the endpoint is configured for it."""
    return (("OpenAI-Beta", "realtime=v1"),) if endpoint.dialect in _BETA_DIALECTS else ()


def key_as_bearer(endpoint: Endpoint) -> Credential | None:
    """The key as a bearer token; None where the endpoint needs none."""
    if endpoint.auth == "none" or endpoint.key is None:
        return None
    return Credential(header="Authorization", prefix="Bearer ", reference=endpoint.key)
