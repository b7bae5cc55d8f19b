"""The tables of the configuration file, as pydantic checks each of them and the JSON Schema shows them.

Only the form of single values is decided here; what several keys mean together is decided where
the tables are expanded. A key that is absent keeps the default of the value it is expanded into.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema, create_model

from monitor.catalogue.sample_names import (
    SAMPLE_ENDPOINT,
    SAMPLE_FAILURE,
    SAMPLE_HEADERS,
    SAMPLE_PATHWAYS,
    SAMPLE_PROVIDER,
    SAMPLE_SCOPE,
)
from monitor.checks import CHECKS
from monitor.checks.realtime_session.dialects import DIALECTS
from monitor.config import field_types
from monitor.config.field_types import FieldType, choice
from monitor.config.secrets import check_reference
from monitor.core.outages.maintenance import WEEKDAYS, Recurrence
from monitor.core.pathways import PATHWAYS, Pathway
from monitor.notifiers import CHANNELS
from monitor.providers import PROVIDERS
from monitor.providers.provider import DEFAULT_HOST_MODEL

APIS = tuple(dict.fromkeys(api for provider in PROVIDERS.values() for api in provider.apis))
SESSION_QUERIES = ("auto", "both", "model", "intent", "none")
RECEIVER_PATTERN = r"^(env:.|file:/.|https?://(localhost|127\.|\[::1\]|[A-Za-z0-9-]+\.localhost))"
TELLS = ("down", "degraded", "account", "monitor")

_DURATION = {"type": "string", "pattern": field_types.DURATION_PATTERN, "examples": ["30s"]}
_POSITIVE = {**_DURATION, "allOf": [{"pattern": "[1-9]"}]}
Duration = Annotated[timedelta, BeforeValidator(field_types.duration), WithJsonSchema(_POSITIVE)]
DurationOrZero = Annotated[
    timedelta, BeforeValidator(field_types.duration_or_zero), WithJsonSchema(_DURATION)
]
Moment = Annotated[
    datetime, BeforeValidator(field_types.moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
Reference = Annotated[str, FieldType(check_reference, {"pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+)$"})]
_LINE = {"minLength": 1, "maxLength": 200}
Words = Annotated[str, FieldType(field_types.words, {**_LINE, "pattern": r"^\S([^\n\r\t]*\S)?$"})]
ModelName = Annotated[
    str, FieldType(field_types.model_name, {**_LINE, "pattern": r"^/*[^\s/]+(/+[^\s/]+)*$"})
]
HostPort = Annotated[str, FieldType(field_types.host_port, {"pattern": r"^[^\s/]+:[0-9]{1,5}$"})]
_once = {"uniqueItems": True}
_NAMED: dict[str, JsonValue] = {"propertyNames": {"pattern": field_types.NAME_PATTERN}}


class Table(BaseModel):
    """A table that refuses unknown keys and never turns one kind of value into another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class MonitorTable(Table):
    """Where checks run from."""

    location: (
        Annotated[str, FieldType(field_types.location, {"pattern": field_types.LOCATION_PATTERN})] | None
    ) = Field(None, description="The name of the place where checks run.", examples=["berlin"])
    timezone: Annotated[str, FieldType(field_types.timezone)] | None = Field(
        None, description="The IANA zone shown beside UTC; times are kept in UTC.", examples=["Europe/Berlin"]
    )
    egress: Words | None = Field(
        None,
        description="The address that providers see runs come from: quoted in tickets.",
        examples=["203.0.113.7"],
    )
    control_hosts: list[HostPort] | None = Field(
        None,
        description="Hosts reached only to tell a fault of our own network from one of a provider.",
        examples=[["example.com:443"]],
    )


