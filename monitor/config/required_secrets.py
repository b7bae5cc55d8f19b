"""The secrets that a start needs, all looked up at once, so that one start tells all that is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from monitor.config import field_types
from monitor.config.secrets import POSTGRES_SCHEMES, check_webhook_secret, resolve_secret
from monitor.config.sections import PROXY_SCHEMES
from monitor.config.settings import SecretUse, Settings
from monitor.core.errors import ConfigurationError, SecretError

_SCHEMES = {"database": ("sqlite", *POSTGRES_SCHEMES), "network": PROXY_SCHEMES}
ALL = ("endpoint", "network", "database", "channel")


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingSecret:
    """A reference that gives no usable secret: where it stands, under which key, and why."""

    place: str  # of the file, with the line
    key: str
    reference: str
    reason: str

    def __str__(self) -> str:
        """One sentence with file, line and key."""
        return f"{self.place}: {self.key}: {self.reference}: {self.reason}"


def missing_secrets(
    settings: Settings, environ: Mapping[str, str], *, sections: Collection[str] = ALL
) -> Sequence[MissingSecret]:
    """Each reference that gives no usable secret, in the order of the file.

    *sections* names the tables of the file that are needed: a single check needs no channel.
    """
    uses = [use for use in settings.secrets if use.key.partition(".")[0] in sections]
    signing = {f"channel.{one.name}.secret" for one in settings.channels.values() if one.kind == "webhook"}
    faults = ((use, _fault(use, environ, signs=use.key in signing)) for use in uses)
    return [
        MissingSecret(
            place=f"{settings.path}:{use.line}", key=use.key, reference=use.reference, reason=reason
        )
        for use, reason in faults
        if reason is not None
    ]


def check_secrets(settings: Settings, environ: Mapping[str, str], *, sections: Collection[str] = ALL) -> None:
    """Nothing, where every reference gives a secret; else raises ConfigurationError with all of them."""
    problems = missing_secrets(settings, environ, sections=sections)
    if problems:
        raise ConfigurationError([str(problem) for problem in problems])


def _fault(use: SecretUse, environ: Mapping[str, str], *, signs: bool) -> str | None:
    try:
        value = resolve_secret(use.reference, environ)
    except SecretError as error:
        return error.reason
    section, _, _ = use.key.partition(".")
    if signs:
        return check_webhook_secret(value)
    if use.key.endswith(".proxy"):
        section = "network"
    if section == "endpoint" or use.key.endswith(".secret"):
        return None
    schemes = _SCHEMES.get(section, ("https", "http"))
    if field_types.scheme_of(value) not in schemes:
        return f"is no URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}"
    return None
