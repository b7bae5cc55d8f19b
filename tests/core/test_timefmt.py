"""Instants and durations as text, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.timefmt import duration_text, duration_words, parse_duration, parse_instant, rfc3339

INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(INSTANTS)
def test_an_instant_survives_print_and_parse_to_the_millisecond(instant: datetime) -> None:
    """What is printed is read back as the same millisecond."""
    whole = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    assert parse_instant(rfc3339(instant)) == whole


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2025, 11, 17, 8, 30, tzinfo=UTC), "2025-11-17T08:30:00Z"),
        (datetime(2025, 11, 17, 8, 30, 0, 412_900, tzinfo=UTC), "2025-11-17T08:30:00.412Z"),
        (datetime(2025, 11, 17, 8, 30, 0, 999, tzinfo=UTC), "2025-11-17T08:30:00Z"),
        (datetime(2025, 11, 17, 9, 30, tzinfo=timezone(timedelta(hours=1))), "2025-11-17T08:30:00Z"),
    ],
)
def test_instants_are_printed_in_utc_with_milliseconds_only_where_there_are_any(
    instant: datetime, text: str
) -> None:
    """Whole seconds stay whole; other zones become UTC."""
    assert rfc3339(instant) == text


@pytest.mark.parametrize(
    "text",
    ["2025-11-17T09:30:00+01:00", "2025-11-17t08:30:00z", "2025-11-17 08:30Z", "2025-11-17T08:30:00.0009Z"],
)
def test_other_spellings_of_an_instant_are_read(text: str) -> None:
    """Offsets, small letters, a blank and missing seconds are understood; finer parts dropped."""
    assert parse_instant(text) == datetime(2025, 11, 17, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2025-11-17T08:30:00", "has no offset"),
        ("yesterday", "is no time"),
        ("20251117T083000Z", "is no time"),
        ("2025-02-30T08:30:00Z", "is no time that exists"),
        ("0001-01-01T00:00:00+14:00", "is no time that exists"),
    ],
)
def test_what_is_no_instant_is_refused(text: str, message: str) -> None:
    """The error says what is wrong with it."""
    with pytest.raises(ValueError, match=message):
        parse_instant(text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.0004, "1 ms"),
        (0.412, "412 ms"),
        (59.4, "59 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (25_139.986, "6 h 59 min"),
        (25_260.024, "7 h 1 min"),
        (25_200, "7 h"),
        (86_400, "1 d"),
        (93_600, "1 d 2 h"),
        (-60, "-1 min"),
    ],
)
def test_durations_are_said_in_their_two_largest_units(seconds: float, words: str) -> None:
    """Rounded to the nearest, as a reader would."""
    assert duration_words(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("1h30m", 5400), ("2d", 172_800), ("250ms", 0.25), ("0s", 0)],
)
def test_durations_of_configuration_are_read(text: str, seconds: float) -> None:
    """Every unit, alone or in falling order."""
    assert parse_duration(text) == timedelta(seconds=seconds)
    assert duration_text(parse_duration(text)) == text


@pytest.mark.parametrize("bare", [30, 1.5, "30", "1.5"])
def test_a_bare_number_is_no_duration(bare: object) -> None:
    """The hint says which spelling has a unit."""
    with pytest.raises(ValueError, match="has no unit: write such as '30s'"):
        parse_duration(bare)


@pytest.mark.parametrize("text", ["", "5 m", "30m1h", "-5m", "soon", None, "99999h"])
def test_what_is_no_duration_is_refused(text: object) -> None:
    """Wrong order, blanks, signs, words and absurd lengths."""
    with pytest.raises(ValueError, match=r"is no duration|longer than ten years"):
        parse_duration(text)


@given(st.integers(0, 3660 * 86_400_000))
def test_a_duration_survives_print_and_parse(millis: int) -> None:
    """What configuration would spell is read back as the same duration."""
    duration = timedelta(milliseconds=millis)
    assert parse_duration(duration_text(duration)) == duration
