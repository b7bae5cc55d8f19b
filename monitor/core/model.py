"""The nouns: frozen values and closed enums; what an enum says is what is stored and exported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from monitor.core.pathways import Pathway, pathway_named


class Verdict(StrEnum):
    """The judgement of one run."""

    PASSED = "passed"
    DEGRADED = "degraded"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"  # we could not measure; counts for neither side


class Failure(StrEnum):
    """Why a run failed: a closed list."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    HANDSHAKE = "handshake"
    AUTH = "auth"
    CONFIG = "config"
    QUOTA = "quota"
    CAPACITY = "capacity"
    SERVER = "server"
    SILENT = "silent"
    PROTOCOL = "protocol"
    CONTENT = "content"
    AUDIO = "audio"
    QUALITY = "quality"
    LIFECYCLE = "lifecycle"
    MONITOR = "monitor"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """The step of a run, in the order in which a run passes through them."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    HANDSHAKE = "handshake"
    SESSION = "session"
    CONFIGURE = "configure"
    SEND = "send"
    COMMIT = "commit"
    TRANSCRIBE = "transcribe"
    RESPOND = "respond"
    VERIFY = "verify"


class Blame(StrEnum):
    """Whose fault; the order is the one in which ties are broken."""

    ACCOUNT = "account"
    PROVIDER = "provider"
    NETWORK = "network"
    MONITOR = "monitor"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """Why a run was made."""

    SCHEDULED = "scheduled"
    NEIGHBOUR = "neighbour"
    CONFIRMING = "confirming"
    MANUAL = "manual"


class State(StrEnum):
    """The state of a target now; windows are `down` or `degraded`."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"


class Cell(NamedTuple):
    """One target seen from one location: what windows are derived for."""

    endpoint: str
    model: str
    pathway: str
    location: str

    @property
    def target(self) -> str:
        """The target's key, ``endpoint/model/pathway``."""
        return f"{self.endpoint}/{self.model}/{self.pathway}"


def split_target(key: str) -> tuple[str, str, str]:
    """Endpoint, model and pathway of a target key; the model may itself contain slashes.

    Raises ValueError where the key has fewer than three parts.
    """
    endpoint, _, rest = key.partition("/")
    model, _, pathway = rest.rpartition("/")
    if not (endpoint and model and pathway):
        raise ValueError(f"'{key}' is no target key: endpoint/model/pathway is expected")
    return endpoint, model, pathway


def target_path(key: str) -> str:
    """The path of a target's page: slashes stay, but of several in a row only the first.

    The name of a model may begin with one, and proxies make one slash of two.
    """
    return "/targets/" + quote(key, safe="/").replace("//", "/%2F")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What one endpoint calls one model; `names` holds the pathways that need another name.

    `tokens_per_minute` is the quota that it was given: a provider may lower it for a while. A name of
    ``"-"`` means that the model is not deployed for that pathway.
    """

    model: str
    name: str
    type: str | None = None
    version: str | None = None
    tokens_per_minute: int | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def name_for(self, pathway: str) -> str | None:
        """The deployment's name on *pathway*, or None where it is not deployed there."""
        name = self.names.get(pathway, self.name)
        return None if name == "-" else name


