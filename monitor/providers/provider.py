"""What a provider is: how one vendor spells addresses, headers, forms and codes; no I/O, no sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.core.classification.failure_rules import FailureClass
from monitor.core.conversation import Credential, Headers
from monitor.core.model import Endpoint, Target
from monitor.core.pathways import pathway_named

DEFAULT_HOST_MODEL = "gpt-realtime"
_BETA_DIALECTS = ("preview", "together")
# Models that take `languages` (a list) beside or instead of `language` (SDK: audio_transcription.py).
MODELS_OF_MANY_LANGUAGES = frozenset({"gpt-transcribe", "gpt-live-transcribe"})

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One vendor's ways, as pure functions and data; what others need to know of a vendor stands here.

    Called: `label` is what sentences call the vendor, `aliases` are what people write for its name.

    Addresses: `understand_url` turns what people paste into the base that `Endpoint.url` holds, or raises
    ValueError with a sentence that says what to use; `default_url` is the base where none need be given;
    `example_url` and `example_key` stand in messages. `secrets_url` is where client secrets are minted, empty
    where none are. `models_url` is where an endpoint lists its models, with last days perhaps, None where the
    vendor offers no such list.

    Requests: `correlation_header` carries our id. `own_headers` are set by keys of the endpoint or by its
    dialect, each with the sentence that says so, and are shown in evidence. `codes` are the vendor's own
    error codes and types in lower case, beyond the common table. `support_ids` maps the keys of an outcome's
    ids to the response headers that carry them.

    Offered: `pathways`; `apis`, the routes of REST requests, the usual one first; `auths`, the kinds of
    authentication; `dialects` of realtime sessions. `has_versions`: requests may name an API version;
    `has_deployments`: a model goes by a name of the operator's; `may_rename_models`: an endpoint may be told
    such a name; `has_session_query`: it can be set what a session's address names; `has_path`: uploads may go
    to another path. `sample_rate` is the only rate that sessions take, None where they take others.
    `must_name_host`: a hosted session needs a `session_model`; `hosts_transcription`: sessions that only
    transcribe are hosted as well; `told_language` gives the pathways that must be told the language.

    For people: `support_asks` maps keys of an endpoint that support asks for first to their questions; `role`
    is the least role that a token's owner needs; `usual_quota` is how many requests a minute a deployment
    usually has. `has_list_prices`: the shipped prices hold. Of the shipped days on which models end,
    `has_own_days` says that they are this vendor's own; else `days_elsewhere` says where its own are found,
    and without either they mean nothing for it.

    `refuse` gives what contradicts itself in an endpoint: the key of the configuration, and a sentence.
    """

    name: str
    label: str
    understand_url: Callable[[str], str]
    rest_url: Callable[[Target], str]
    realtime_url: Callable[[Target], str]
    headers: Callable[[Endpoint], Headers]
    realtime_headers: Callable[[Endpoint], Headers]
    credential: Callable[[Endpoint], Credential | None]
    form_fields: Callable[[Target], Fields]
    aliases: Sequence[str] = ()
    default_url: str | None = None
    example_url: str = "https://stt.example.com"
    example_key: str = "NAME"
    secrets_url: Callable[[Target], str] = lambda _target: ""
    models_url: Callable[[Endpoint], str | None] = lambda _endpoint: None
    correlation_header: str = "X-Client-Request-Id"
    own_headers: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, FailureClass] = field(default_factory=dict)
    support_ids: Mapping[str, str] = field(default_factory=dict)
    pathways: Sequence[str] = ("rest", "rest_stream", "realtime", "realtime_transcription", "dual")
    apis: Sequence[str] = ("v1",)
    auths: Sequence[str] = ("key",)
    dialects: Sequence[str] = ("ga",)
    has_versions: bool = False
    has_deployments: bool = False
    may_rename_models: bool = True
    has_session_query: bool = False
    has_path: bool = False
    sample_rate: int | None = None
    must_name_host: bool = False
    hosts_transcription: Callable[[Endpoint], bool] = lambda _endpoint: False
    told_language: Callable[[Endpoint], Sequence[str]] = lambda _endpoint: ()
    support_asks: Mapping[str, str] = field(default_factory=dict)
    role: str | None = None
    usual_quota: int | None = None
    has_list_prices: bool = False
    has_own_days: bool = False
    days_elsewhere: str | None = None
    refuse: Callable[[Endpoint], Iterable[tuple[str, str]]] = lambda _endpoint: ()

    @property
    def needs_key(self) -> bool:
        """Whether nobody is answered without a key or a token."""
        return "none" not in self.auths

    def is_hosted(self, endpoint: Endpoint, pathway: str) -> bool:
        """Whether a session on the pathway names a host model."""
        ways = pathway_named(pathway)
        return ways.is_hosted or (ways.only_transcribes and self.hosts_transcription(endpoint))

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
    return target.endpoint.deployment(host, target.ways.host_deployed_as or target.pathway) or host


def names_asked(target: Target) -> tuple[str, ...]:
    """The names under which a target asks for models: its own, and that of a host that was configured."""
    host = (host_name(target),) if target.session_model else ()
    return (deployment_name(target), *host)


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
