"""What an incident's diagnosis says of its windows: how long it lasted, and how many runs failed."""

from __future__ import annotations

from monitor.core.alerting.wording import headline
from monitor.core.incidents.incident import Phase
from monitor.core.model import Cell
from tests.support.sample_incident import closed_window, document, incident


def test_overlapping_windows_of_two_cells_count_once() -> None:
    """Two targets down for the same hour were down for one hour, with the runs of both."""
    other = Cell("azure-sweden", "gpt-4o-mini-transcribe", "realtime", "berlin")
    stored = incident(
        Phase.RESOLVED,
        document=document(420, closed_window(), windows=[closed_window(), closed_window(other)]),
    )
    assert "(at least 6 h 59 min, at most 7 h 1 min): 840/840 runs failed." in headline(stored)


def test_gaps_are_taken_off_the_least_length() -> None:
    """What nobody saw is not certainly down."""
    gap = closed_window() | {"from": "2025-11-17T10:00:00Z", "to": "2025-11-17T11:00:00Z"}
    stored = incident(Phase.RESOLVED, document=document(420, closed_window(), gaps=[gap]))
    assert "(at least 5 h 59 min, at most 7 h 1 min)" in headline(stored)


def test_a_suspicion_has_no_length_and_no_runs() -> None:
    """Without windows the figures are empty, and nothing fails."""
    found = incident(document={}).diagnosis
    assert (found.leading, found.began, found.ended, found.settles_at) == ((), None, None, None)
    assert (found.failed, found.total, found.bounds.most) == (0, 0, None)


def test_the_runs_that_tell_are_the_first_bad_and_the_last_bad_one() -> None:
    """A window that lasts has its last bad run still to come; each window has a length of its own."""
    other = Cell("azure-sweden", "whisper-1", "realtime", "berlin")
    lasting = closed_window(other) | {"end": None, "open": True, "start": "2025-11-17T09:00:00Z"}
    found = incident(document=document(420, closed_window(), windows=[lasting, closed_window()])).diagnosis
    assert found.first_bad == found.windows[1]
    assert found.last_bad == found.windows[0]
    assert found.lasted(found.windows[1]).text() == "at least 6 h 59 min, at most 7 h 1 min"
    assert found.lasted(found.windows[0]).open
    assert incident(document={}).diagnosis.first_bad is incident(document={}).diagnosis.last_bad is None
