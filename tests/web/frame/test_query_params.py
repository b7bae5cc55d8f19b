"""Addresses: what they may ask, and links that ask it again."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.views.lanes import ZOOMS
from monitor.web.frame.errors import BadQuery
from monitor.web.frame.query_params import (
    LONGEST_RANGE,
    move_links,
    read_cursor,
    read_range,
    read_shown,
    write_cursor,
    zoom_links,
)

NOW = datetime(2025, 11, 17, 16, 20, 5, tzinfo=UTC)


def test_without_an_address_the_last_day_is_shown() -> None:
    """It follows the clock, on whole buckets."""
    shown = read_shown(zoom=None, day=None, until=None, now=NOW)
    assert (shown.zoom.name, shown.moved) == ("24h", False)
    assert shown.period.end == datetime(2025, 11, 17, 16, 30, tzinfo=UTC)


def test_a_day_is_a_day_in_utc() -> None:
    """From midnight to midnight."""
    shown = read_shown(zoom=None, day="2025-11-16", until=None, now=NOW)
    assert shown.period.start == datetime(2025, 11, 16, tzinfo=UTC)
    assert shown.period.length == timedelta(days=1)


@pytest.mark.parametrize("zoom", ZOOMS)
def test_links_lead_where_they_say(zoom: str) -> None:
    """Earlier ends where the period began; later leads back; every zoom keeps the end."""
    shown = read_shown(zoom=zoom, day=None, until="2025-11-01T00:00:00Z", now=NOW)
    earlier = follow(move_links("/", shown, NOW)[0].href)
    assert earlier.period.end == shown.period.start
    if zoom == "24h":
        assert follow(move_links("/", earlier, NOW)[1].href).period == shown.period
    assert [link.text for link in zoom_links("/", shown) if link.current] == [zoom]


def follow(href: str):  # type: ignore[no-untyped-def]
    query = {name: values[0] for name, values in parse_qs(urlsplit(href).query).items()}
    return read_shown(zoom=query.get("zoom"), day=None, until=query.get("until"), now=NOW)


@given(st.lists(st.one_of(st.integers(), st.text()), max_size=3))
def test_a_cursor_gives_back_what_was_put_in(parts: list[int | str]) -> None:
    """Whatever it holds, within 64 bits."""
    parts = [part for part in parts if not isinstance(part, int) or abs(part) < 2**63]
    parts = [part for part in parts if not isinstance(part, str) or part.isprintable()]
    assert read_cursor(write_cursor(*parts), *map(type, parts)) == parts


@given(st.text(max_size=40))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    """Never another exception."""
    with suppress(BadQuery):
        assert isinstance(read_cursor(text, int)[0], int)


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_a_range_or_refused(since: str, until: str) -> None:
    """A range is ordered and bounded, and no other exception comes."""
    with suppress(BadQuery):
        found = read_range(since, until, now=NOW)
        assert timedelta(0) <= found.length <= LONGEST_RANGE


def test_a_plus_sign_that_was_not_quoted_is_understood() -> None:
    """A space before the offset came from a plus sign."""
    found = read_range("2025-11-17T09:30:00 01:00", "2025-11-17T09:30:00Z", now=NOW)
    assert found.start == datetime(2025, 11, 17, 8, 30, tzinfo=UTC)