class WebTable(Table):
    """The page."""

    listen: HostPort | None = Field(
        None, description="Where the page is served; loopback only.", examples=["127.0.0.1:8080"]
    )
    ops_listen: HostPort | None = Field(
        None,
        description="Where /healthz, /readyz and /metrics are served, apart from the page.",
        examples=["127.0.0.1:9090"],
    )
    public_url: str | None = Field(
        None,
        description="The page's address in alerts.",
        examples=["https://earwitness.example"],
        json_schema_extra={"pattern": "^https?://[^?#@ ]+$"},
    )
    behind_proxy: bool | None = Field(
        None, description="A reverse proxy in front asks for a password, so that `listen` may be any address."
    )


class NetworkTable(Table):
    """The way out; REST and WebSocket take the same."""

    proxy: str | None = Field(
        None,
        description="A reference to the proxy's URL, or the URL itself.",
        examples=["env:HTTPS_PROXY"],
        json_schema_extra={"pattern": "^(http://[^@ ]+|env:.+|file:/.+)$"},
    )
    ca_file: Words | None = Field(
        None,
        description="A PEM file of certificates to trust besides the usual ones, counted from this file.",
        examples=["/etc/ssl/company.pem"],
    )


class DatabaseTable(Table):
    """The store."""

    url: str = Field(
        description="sqlite:///… or postgresql+psycopg://…, or a reference to it.",
        examples=["sqlite:///data/earwitness.db"],
        json_schema_extra={"pattern": r"^(sqlite:///[^:?]|postgresql(\+psycopg)?://|env:.|file:/.)"},
    )


class DeploymentFacts(Table):
    """What an endpoint calls one model; a pathway may need another name, "-" is not deployed there."""

    name: ModelName | None = Field(None, description="The name of the deployment.", examples=["stt-prod"])
    type: Words | None = Field(None, description="What support asks for.", examples=["Standard"])
    version: Words | None = Field(None, description="What support asks for.", examples=["2025-03-20"])
    tokens_per_minute: Annotated[int, Field(ge=1, le=10**9)] | None = Field(
        None, description="Its quota: a lower one in a 429 is the provider's doing.", examples=[150_000]
    )


def _name_on(ways: Pathway) -> Any:
    same = ways.deployed_as
    return Field(None, description=f"Where it differs from `{same}`." if same else None)


# A key for each pathway that there is.
_NAMES: dict[str, Any] = {name: (ModelName | None, _name_on(ways)) for name, ways in PATHWAYS.items()}
DeploymentTable = create_model(
    "DeploymentTable", __base__=DeploymentFacts, __doc__=DeploymentFacts.__doc__, **_NAMES
)


