"""Instants and durations as a page prints them: UTC first, the monitor's zone beside it with its offset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitor.core.timefmt import rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One instant: `iso` for machines, `date`, `clock` in UTC, and `local` with its offset, "" in UTC."""

    iso: str
    date: str
    clock: str
    local: str


TimeFormatter = Callable[[datetime], Moment]


def zone_named(name: str) -> tzinfo:
    """The zone of that name; UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def time_formatter(zone: tzinfo) -> TimeFormatter:
    """A function that prints instants for *zone*."""
    is_utc = zone is UTC or str(zone) == "UTC"

    @lru_cache(maxsize=4096)  # a page prints most instants several times, and the next page prints them again
    def face(instant: datetime) -> Moment:
        utc = instant.astimezone(UTC)
        iso = rfc3339(utc)
        date, _, clock = iso.removesuffix("Z").partition("T")
        local = "" if is_utc else _local(instant.astimezone(zone), utc)
        return Moment(iso=iso, date=date, clock=clock, local=local)

    return face


def _local(local: datetime, utc: datetime) -> str:
    offset = f"{local:%z}"
    day = f"{local:%Y-%m-%d} " if local.date() != utc.date() else ""
    return f"{day}{local:%H:%M:%S} {offset[:3]}:{offset[3:5]}"
