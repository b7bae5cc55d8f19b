"""Planned maintenance: when it is, for whom, and since when it counts."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from monitor.core.intervals import Span
from monitor.core.outages.maintenance import (
    Maintenance,
    Recurrence,
    changes,
    covered,
    from_document,
    to_document,
)

HOUR = timedelta(hours=1)
DAY = datetime(2025, 11, 17, tzinfo=UTC)  # a Monday
YEAR = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC))


def once(begin: float = 8, end: float = 10, **more: Any) -> Maintenance:
    """From some hour of the day to another."""
    return Maintenance(name="once", start=DAY + begin * HOUR, end=DAY + end * HOUR, **more)


def weekly(**more: Any) -> Maintenance:
    """Sundays at two in the morning, Berlin."""
    given: dict[str, Any] = {
        "weekday": "sunday",
        "at": time(2, 30),
        "duration": HOUR,
        "zone": "Europe/Berlin",
    }
    return Maintenance(name="weekly", every=Recurrence.WEEK, **(given | more))


def test_it_counts_from_when_it_was_entered_until_it_was_withdrawn() -> None:
    """Never before, unless it is named so."""
    entered: dict[str, Any] = {"entered_at": DAY + 9 * HOUR}
    assert list(once(**entered).spans(*YEAR)) == [Span(DAY + 9 * HOUR, DAY + 10 * HOUR)]
    assert list(once(**entered, retroactive=True).spans(*YEAR)) == [Span(DAY + 8 * HOUR, DAY + 10 * HOUR)]
    assert list(once(entered_at=DAY + 11 * HOUR).spans(*YEAR)) == []
    assert list(once(withdrawn_at=DAY + 9 * HOUR).spans(*YEAR)) == [Span(DAY + 8 * HOUR, DAY + 9 * HOUR)]
    assert list(once().spans(DAY + 9.5 * HOUR, YEAR[1])) == [Span(DAY + 9.5 * HOUR, DAY + 10 * HOUR)]


def test_a_local_time_stays_local_where_clocks_change() -> None:
    """Berlin: winter at 01:30 UTC; on the day of the jump behind it; on the double hour the earlier one."""
    spans = list(weekly().spans(*YEAR))
    assert len(spans) == 104
    assert all(span.length == HOUR for span in spans)
    starts = {span.start for span in spans}
    assert datetime(2025, 11, 23, 1, 30, tzinfo=UTC) in starts
    assert datetime(2026, 3, 29, 1, 30, tzinfo=UTC) in starts  # 02:30 is not there: 03:30 summer time
    assert datetime(2026, 10, 25, 0, 30, tzinfo=UTC) in starts  # 02:30 is there twice


def test_daily_maintenance_across_midnight_is_seen_from_both_days() -> None:
    """A range that begins inside an occurrence holds the rest of it."""
    daily = Maintenance(name="d", every=Recurrence.DAY, at=time(23, 30), duration=HOUR)
    found = list(daily.spans(DAY, DAY + 24 * HOUR))
    assert found == [Span(DAY, DAY + 0.5 * HOUR), Span(DAY + 23.5 * HOUR, DAY + 24 * HOUR)]


@pytest.mark.parametrize(
    ("patterns", "concerned"),
    [((), True), (("azure/*",), True), (("*/realtime",), False), (("openai/*", "*/a/rest"), True)],
)
def test_patterns_choose_targets(patterns: tuple[str, ...], *, concerned: bool) -> None:
    """Any of them; none means all."""
    assert once(targets=patterns).concerns("azure/a/rest") is concerned


def test_what_touches_is_one() -> None:
    """Of several entries, in order, for the target that is asked about."""
    plans = [once(9, 11), once(8, 9), once(13, 14), once(10, 10.5), once(11, 12, targets=("other",))]
    assert covered(plans, "azure/a/rest", *YEAR) == (
        Span(DAY + 8 * HOUR, DAY + 11 * HOUR),
        Span(DAY + 13 * HOUR, DAY + 14 * HOUR),
    )


@pytest.mark.parametrize("plan", [once(targets=("a/*",), retroactive=True), weekly()])
def test_a_document_holds_all_that_is_planned(plan: Maintenance) -> None:
    """And the store adds when it was entered."""
    assert from_document(to_document(plan)) == plan
    assert from_document(to_document(plan), entered_at=DAY).entered_at == DAY


def test_what_is_configured_anew_is_entered_and_what_is_gone_withdrawn() -> None:
    """The same plan is neither; one that comes back is entered again."""
    known = (once(entered_at=DAY), weekly(entered_at=DAY, withdrawn_at=DAY + HOUR))
    assert changes(known, [once()]) == ((), ())
    assert changes(known, [weekly()]) == ((weekly(),), (once(entered_at=DAY),))