class EndpointTable(Table):
    """One resource of a provider."""

    provider: Annotated[str, choice("provider", tuple(PROVIDERS))] = Field(examples=[SAMPLE_PROVIDER.name])
    url: str | None = Field(
        None,
        description="The resource's address.",
        examples=[SAMPLE_PROVIDER.example_url],
        json_schema_extra={"pattern": "^((https?|wss?)://)?[^@ :/]+(:[0-9]{1,5})?([/?][^@ ]*)?$"},
    )
    region: Words | None = Field(None, examples=["swedencentral"])
    auth: Annotated[str, FieldType(field_types.auth, {"enum": ["key", "none", "entra"]})] | None = None
    key: Reference | None = Field(
        None, description="A reference.", examples=[f"env:{SAMPLE_PROVIDER.example_key}"]
    )
    scope: Words | None = Field(
        None,
        description="What an Entra ID token is asked for, where the usual one is refused.",
        examples=[SAMPLE_SCOPE],
    )
    resource_id: Words | None = Field(
        None, description="What support asks for first.", examples=["/subscriptions/…"]
    )
    api: Annotated[str, choice("api", APIS)] | None = Field(
        None, description="The route or the kind of REST requests, where the provider has several."
    )
    api_version: (
        Annotated[str, FieldType(field_types.api_version, {"pattern": field_types.VERSION_PATTERN})] | None
    ) = Field(None, examples=["2025-03-01-preview"])
    dialect: Annotated[str, choice("dialect", tuple(DIALECTS))] | None = Field(
        None, description="The events of realtime sessions."
    )
    session_query: Annotated[str, choice("session_query", SESSION_QUERIES)] | None = Field(
        None, description="What the address of a transcription session names; auto: by the dialect."
    )
    send_model: bool | None = Field(None, description="Send the field `model` on the dated route as well.")
    sample_rate: Annotated[int, Field(ge=8000, le=48000)] | None = Field(None, examples=[24000])
    path: Annotated[str, FieldType(field_types.upload_path, {"pattern": "^/[^?# ]*$"})] | None = Field(
        None,
        description="Where audio is posted, counted from the host, on a server with a route of its own.",
        examples=["/inference"],
    )
    headers: (
        Annotated[
            dict[
                str, Annotated[str, FieldType(field_types.header_value, {"minLength": 1, "maxLength": 1000})]
            ],
            Field(json_schema_extra={"propertyNames": {"pattern": field_types.HEADER_PATTERN}}),
        ]
        | None
    ) = Field(
        None,
        description="Sent with every request besides; a secret among them is a reference.",
        examples=[SAMPLE_HEADERS],
    )
    proxy: str | None = Field(
        None,
        description='A route of its own: as in [network], or "none" for no proxy.',
        examples=["none"],
        json_schema_extra={"pattern": "^(none|http://[^@ ]+|env:.+|file:/.+)$"},
    )
    organization: Words | None = None
    project: Words | None = None
    subscription: Words | None = Field(None, description="What support asks for.")
    tier: Words | None = Field(None, description="What support asks for.")
    daily_budget: Annotated[float, Field(ge=0, le=1_000_000)] | None = Field(
        None,
        description="US dollars that runs may cost in a UTC day; beyond it slots are skipped.",
        examples=[1.5],
    )
    reserve: Annotated[float, Field(ge=0, le=0.9)] | None = Field(
        None,
        description="The share of the budget kept for the time in which an incident is open.",
        examples=[0.3],
    )
    deployment: dict[str, DeploymentTable] | None = None


class WatchTable(Table):
    """Models × pathways of one endpoint, and how they are watched."""

    endpoint: str = Field(examples=[SAMPLE_ENDPOINT])
    models: Annotated[list[ModelName], Field(min_length=1, json_schema_extra=_once)] = Field(
        examples=[[SAMPLE_FAILURE[0]]]
    )
    pathways: Annotated[
        list[Annotated[str, choice("pathway", tuple(CHECKS))]],
        Field(min_length=1, json_schema_extra=_once),
    ] = Field(examples=[list(SAMPLE_PATHWAYS)])
    session_model: ModelName | None = Field(
        None,
        description="The model or deployment that hosts realtime sessions.",
        examples=[DEFAULT_HOST_MODEL],
    )
    every: Duration | None = Field(None, description="How far apart runs are; at least 1s.")
    timeout: Duration | None = Field(None, description="When a run ends at the latest; below `every`.")
    limit: Duration | None = Field(None, description="A run slower than this is degraded.")
    max_per_minute: Annotated[int, Field(ge=1, le=6000)] | None = Field(
        None, description="The most runs a minute of one deployment, over all pathways."
    )
    clip: Words | None = Field(
        None, description="A shipped recording, silence, or a WAV file.", examples=["amiable"]
    )
    clips: Annotated[list[Words], Field(min_length=1, json_schema_extra=_once)] | None = Field(
        None,
        description="Recordings that take turns, so that an answer out of a cache is caught.",
        examples=[["amiable", "respectable"]],
    )
    language: Annotated[str, FieldType(field_types.language, {"pattern": "^([a-z]{2,3}|auto)$"})] | None = (
        Field(None, examples=["en"])
    )
    pace: Annotated[str, choice("pace", ("realtime", "burst"))] | None = None
    turn: Annotated[str, choice("turn", ("manual", "server_vad"))] | None = None
    client_secret: bool | None = Field(
        None, description="Open transcription sessions with a client secret minted for each run."
    )


