"""Build what the commands and the service need from the settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.config import CONFIG_VARIABLE, Settings, load, resolve
from monitor.core.alerting.decide import Policy
from monitor.core.alerting.wording import MessageSettings
from monitor.pipeline.derive import DerivationSettings
from monitor.store.database.engine import Database, open_database
from monitor.store.database.migrate import check_schema, is_empty, migrate
from monitor.transport import Transport, require_library

DEFAULT_CONFIG = Path("config.toml")


def settings_of(config: Path | None) -> Settings:
    """The settings of the file that was named, or of ./config.toml; raises ConfigurationError."""
    return load(named(config) or DEFAULT_CONFIG, environ=os.environ)


def named(config: Path | None) -> Path | None:
    """The file that was named; None where the variable is there but empty, as CI systems leave it."""
    return None if config == Path() and os.environ.get(CONFIG_VARIABLE) == "" else config


def settings_or_defaults(config: Path | None) -> Settings:
    """The same, but the defaults where no file was named and ./config.toml does not exist.

    For commands that need no more of a configuration than where the database is.
    """
    if named(config) is None and not DEFAULT_CONFIG.exists():
        return Settings(path=DEFAULT_CONFIG)
    return settings_of(config)


def secrets(environ: Mapping[str, str] = os.environ) -> Callable[[str], str]:
    """What turns a reference into its secret, and leaves everything else as it is."""
    return partial(_resolve, environ)


def _resolve(environ: Mapping[str, str], value: str) -> str:
    return resolve(value, environ)


def transport_of(settings: Settings) -> Transport:
    """The one way out, with proxy and certificates as configured."""
    if any(endpoint.auth == "entra" for endpoint in settings.endpoints.values()):
        require_library()
    proxy = settings.network.proxy
    return Transport(
        secret=secrets(),
        proxy=None if proxy is None else resolve(proxy, os.environ),
        no_proxy=os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or "",
        ca_file=settings.network.ca_file,
    )


def database_of(settings: Settings, *, fill: bool = False, statement_s: float | None = None) -> Database:
    """The configured database with the schema of this program.

    With *fill* one that is missing or empty is made and brought to the schema; else, and for an older
    or newer schema, it raises a DatabaseError with what to run. *statement_s* bounds the wait for a server.
    """
    url = resolve(settings.database.url, os.environ)
    database = open_database(url, create=fill, statement_s=statement_s)
    if fill and is_empty(database):
        migrate(database)
    check_schema(database)
    return database


def derivation_settings_of(settings: Settings) -> DerivationSettings:
    """What the verdict rests on, as configured."""
    return DerivationSettings(
        location=settings.monitor.location,
        rule=settings.rule,
        every={target.key: target.every for target in settings.targets},
        policies=[Policy(channel=channel.name, when=channel.when) for channel in settings.channels.values()],
        voice=MessageSettings(public_url=settings.web.base_url, zone=ZoneInfo(settings.monitor.timezone)),
    )
