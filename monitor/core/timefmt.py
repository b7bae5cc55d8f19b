"""Instants and durations as text: the one place that prints and reads them; it never asks a clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?P<offset>[Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)
_PRINTED = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")  # as `rfc3339` prints it

_DURATION = re.compile(
    r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?(?:(\d{1,12})ms)?", re.ASCII
)

_SIZES = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_LONGEST_MS = 3660 * _SIZES["d"]


# What people may name: far from where arithmetic on instants ends.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(3000, 1, 1, tzinfo=UTC)


def rfc3339(instant: datetime) -> str:
    """``2025-11-17T08:30:00Z``, with milliseconds where there are any (RFC 3339, 5.6).

    *instant* is aware; parts of a millisecond are dropped, as in the store.
    """
    whole = instant.astimezone(UTC).replace(tzinfo=None)
    text = whole.isoformat(timespec="milliseconds" if whole.microsecond >= 1000 else "seconds")
    return f"{text}Z"


def parse_instant(text: str) -> datetime:
    """The instant, in UTC and whole milliseconds.

    Raises ValueError where it is no RFC 3339 date and time, or has no offset.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text[:60]}' is no time: 2025-11-17T08:30:00Z is expected")
    if match["offset"] is None:
        raise ValueError(f"'{text}' has no offset: append Z, or one such as +01:00")
    try:
        instant = datetime.fromisoformat(text if text[-1] == "Z" else text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"'{text}' is no time that exists: {error}") from None
    parts = instant.microsecond % 1000
    return instant.replace(microsecond=instant.microsecond - parts) if parts else instant


def parse_named(text: str) -> datetime:
    """The instant that a person or a program names: `parse_instant`, between 1970 and 2999."""
    instant = parse_instant(text)
    if not EARLIEST <= instant < LATEST:
        raise ValueError(f"'{text}' is too far away: a year from 1970 to 2999 is expected")
    return instant


def duration_words(duration: timedelta) -> str:
    """The two largest units that matter, rounded to the nearest: ``6 h 59 min``, ``3 min 20 s``."""
    if duration < timedelta(0):
        return f"-{duration_words(-duration)}"
    if duration and duration < timedelta(seconds=1):
        return f"{max(1, round(duration / timedelta(milliseconds=1)))} ms"
    seconds = round(duration.total_seconds())
    if seconds < 3600:
        return _two(seconds, 60, "min", "s")
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return _two(minutes, 60, "h", "min")
    return _two(round(minutes / 60), 24, "d", "h")


def _two(amount: int, size: int, large: str, small: str) -> str:
    whole, rest = divmod(amount, size)
    if not whole:
        return f"{rest} {small}"
    return f"{whole} {large} {rest} {small}" if rest else f"{whole} {large}"


def parse_duration(text: object) -> timedelta:
    """The duration that ``30s``, ``5m``, ``1h30m``, ``2d`` or ``250ms`` means.

    Raises ValueError, with a hint, for a bare number and for anything else.
    """
    if isinstance(text, (int, float)) or (isinstance(text, str) and re.fullmatch(r"[\d.]+", text)):
        raise ValueError(f"{str(text)[:60]} has no unit: write such as '30s', '5m' or '1h30m'")
    match = _DURATION.fullmatch(text) if isinstance(text, str) and text else None
    if match is None:
        raise ValueError(f"{str(text)[:60]!r} is no duration: write such as '30s', '5m' or '1h30m'")
    parts = (int(part or 0) * size for part, size in zip(match.groups(), _SIZES.values(), strict=True))
    millis = sum(parts)
    if millis > _LONGEST_MS:
        raise ValueError(f"{str(text)[:60]!r} is longer than ten years")
    return timedelta(milliseconds=millis)


def duration_text(duration: timedelta) -> str:
    """The duration as configuration spells it: ``1h30m``, ``0s``; parts of a millisecond are dropped."""
    rest = duration // timedelta(milliseconds=1)
    parts = []
    for unit, size in _SIZES.items():
        amount, rest = divmod(rest, size)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(instant: datetime) -> str:
    """``17 Nov 2025``, in UTC and in English whatever the locale."""
    utc = instant.astimezone(UTC)
    return f"{utc.day} {MONTHS[utc.month - 1]} {utc.year}"


def clock(instant: datetime) -> str:
    """``08:30:10``, in UTC."""
    return f"{instant.astimezone(UTC):%H:%M:%S}"


def local_beside(instant: datetime, zone: tzinfo) -> str:
    """`` (09:30:10 +01:00)`` with the date where it differs from the UTC date; empty where zone is UTC."""
    local = instant.astimezone(zone)
    if not local.utcoffset():
        return ""
    date = "" if local.date() == instant.astimezone(UTC).date() else f"{local:%Y-%m-%d} "
    offset = f"{local:%z}"
    return f" ({date}{local:%H:%M:%S} {offset[:3]}:{offset[3:5]})"


def moment(instant: datetime, *, now: datetime, zone: tzinfo) -> str:
    """``08:30:10 UTC (09:30:10 +01:00)``, with the UTC date where it is not that of *now*."""
    date = "" if instant.astimezone(UTC).date() == now.astimezone(UTC).date() else f", {day(instant)}"
    return f"{clock(instant)} UTC{date}{local_beside(instant, zone)}"


def with_clocks(text: str, *, on: datetime) -> str:
    """The text with its RFC 3339 instants as ``15:30:10 UTC``, with the date where it is not that of *on*."""
    return _PRINTED.sub(lambda found: moment(parse_instant(found[0]), now=on, zone=UTC), text)


def span_words(start: datetime, end: datetime) -> str:
    """``08:30:10–15:30:10 UTC, 17 Nov 2025``; both dates where they differ."""
    if day(start) == day(end):
        return f"{clock(start)}–{clock(end)} UTC, {day(end)}"
    return f"{clock(start)} UTC, {day(start)} – {clock(end)} UTC, {day(end)}"
