"""The forms that values of the file may have: each gives the value or raises ValueError with a sentence."""

from __future__ import annotations

import difflib
import ipaddress
import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from monitor.config.problems import kind_of, one_of, shown
from monitor.core.timefmt import parse_duration, parse_named

NAME_PATTERN = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
LOCATION_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
VERSION_PATTERN = "^(v1|preview|20[0-9]{2}-[0-9]{2}-[0-9]{2}(-preview)?)$"
HEADER_PATTERN = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
_NAME = re.compile(NAME_PATTERN)
_LOCATION = re.compile(LOCATION_PATTERN)
_VERSION = re.compile(VERSION_PATTERN)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]+\]")
_SECRET_QUERY = re.compile(
    r"(?:^|[&;])(?:[\w-]*(?:key|token|secret|password|passwd|sig|signature))=", re.IGNORECASE
)
DURATION_PATTERN = "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class FieldType:
    """Metadata for pydantic: a check of one text, and what the JSON Schema says about it."""

    check: Callable[[str], str]
    schema: Mapping[str, Any] = field(default_factory=dict)

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), **self.schema}


def choice(what: str, right: Sequence[str]) -> FieldType:
    """One of a closed list of texts."""
    return FieldType(lambda value: one_of(what, right, value), {"enum": list(right)})


def duration(value: object) -> timedelta:
    """A positive duration of at most a day."""
    length = _any_duration(value)
    if length <= timedelta(0):
        raise ValueError("must be longer than zero")
    return length


def duration_or_zero(value: object) -> timedelta:
    """A duration of at most a day; zero is allowed."""
    return _any_duration(value)


def _any_duration(value: object) -> timedelta:
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise ValueError(f"must be text such as '30s', '5m' or '1h30m', not {kind_of(value)}")  # noqa: TRY004
    try:
        length = parse_duration(value)
    except ValueError as error:
        hidden = shown(value)
        raise ValueError(str(error) if hidden[0] == "'" else f"{hidden} is no duration") from None
    if length > LONGEST:
        raise ValueError("must not be longer than a day")
    return length


def moment(value: object) -> datetime:
    """An instant with an offset, as text or as TOML writes it."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return parse_named(value.isoformat())
    if not isinstance(value, str):
        raise ValueError("must be an instant with an offset, such as 2026-01-31T02:00:00Z")  # noqa: TRY004
    return parse_named(value)


def time_of_day(value: str) -> str:
    """A local time in hours and minutes."""
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError("must be a time of day such as '02:00'")
    return value


def name(value: str) -> str:
    """The name of an endpoint or a channel."""
    if not _NAME.fullmatch(value):
        raise ValueError("a name has 1 to 63 characters of a-z, 0-9 and -, and begins and ends without -")
    return value


def location(value: str) -> str:
    """The name of the place where checks run."""
    if not _LOCATION.fullmatch(value):
        raise ValueError("a location has 1 to 63 characters of letters, digits, '.', '_' and '-'")
    return value


def words(value: str) -> str:
    """One line of printable text without surrounding spaces, at most 200 characters."""
    if not value or value != value.strip() or not value.isprintable() or len(value) > 200:
        raise ValueError("must be one line of 1 to 200 printable characters without surrounding spaces")
    return value


def model_name(value: str) -> str:
    """The name of a model or a deployment; slashes are allowed, spaces are not.

    vLLM and transformers call a model by its folder, such as ``/models/whisper``.
    """
    if words(value) != "".join(value.split()) or value.endswith("/"):
        raise ValueError("the name of a model contains no spaces and does not end with '/'")
    return value


def upload_path(value: str) -> str:
    """The path of an address, from its first slash."""
    if not re.fullmatch(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*", value):
        raise ValueError('must be a path from the host on, such as "/inference", without a query')
    return value


def header_name(value: str) -> str:
    """The name of a header (RFC 9110, 5.6.2)."""
    if not re.fullmatch(HEADER_PATTERN[1:-1], value):
        raise ValueError("is no header's name: letters, digits and hyphens, such as x-portkey-provider")
    return value


def header_value(value: str) -> str:
    """A header's value that can be sent, or a reference to one."""
    if not value or not value.isascii() or not value.isprintable() or value != value.strip():
        raise ValueError("must be printable ASCII without a space at either end, or a reference")
    return value


