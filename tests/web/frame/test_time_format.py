"""Printed instants: UTC first, the zone beside it with its offset, right on days that change the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.timefmt import parse_instant
from monitor.web.frame.time_format import time_formatter, zone_named


@pytest.mark.parametrize(
    ("zone", "instant", "local"),
    [
        ("Europe/Berlin", "2026-10-25T00:30:00Z", "02:30:00 +02:00"),
        ("Europe/Berlin", "2026-10-25T01:30:00Z", "02:30:00 +01:00"),
        ("Europe/Berlin", "2026-03-29T00:59:59Z", "01:59:59 +01:00"),
        ("Europe/Berlin", "2026-03-29T01:00:00Z", "03:00:00 +02:00"),
        ("America/New_York", "2026-11-01T05:30:00Z", "01:30:00 -04:00"),
        ("America/New_York", "2026-11-01T03:30:00Z", "2026-10-31 23:30:00 -04:00"),
        ("Asia/Kolkata", "2024-02-29T12:00:00Z", "17:30:00 +05:30"),
        ("Pacific/Auckland", "2025-12-31T23:00:00Z", "2026-01-01 12:00:00 +13:00"),
        ("UTC", "2025-11-17T08:30:00Z", ""),
    ],
)
def test_the_zone_is_told_with_its_offset(zone: str, instant: str, local: str) -> None:
    """An hour that happens twice is told apart by its offset; another date is printed."""
    moment = time_formatter(zone_named(zone))(parse_instant(instant))
    assert (moment.local, moment.iso) == (local, instant)


def test_an_unknown_zone_is_utc() -> None:
    """A page is never lost for a zone."""
    for name in ("Mars/Olympus", "", "../etc/passwd"):
        assert zone_named(name) is UTC


def test_milliseconds_are_printed_where_there_are_any() -> None:
    """Runs have them, slots have not."""
    face = time_formatter(UTC)
    start = datetime(2025, 11, 17, 8, 30, tzinfo=UTC)
    assert face(start).clock == "08:30:00"
    assert face(start + timedelta(milliseconds=7)).clock == "08:30:00.007"


@given(st.integers(0, 40 * 365 * 86_400_000), st.integers(0, 999))
def test_what_machines_read_is_the_instant(milliseconds: int, microseconds: int) -> None:
    """The attribute says the same instant, to the millisecond."""
    offset = timedelta(milliseconds=milliseconds, microseconds=microseconds)
    instant = datetime(2000, 1, 1, tzinfo=UTC) + offset
    moment = time_formatter(zone_named("Europe/Berlin"))(instant)
    assert parse_instant(moment.iso) == instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    assert moment.iso.startswith(moment.date)