_PORTS = {"http": 80, "ws": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One configured resource of a provider; `key` is a reference (``env:NAME``), never a secret."""

    name: str
    provider: str
    url: str
    region: str | None = None
    resource_id: str | None = None
    auth: str = "key"  # key | none | entra
    scope: str | None = None  # of the token, where it is not the provider's usual one
    key: str | None = None
    api: str = "v1"  # v1 | dated
    api_version: str | None = None
    dialect: str = "ga"  # ga | preview | vllm | qwen | together | speaches
    session_query: str = "auto"  # auto | both | model | intent | none: what a session's address names
    send_model: bool = True  # the form field `model` on Azure's dated route
    sample_rate: int = 24_000
    organization: str | None = None
    project: str | None = None
    path: str | None = None  # of REST uploads, counted from the host, where it is not the provider's
    proxy: str | None = None  # "none", a reference or a URL; absent: the network's
    headers: Mapping[str, str] = field(default_factory=dict)  # sent besides; a value may be a reference
    daily_budget: float | None = None  # US dollars
    reserve: float = 0.3  # the share of it kept for the time in which an incident is open
    details: Mapping[str, str] = field(default_factory=dict)
    deployments: Mapping[str, Deployment] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """A short hash of the address and port that are asked: endpoints with the same one share a host."""
        parts = urlsplit(self.url)
        port = parts.port or _PORTS.get(parts.scheme.lower(), 443)
        address = f"{(parts.hostname or self.url).rstrip('.')}:{port}"
        return f"h:{hashlib.sha256(address.encode()).hexdigest()[:12]}"

    def deployment(self, model: str, pathway: str) -> str | None:
        """The name under which *model* is asked for on *pathway*; None where it is not deployed."""
        known = self.deployments.get(model)
        return known.name_for(pathway) if known else model


@dataclass(frozen=True, kw_only=True)
class Target:
    """Endpoint × model × pathway with everything a check needs; durations are timedeltas."""

    endpoint: Endpoint
    model: str
    pathway: str
    session_model: str | None = None
    every: timedelta = timedelta(minutes=5)
    timeout: timedelta = timedelta(seconds=30)
    limit: timedelta | None = None
    max_per_minute: int = 3
    clip: str = "amiable"
    clips: tuple[str, ...] = ()  # where several take turns; `clip` is then the first
    language: str | None = "en"
    pace: str = "realtime"  # realtime | burst
    turn: str = "manual"  # manual | server_vad
    client_secret: bool = False  # the session is opened with a secret minted for it

    @cached_property
    def key(self) -> str:
        """``endpoint/model/pathway``."""
        return f"{self.endpoint.name}/{self.model}/{self.pathway}"

    @property
    def ways(self) -> Pathway:
        """What is true of the target's pathway."""
        return pathway_named(self.pathway)

    @property
    def rotation(self) -> tuple[str, ...]:
        """The clips that take turns, one at least."""
        return self.clips or (self.clip,)

    @cached_property
    def configuration(self) -> str:
        """A hash of what reaches the wire, and of nothing else (16 hex digits)."""
        session = self.session_model
        wire = {
            "provider": self.endpoint.provider,
            "url": self.endpoint.url,
            "auth": self.endpoint.auth,
            "api": [self.endpoint.api, self.endpoint.api_version, self.endpoint.dialect],
            "send_model": self.endpoint.send_model,
            "rate": self.endpoint.sample_rate,
            "model": self.endpoint.deployment(self.model, self.pathway),
            "session_model": session and self.endpoint.deployment(session, self.pathway),
            "pathway": self.pathway,
            "session": [self.language, self.pace, self.turn],
        }
        # What was added later is left out where it changes nothing, so that no hash of before changes.
        if self.endpoint.session_query != "auto":
            wire["session_query"] = self.endpoint.session_query
        if self.client_secret:
            wire["client_secret"] = True
        if self.endpoint.path is not None:
            wire["path"] = self.endpoint.path
        if self.endpoint.headers:
            told = {name.lower(): _public(value) for name, value in self.endpoint.headers.items()}
            wire["headers"] = sorted(told.items())
        canonical = json.dumps(wire, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def is_reference(text: str) -> bool:
    """Whether the text claims to name a secret instead of being one."""
    return text.startswith(("env:", "file:"))


def _public(value: str) -> str:
    """What a hash may know of a header's value: of a secret only that it is one."""
    return "[secret]" if is_reference(value) else value


TIMINGS = ("connect", "ready", "first_text", "final")
IDS = ("request_id", "apim_request_id", "session_id", "item_id", "event_id", "client_request_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The judgement of one run; every instant is an aware datetime in UTC.

    `timings_ms`: `connect` and `ready` count from the start of the run, `first_text` and `final`
    from the commit (realtime) or from the start of the upload (REST). `extra` holds keys of an
    imported line that this program does not know; they are exported again.
    """

    id: str
    endpoint: str
    model: str
    pathway: str
    location: str = "default"
    kind: Kind = Kind.SCHEDULED
    provider: str | None = None
    region: str | None = None
    host: str | None = None  # a hash of the address and port that were asked
    every_s: float | None = None
    clip: str | None = None
    configuration: str | None = None
    slot: datetime
    started_at: datetime
    finished_at: datetime
    verdict: Verdict
    failure: Failure | None = None
    stage: Stage | None = None
    blame: Blame | None = None
    type: str | None = None
    code: str | None = None
    message: str | None = None
    http_status: int | None = None
    close_code: int | None = None
    timings_ms: Mapping[str, float | None] = field(default_factory=dict)
    wer: float | None = None
    completeness: float | None = None
    transcript: str | None = None
    ids: Mapping[str, str | None] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cell(self) -> Cell:
        """The cell this run belongs to."""
        return Cell(self.endpoint, self.model, self.pathway, self.location)

    @property
    def target(self) -> str:
        """The target's key."""
        return f"{self.endpoint}/{self.model}/{self.pathway}"
