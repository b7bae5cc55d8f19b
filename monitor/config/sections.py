"""The single tables and the channels as settings."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from monitor.config import field_types
from monitor.config.file_model import (
    ChannelTable,
    ConfigurationFile,
    DatabaseTable,
    HeartbeatTable,
    MonitorTable,
    NetworkTable,
    Table,
    WebTable,
)
from monitor.config.problems import KeyPath, Problems, kind_of
from monitor.config.secrets import POSTGRES_SCHEMES, check_reference
from monitor.config.settings import (
    ChannelSettings,
    DatabaseSettings,
    HeartbeatSettings,
    MonitorSettings,
    NetworkSettings,
    PageSettings,
)
from monitor.config.validate import Read, read_table
from monitor.core.model import is_reference
from monitor.notifiers import CHANNELS, Need

T = TypeVar("T", bound=Table)
PROXY_SCHEMES = ("http",)  # TLS to the proxy itself and SOCKS are not spoken
_SQLITE = "sqlite:///"


def _section(form: type[T], raw: object, key: str, problems: Problems) -> Read[T] | None:
    return None if raw is None else read_table(form, raw, (key,), problems)


def read_monitor(raw: object, problems: Problems) -> MonitorSettings:
    """Where checks run from."""
    read = _section(MonitorTable, raw, "monitor", problems)
    given = read.table.model_dump(exclude_unset=True) if read else {}
    if "control_hosts" in given:
        given["control_hosts"] = tuple(dict.fromkeys(given["control_hosts"]))
    return MonitorSettings(**given)


def read_web(raw: object, problems: Problems) -> PageSettings:
    """Where the page is served; any address but loopback needs a proxy that asks who comes."""
    read = _section(WebTable, raw, "web", problems)
    if read is None:
        return PageSettings()
    given = read.table.model_dump(exclude_unset=True)
    settings = PageSettings(**{**given, "public_url": _public_url(read.table.public_url, problems)})
    if not field_types.is_loopback(settings.host) and not settings.behind_proxy:
        problems.add(
            ("web", "listen"),
            "only loopback is served without a password, and the page has none of its own: listen on "
            "127.0.0.1 behind a reverse proxy that asks for one, or say behind_proxy = true where it does",
        )
    if settings.ops_listen is not None:
        _check_ops(settings, settings.ops_listen, problems)
    return settings


def _check_ops(settings: PageSettings, ops_listen: str, problems: Problems) -> None:
    if ops_listen == settings.listen:
        problems.add(("web", "ops_listen"), "must be another address than web.listen, or be left out")
    elif not field_types.is_loopback(settings.ops_host) and not settings.behind_proxy:
        problems.add(
            ("web", "ops_listen"),
            "only loopback is served to whoever comes: listen on 127.0.0.1, or say behind_proxy = true "
            "where something in front lets only your probers through",
        )


def _public_url(url: str | None, problems: Problems) -> str | None:
    if url is None:
        return None
    try:
        parts = field_types.split_url(url, ("https", "http"))
    except ValueError as error:
        problems.add(("web", "public_url"), str(error))
        return None
    if parts.query or parts.fragment:
        problems.add(("web", "public_url"), "must end with the path: links are appended to it")
    return url.rstrip("/")


def read_network(raw: object, directory: Path, problems: Problems) -> NetworkSettings:
    """The way out; the CA file's path counts from *directory* and must hold certificates."""
    read = _section(NetworkTable, raw, "network", problems)
    if read is None:
        return NetworkSettings()
    if read.table.proxy is not None:
        check_proxy(read.table.proxy, ("network", "proxy"), problems)
    ca_file = read.table.ca_file and (directory / read.table.ca_file).resolve()
    if ca_file:
        _check_ca_file(ca_file, problems)
    return NetworkSettings(proxy=read.table.proxy, ca_file=ca_file or None)


def check_proxy(value: str, path: KeyPath, problems: Problems) -> None:
    """Nothing for a reference or the URL of a proxy that tunnels; else a fault is recorded."""
    try:
        if is_reference(value):
            check_reference(value)
        else:
            field_types.split_url(value, PROXY_SCHEMES)
    except ValueError as error:
        problems.add(path, f'{error}; or write a reference such as "env:HTTPS_PROXY"')


def _check_ca_file(path: Path, problems: Problems) -> None:
    where: KeyPath = ("network", "ca_file")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        problems.add(where, f"{path} holds no certificate in PEM form")
    except OSError as error:
        problems.add(where, f"{path} cannot be read: {error.strerror or error}")