def timezone(value: str) -> str:
    """A name from the IANA time zone database."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"unknown time zone {shown(value)}, {_nearest_zone(value)}") from None
    return value


def _nearest_zone(value: str) -> str:
    # Abbreviations are left out: the nearest one to CEST is EST, an ocean away.
    zones = [zone for zone in sorted(zoneinfo.available_timezones()) if "/" in zone or zone in {"UTC", "GMT"}]
    by_lower = {zone.lower(): zone for zone in zones}
    close = difflib.get_close_matches(value.lower(), list(by_lower), n=1)
    return f"did you mean '{by_lower[close[0]]}'?" if close else "write such as 'Europe/Berlin' or 'UTC'"


def language(value: str) -> str:
    """An ISO 639 code of the language spoken, or ``auto``."""
    if value != "auto" and not re.fullmatch(r"[a-z]{2,3}", value):
        raise ValueError("must be a code of two or three letters such as 'en', or 'auto' to name none")
    return value


def auth(value: str) -> str:
    """How an endpoint is told who asks."""
    return one_of("way to authenticate", ("key", "none", "entra"), value)


def api_version(value: str) -> str:
    """A dated Azure API version, or one of the two names that the v1 path takes."""
    if not _VERSION.fullmatch(value):
        raise ValueError("must be a date such as '2025-03-01-preview'")
    return value


def host_port(value: str) -> str:
    """``host:port``."""
    if "://" in value or "/" in value:
        raise ValueError("must be host:port without a scheme or a path, such as 'example.com:443'")
    host, _, port = value.rpartition(":")
    if not _HOST.fullmatch(host):
        raise ValueError("must be host:port, such as 'example.com:443' or '[::1]:443'")
    if not (port.isascii() and port.isdigit() and 0 < int(port[:9]) < 65536):
        raise ValueError("the port after ':' must be a number from 1 to 65535")
    return value


def is_loopback(host: str) -> bool:
    """Whether the host can only be this machine."""
    bare = host.strip("[]").lower().rstrip(".")
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def split_url(value: str, schemes: Sequence[str]) -> SplitResult:
    """The parts of a URL that carries no secret.

    Raises ValueError, without repeating the URL, for another scheme, no host, a bad port, a user
    or password, or a query that carries a key.
    """
    parts = refuse_secrets(value)
    if parts.scheme not in schemes:
        known = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ValueError(f"must begin with {known}")
    if not parts.hostname:
        raise ValueError("names no host")
    return parts


def refuse_secrets(value: str) -> SplitResult:
    """The parts of what may be a URL; raises ValueError where a user, a password or a key is in it."""
    if not value.isprintable() or " " in value:
        raise ValueError("contains a space or a control character")
    parts = _split(value)
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user or password in the URL is refused: it would be kept in clear")
    if _SECRET_QUERY.search(parts.query):
        raise ValueError('a key in the URL is refused; remove it and write key = "env:NAME"')
    return parts


def scheme_of(value: str) -> str:
    """What stands before ``://`` in lower case, else nothing."""
    scheme, found, _ = value.partition("://")
    return scheme.lower() if found else ""


def holds_password(value: str) -> bool:
    """Whether the URL carries a password or a key; one that cannot be read is taken to."""
    try:
        parts = _split(value)
    except ValueError:
        return True
    return parts.password is not None or _SECRET_QUERY.search(parts.query) is not None


def _split(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError("is no URL: its host or port cannot be read") from None
    return parts
