"""The secrets that a start needs, all looked up at once, so that one start tells all that is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.config.secrets import check_webhook_secret, resolve_secret
from monitor.config.settings import SecretUse, Settings
from monitor.core.errors import ConfigurationError, SecretError


def missing_secrets(settings: Settings, environ: Mapping[str, str]) -> Sequence[str]:
    """A sentence with file, line and key for each reference that gives no usable secret."""
    faults = ((use, _fault(use, environ)) for use in settings.secrets)
    return [
        f"{settings.path}:{use.line}: {use.key}: {use.reference}: {reason}"
        for use, reason in faults
        if reason is not None
    ]


def check_secrets(settings: Settings, environ: Mapping[str, str]) -> None:
    """Nothing, where every reference gives a secret; else raises ConfigurationError with all of them."""
    problems = missing_secrets(settings, environ)
    if problems:
        raise ConfigurationError(problems)


def _fault(use: SecretUse, environ: Mapping[str, str]) -> str | None:
    try:
        value = resolve_secret(use.reference, environ)
    except SecretError as error:
        return error.reason
    return check_webhook_secret(value) if use.key.endswith(".secret") else None