def read_database(raw: object, problems: Problems) -> DatabaseSettings:
    """The store's URL; one with a password must be a reference."""
    read = _section(DatabaseTable, raw, "database", problems)
    if read is None:
        return DatabaseSettings()
    try:
        _check_database(read.table.url)
    except ValueError as error:
        problems.add(("database", "url"), str(error))
        return DatabaseSettings()
    return DatabaseSettings(url=read.table.url)


def _check_database(url: str) -> None:
    if is_reference(url):
        check_reference(url)
        return
    if not url.isprintable():
        raise ValueError("contains a control character")
    if url.startswith(_SQLITE):
        if url.removeprefix(_SQLITE).partition("?")[0] in {"", ":memory:"}:
            raise ValueError('must name a file, such as "sqlite:///data/earwitness.db"')
        return
    if field_types.scheme_of(url) not in POSTGRES_SCHEMES:
        schemes = "sqlite:/// or postgresql+psycopg://"
        raise ValueError(f'must begin with {schemes}, or be a reference such as "env:NAME"')
    if field_types.holds_password(url):
        raise ValueError('a password in the URL is refused; write url = "env:DATABASE_URL"')


def read_channels(raw: object, problems: Problems) -> Mapping[str, ChannelSettings]:
    """Every channel that could be read, by name."""
    found: dict[str, ChannelSettings] = {}
    if raw is not None and not isinstance(raw, Mapping):
        problems.add(("channel",), f"must be tables such as [channel.oncall], not {kind_of(raw)}")
        return found
    for name, table in (raw or {}).items():
        channel = _channel(name, table, problems)
        if channel is not None:
            found[name] = channel
    return found


def _channel(name: str, raw: object, problems: Problems) -> ChannelSettings | None:
    path: KeyPath = ("channel", name)
    try:
        field_types.name(name)
    except ValueError as error:
        problems.add(path, str(error))
    read = read_table(ChannelTable, raw, path, problems)
    if read is None:
        return None
    table = read.table
    for key in _lacking(table.kind, raw if isinstance(raw, Mapping) else {}):
        problems.add((*path, key), f'is missing, write such as {key} = "env:ONCALL_{key.upper()}"')
    url = _receiver(table, path, problems)
    if table.when == []:
        problems.add((*path, "when"), "must name at least one occasion; leave it out for down and degraded")
    given: dict[str, Any] = {} if table.when is None else {"when": frozenset(table.when)}
    return ChannelSettings(name=name, kind=table.kind, url=url, secret=table.secret or "", **given)


def _lacking(kind: str, raw: Mapping[str, object]) -> Iterator[str]:
    """The keys that a kind of channel needs and the table lacks."""
    if CHANNELS[kind].url is None and "url" not in raw:
        yield "url"
    if CHANNELS[kind].credential is Need.REQUIRED and "secret" not in raw:
        yield "secret"


def _receiver(table: ChannelTable, path: KeyPath, problems: Problems) -> str:
    """The address of a channel, its kind's own where none is given."""
    kind = CHANNELS[table.kind]
    if kind.credential is Need.NONE and table.secret is not None:
        problems.add((*path, "secret"), f"means nothing to {table.kind}: its URL is the secret; leave it out")
    if table.url is None:
        return kind.url or ""
    try:
        _check_receiver(table.url)
    except ValueError as error:
        problems.add((*path, "url"), str(error))
    return table.url


def _check_receiver(url: str) -> None:
    """A receiver's URL is often its only password, so that only loopback may stand in the file."""
    if is_reference(url):
        check_reference(url)
        return
    parts = field_types.split_url(url, ("https", "http"))
    if not field_types.is_loopback(parts.hostname or ""):
        raise ValueError('a receiver\'s URL is a secret and may not stand here; write url = "env:NAME"')


def read_heartbeat(raw: object, problems: Problems) -> HeartbeatSettings | None:
    """Return who is called each minute; None where nobody is."""
    read = _section(HeartbeatTable, raw, "heartbeat", problems)
    if read is None:
        return None
    try:
        _check_receiver(read.table.url)
    except ValueError as error:
        problems.add(("heartbeat", "url"), str(error))
    return HeartbeatSettings(url=read.table.url)


def read_prices(raw: object, problems: Problems) -> Mapping[str, float]:
    """US dollars for a minute of audio, by model."""
    read = None if raw is None else read_table(ConfigurationFile, {"price": raw}, (), problems)
    return (read.table.price or {}) if read else {}
