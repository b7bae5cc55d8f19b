"""The texts word for word, on the reference day and at their edges."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.core.alerting.wording import (
    MessageSettings,
    headline,
    link,
    short_title,
)
from monitor.core.incidents.incident import Phase
from monitor.core.timefmt import local_beside, moment, span_words, with_clocks
from tests.support.sample_incident import (
    MINUTE,
    START,
    closed_window,
    document,
    incident,
    window,
)

BERLIN = MessageSettings(public_url="https://earwitness.example", zone=ZoneInfo("Europe/Berlin"))
LINK = "https://earwitness.example/incidents/1"


def test_the_headline_reads_as_agreed() -> None:
    """The page's two lines of an incident that is over."""
    assert headline(incident(Phase.RESOLVED)) == (
        "gpt-4o-transcribe · realtime · swedencentral was down 08:30:10–15:30:10 UTC, 17 Nov 2025 "
        "(at least 6 h 59 min, at most 7 h 1 min): 420/420 runs failed.\n"
        "Unaffected: gpt-4o-transcribe rest 420/420, whisper-1 realtime 420/420. Blame: provider."
    )


def test_the_headline_of_an_open_incident_has_no_end() -> None:
    """While it lasts only the lower bound is known."""
    assert headline(incident()).startswith(
        "gpt-4o-transcribe · realtime · swedencentral down since 08:30:10 UTC, 17 Nov 2025 "
        "(at least 2 min so far): 3/3 runs failed.\n"
    )


def test_an_outage_across_midnight_carries_its_dates() -> None:
    """A bare clock time would mean today."""
    night = datetime(2025, 11, 17, 23, 59, tzinfo=UTC)
    later = night + timedelta(hours=2)
    assert moment(night, now=later, zone=UTC) == "23:59:00 UTC, 17 Nov 2025"
    assert moment(night, now=night, zone=BERLIN.zone) == "23:59:00 UTC (2025-11-18 00:59:00 +01:00)"
    assert span_words(night, later) == "23:59:00 UTC, 17 Nov 2025 – 01:59:00 UTC, 18 Nov 2025"


@pytest.mark.parametrize(
    ("instant", "zone", "shown"),
    [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Europe/Berlin", " (02:30:00 +02:00)"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "Europe/Berlin", " (02:30:00 +01:00)"),
        (datetime(2026, 1, 1, 0, 0, tzinfo=UTC), "Asia/Kolkata", " (05:30:00 +05:30)"),
        (datetime(2026, 1, 1, 0, 0, tzinfo=UTC), "America/St_Johns", " (2025-12-31 20:30:00 -03:30)"),
        (datetime(2026, 1, 1, 0, 0, tzinfo=UTC), "UTC", ""),
        (datetime(2026, 1, 1, 0, 0, tzinfo=UTC), "Europe/London", ""),
    ],
)
def test_local_time_stands_beside_with_its_offset(instant: datetime, zone: str, shown: str) -> None:
    """The same clock time twice on the day of change is told apart by its offset."""
    assert local_beside(instant, ZoneInfo(zone)) == shown


def test_titles_are_one_bounded_line() -> None:
    """A channel's title says the state first."""
    stored = incident(document=document(3, window(), subject="x" * 500))
    assert short_title(stored, "Still down").startswith("Still down: xxx")
    assert len(short_title(stored, "Still down")) <= 150


def test_instants_in_a_stored_sentence_are_told_as_clocks() -> None:
    """An instant of the same day is its clock in UTC; of another day it has its date; the rest stays."""
    on = datetime(2025, 11, 17, 15, 34, tzinfo=UTC)
    said = with_clocks(
        "passing since 2025-11-17T15:30:40.244Z, last 2025-11-16T08:00:00Z, item 2025-11-17", on=on
    )
    assert said == "passing since 15:30:40 UTC, last 08:00:00 UTC, 16 Nov 2025, item 2025-11-17"


def test_the_word_down_has_the_span_of_its_own_windows() -> None:
    """Down for two minutes inside a longer degraded stretch: neither lends the other its times."""
    slow = closed_window(state="degraded", start="2025-11-17T08:20:10Z", end="2025-11-17T08:50:10Z")
    down = closed_window(end="2025-11-17T08:32:50Z", end_after="2025-11-17T08:32:10Z", failed=3, total=3)
    parts = document(3, slow, windows=[slow, down])
    over = incident(Phase.RESOLVED, document=parts, start=START - 10 * MINUTE, end=START + 20 * MINUTE)
    assert headline(over).startswith(
        "gpt-4o-transcribe · realtime · swedencentral was down 08:30:10–08:32:50 UTC, 17 Nov 2025 "
        "(at least 2 min, at most 3 min 40 s): 3/3 runs failed. "
        "Degraded 08:20:10–08:50:10 UTC, 17 Nov 2025.\n"
    )
    still = {**parts, "windows": [{**slow, "end": None}, down]}
    lasting = headline(incident(document=still, start=START - 10 * MINUTE))
    assert "was down 08:30:10–08:32:50 UTC, 17 Nov 2025" in lasting
    assert "Degraded since 08:20:10 UTC, 17 Nov 2025, and still is." in lasting


def test_nobody_is_called_unhealthy_of_whom_nothing_is_known() -> None:
    """That no other target was healthy is said only where each of them failed too."""
    said = {
        (0, 3): "not known: 3 other targets have no run since it began, or a failed one last",
        (2, 1): "not known: 1 other target has no run since it began, or a failed one last",
        (2, 0): "no other target was healthy in this time",
        (0, 0): "no other target was measured in this time",
    }
    for (failing, unknown), words in said.items():
        beside = {"failing": failing, "unknown": unknown}
        stored = incident(document=document(3, window(), unaffected=[], beside=beside))
        assert f"Unaffected: {words}." in headline(stored)


def test_a_link_needs_a_public_address() -> None:
    """A link that leads nowhere is worse than none."""
    assert link(MessageSettings(), 1) is None
    assert link(MessageSettings(public_url="https://e.example/"), None) == "https://e.example/incidents"
