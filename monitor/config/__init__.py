"""Configuration: one TOML file as frozen settings, and what `validate` says about them.

Secrets are references until they are needed; unknown keys are refused; every message names file,
line and key. Nothing here opens a socket.
"""

from __future__ import annotations

from monitor.config.load import CONFIG_VARIABLE, load
from monitor.config.required_secrets import check_secrets, missing_secrets
from monitor.config.rules import rule_from_toml
from monitor.config.secrets import resolve, resolve_secret
from monitor.config.settings import (
    ChannelSettings,
    DatabaseSettings,
    MonitorSettings,
    NetworkSettings,
    PageSettings,
    SecretUse,
    Settings,
)

__all__ = [
    "CONFIG_VARIABLE",
    "ChannelSettings",
    "DatabaseSettings",
    "MonitorSettings",
    "NetworkSettings",
    "PageSettings",
    "SecretUse",
    "Settings",
    "check_secrets",
    "load",
    "missing_secrets",
    "resolve",
    "resolve_secret",
    "rule_from_toml",
]
