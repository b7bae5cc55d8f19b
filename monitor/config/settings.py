"""The settings in force: frozen values, made from one file; secrets are references until they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from monitor.core.model import Endpoint, Target
from monitor.core.outages.maintenance import Maintenance
from monitor.core.outages.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorSettings:
    """Where checks run from; `timezone` is an IANA name, for display only, `egress` is for tickets only."""

    location: str = "default"
    timezone: str = "UTC"
    egress: str | None = None
    control_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """Where the page is served (`host:port`) and under which address people reach it."""

    listen: str = "127.0.0.1:8080"
    ops_listen: str | None = None  # health and metrics, where they have an address of their own
    public_url: str | None = None
    behind_proxy: bool = False

    @property
    def host(self) -> str:
        """The address to bind, without the brackets of IPv6."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to bind."""
        return int(self.listen.rpartition(":")[2])

    @property
    def ops_host(self) -> str:
        """The address to bind for health and metrics; empty where they have none of their own."""
        return (self.ops_listen or "").rpartition(":")[0].strip("[]")

    @property
    def base_url(self) -> str:
        """What links begin with, without a slash at the end: the public URL, else the page's own."""
        return self.public_url or f"http://{self.listen}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """The way out: `proxy` is a URL without a password or a reference; `ca_file` an absolute path."""

    proxy: str | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """The store's URL, or a reference to it."""

    url: str = "sqlite:///data/earwitness.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """One receiver of notices; `url` is a reference, or an address that is no secret.

    `secret` is a reference, empty where the kind has none.
    """

    name: str
    kind: str
    url: str
    secret: str = ""
    when: frozenset[str] = frozenset({"down", "degraded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatSettings:
    """Who is called each minute while the monitor measures; `url` is a reference, or a loopback address."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretUse:
    """One reference in the file: the key it stands at, as written, and its line."""

    key: str
    reference: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the file says, expanded; `targets` in the order of the file, each key once.

    `notes` holds sentences on what is allowed but probably not meant.
    """

    path: Path
    monitor: MonitorSettings = field(default_factory=MonitorSettings)
    web: PageSettings = field(default_factory=PageSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    rule: Rule = field(default_factory=Rule)
    channels: Mapping[str, ChannelSettings] = field(default_factory=dict)
    heartbeat: HeartbeatSettings | None = None
    maintenance: tuple[Maintenance, ...] = ()
    prices: Mapping[str, float] = field(default_factory=dict)
    secrets: tuple[SecretUse, ...] = ()
    notes: tuple[str, ...] = ()