class ThresholdTable(Table):
    """When a window opens and closes; an absent key keeps the default rule's."""

    bad: Annotated[int, Field(ge=1, le=1000)] | None = None
    of: Annotated[int, Field(ge=1, le=1000)] | None = None
    span: DurationOrZero | None = None
    good: Annotated[int, Field(ge=1, le=1000)] | None = None
    merge: DurationOrZero | None = None
    merge_intervals: Annotated[int, Field(ge=0, le=1000)] | None = None


class RuleTable(Table):
    """The rule in force."""

    down: ThresholdTable | None = None
    degraded: ThresholdTable | None = None


class ChannelTable(Table):
    """One receiver of notices."""

    kind: Annotated[str, choice("kind", tuple(CHANNELS))] = Field(examples=["webhook"])
    url: str | None = Field(
        None,
        description="A reference to the receiver's URL; pagerduty has one of its own.",
        examples=["env:ONCALL_URL"],
        json_schema_extra={"pattern": RECEIVER_PATTERN},
    )
    secret: Reference | None = Field(
        None,
        description="A reference to the signing secret (webhook), routing key (pagerduty) or token (ntfy).",
        examples=["env:ONCALL_SECRET"],
    )
    when: list[Annotated[str, choice("occasion", TELLS)]] | None = Field(
        None, examples=[["down"]], json_schema_extra={"minItems": 1}
    )


class HeartbeatTable(Table):
    """Somebody outside who notices when the monitor does not measure any more."""

    url: str = Field(
        description="A reference to the URL that is called each minute, as Healthchecks takes it.",
        examples=["env:HEARTBEAT_URL"],
        json_schema_extra={"pattern": RECEIVER_PATTERN},
    )


Price = Annotated[float, Field(ge=0, le=1000)]


class MaintenanceTable(Table):
    """Planned maintenance: once, from … until …; or every day or week, at a local time."""

    name: Words = Field(examples=["weekly patches"])
    targets: Annotated[list[Words], Field(min_length=1)] | None = Field(
        None, description="Patterns of target keys; all where absent.", examples=[[f"{SAMPLE_ENDPOINT}/*"]]
    )
    since: Moment | None = Field(None, alias="from", description="When it begins, with an offset.")
    until: Moment | None = Field(None, description="When it ends, with an offset.")
    every: Annotated[str, choice("recurrence", tuple(Recurrence))] | None = Field(
        None, description="How often it comes back."
    )
    weekday: Annotated[str, choice("weekday", WEEKDAYS)] | None = None
    at: (
        Annotated[str, FieldType(field_types.time_of_day, {"pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})]
        | None
    ) = Field(None, description="The local time at which it begins.", examples=["02:00"])
    duration: Duration | None = None
    zone: Annotated[str, FieldType(field_types.timezone)] | None = Field(
        None, description="The IANA zone of `at`; the monitor's `timezone` where absent."
    )
    retroactive: bool | None = Field(
        None, description="Count also what lies before it was entered; else it counts from then on."
    )


class ConfigurationFile(Table):
    """The configuration of Earwitness."""

    monitor: MonitorTable | None = None
    web: WebTable | None = None
    network: NetworkTable | None = None
    database: DatabaseTable | None = None
    endpoint: dict[str, EndpointTable] | None = Field(None, json_schema_extra=_NAMED)
    watch: list[WatchTable] | None = None
    rule: RuleTable | None = None
    channel: dict[str, ChannelTable] | None = Field(None, json_schema_extra=_NAMED)
    heartbeat: HeartbeatTable | None = None
    maintenance: list[MaintenanceTable] | None = None
    price: dict[str, Price] | None = Field(
        None,
        description="US dollars for a minute of audio, by model or endpoint/model; else the shipped list.",
    )
