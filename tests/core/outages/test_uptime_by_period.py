"""Days and months: whole, without holes or overlaps, and as long as the zone's clocks say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.intervals import Span
from monitor.core.outages.uptime_by_period import Period, days, months, uptime_by_period

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
KOLKATA = ZoneInfo("Asia/Kolkata")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # its clocks change by half an hour
SANTIAGO = ZoneInfo("America/Santiago")  # its clocks change at midnight
ZONES = (UTC, BERLIN, NEW_YORK, KOLKATA, LORD_HOWE, SANTIAGO)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def in_the_day(zone: ZoneInfo, *date: int) -> Span:
    """An hour around noon of a day of the zone."""
    at = datetime(*date, 12, tzinfo=zone).astimezone(UTC)  # type: ignore[arg-type, misc]
    return Span(at, at + HOUR)


@pytest.mark.parametrize(
    ("zone", "date", "hours"),
    [
        (BERLIN, (2026, 10, 25), 25),
        (BERLIN, (2027, 3, 28), 23),
        (BERLIN, (2026, 10, 26), 24),
        (NEW_YORK, (2026, 11, 1), 25),
        (NEW_YORK, (2027, 3, 14), 23),
        (KOLKATA, (2026, 10, 25), 24),
        (LORD_HOWE, (2026, 10, 4), 23.5),
        (LORD_HOWE, (2027, 4, 4), 24.5),
        (UTC, (2026, 10, 25), 24),
    ],
)
def test_a_day_has_the_hours_of_its_zone(zone: ZoneInfo, date: tuple[int, int, int], hours: float) -> None:
    """From local midnight to local midnight; the label says so where it is not 24."""
    (day,) = days(in_the_day(zone, *date), zone)
    assert day.name == "{:04d}-{:02d}-{:02d}".format(*date)
    assert day.span.length == hours * HOUR
    assert day.label == (day.name if hours == 24 else f"{day.name} ({hours:g} h)")


def test_a_half_hour_zone_begins_its_day_at_half_past_in_utc() -> None:
    """Midnight in Kolkata is 18:30 UTC of the day before."""
    (day,) = days(in_the_day(KOLKATA, 2026, 10, 25), KOLKATA)
    assert day.span.start == datetime(2026, 10, 24, 18, 30, tzinfo=UTC)


def test_a_day_without_a_midnight_begins_when_the_clocks_go_on() -> None:
    """In Santiago 2026-09-06 begins at one o'clock, which is 04:00 UTC; nothing lies between the days."""
    before, day = days(
        Span(datetime(2026, 9, 5, 12, tzinfo=UTC), datetime(2026, 9, 6, 12, tzinfo=UTC)), SANTIAGO
    )
    assert before.span.end == day.span.start == datetime(2026, 9, 6, 4, tzinfo=UTC)
    assert day.label == "2026-09-06 (23 h)"


@given(
    st.integers(0, 60 * 24 * 1461).map(lambda minute: datetime(2024, 1, 1, tzinfo=UTC) + minute * MINUTE),
    st.integers(1, 60 * 24 * 70),
    st.sampled_from(ZONES),
)
def test_periods_cover_the_span_without_holes(start: datetime, minutes: int, zone: ZoneInfo) -> None:
    """Each follows the one before; the first and the last touch the span, over leap days and years."""
    within = Span(start, start + timedelta(minutes=minutes))
    for cut in (days, months):
        found = cut(within, zone)
        assert found[0].span.start <= within.start < found[0].span.end
        assert found[-1].span.start < within.end <= found[-1].span.end
        assert all(one.span.end == other.span.start for one, other in pairwise(found))


def test_a_month_of_a_contract_is_counted_in_utc() -> None:
    """A month end and a leap day."""
    found = months(Span(datetime(2028, 2, 29, tzinfo=UTC), datetime(2028, 3, 1, 1, tzinfo=UTC)))
    assert [(one.name, one.label, one.span.length / (24 * HOUR)) for one in found] == [
        ("2028-02", "2028-02", 29),
        ("2028-03", "2028-03", 31),
    ]


def test_an_hour_down_weighs_by_the_hours_of_its_day() -> None:
    """One of 25, of 24 and of 23 hours; what crosses midnight counts in each day as far as it lies in it."""
    autumn = days(
        Span(datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 26, 22, tzinfo=UTC)), BERLIN
    )
    assert [one.label for one in autumn] == ["2026-10-25 (25 h)", "2026-10-26"]
    midnight = autumn[0].span.end
    shown = shares(autumn, Span(midnight - HOUR, midnight + HOUR))
    assert shown == [("2026-10-25 (25 h)", "96.00 %"), ("2026-10-26", "95.83 %")]
    spring = days(Span(datetime(2027, 3, 28, 5, tzinfo=UTC), datetime(2027, 3, 28, 6, tzinfo=UTC)), BERLIN)
    assert shares(spring, Span(spring[0].span.start, spring[0].span.start + HOUR)) == [
        ("2027-03-28 (23 h)", "95.65 %")
    ]


def shares(periods: tuple[Period, ...], down: Span) -> list[tuple[str, str]]:
    """What is printed of each period in which everything was measured."""
    whole = Span(periods[0].span.start, periods[-1].span.end)
    counts = [(1, 100)] * len(periods)
    found = uptime_by_period(periods, counts, measured=[whole], down=[down])
    return [(period.label, uptime.text()) for period, uptime in found]
