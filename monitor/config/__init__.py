"""Configuration: one TOML file as frozen settings, and what `validate` says about them.

Secrets are references until they are needed; unknown keys are refused; every message names file,
line and key. Nothing here opens a socket.
"""

from __future__ import annotations

from monitor.config.check import check_secrets, missing_secrets
from monitor.config.expand import CONFIG_VARIABLE, load
from monitor.config.plan import Plan, make_plan
from monitor.config.plan_text import render_text, to_json
from monitor.config.rules import rule_from_toml
from monitor.config.secrets import resolve, resolve_secret
from monitor.config.settings import (
    ChannelSettings,
    DatabaseSettings,
    MonitorSettings,
    NetworkSettings,
    SecretUse,
    Settings,
    WebSettings,
)

__all__ = [
    "CONFIG_VARIABLE",
    "ChannelSettings",
    "DatabaseSettings",
    "MonitorSettings",
    "NetworkSettings",
    "Plan",
    "SecretUse",
    "Settings",
    "WebSettings",
    "check_secrets",
    "load",
    "make_plan",
    "missing_secrets",
    "render_text",
    "resolve",
    "resolve_secret",
    "rule_from_toml",
    "to_json",
]
