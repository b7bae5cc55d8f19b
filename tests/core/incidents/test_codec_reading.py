"""An incident's document read as values, whatever it lacks."""

from __future__ import annotations

from monitor.core.alerting.wording import headline
from monitor.core.incidents.codec import read_course, read_story
from monitor.core.incidents.incident import Phase
from monitor.core.model import Cell
from tests.support.sample_incident import END, START, closed_window, document, incident


def test_a_story_without_a_speaking_title_names_its_first_target() -> None:
    """The subject never fails, whatever the title is."""
    assert read_story(incident(title="?")).subject == "azure-sweden · gpt-4o-transcribe · realtime"
    assert read_story(incident(title="?", document={})).subject == "?"


def test_overlapping_windows_of_two_cells_count_once() -> None:
    """Two targets down for the same hour were down for one hour, with the runs of both."""
    other = Cell("azure-sweden", "gpt-4o-mini-transcribe", "realtime", "berlin")
    stored = incident(
        Phase.RESOLVED,
        document=document(420, closed_window(), windows=[closed_window(), closed_window(other)]),
    )
    assert "(at least 6 h 59 min, at most 7 h 1 min): 840/840 runs failed." in headline(read_story(stored))


def test_gaps_are_taken_off_the_least_length() -> None:
    """What nobody saw is not certainly down."""
    gap = {"from": "2025-11-17T10:00:00Z", "to": "2025-11-17T11:00:00Z"}
    stored = incident(Phase.RESOLVED, document=document(420, closed_window(), gaps=[gap]))
    assert "(at least 5 h 59 min, at most 7 h 1 min)" in headline(read_story(stored))
    assert START < END


def test_a_course_tells_what_the_story_tells() -> None:
    """Lists, which read no controls, print the numbers of the incident's page; so they do for a suspicion."""
    gap = {"from": "2025-11-17T10:00:00Z", "to": "2025-11-17T11:00:00Z"}
    whole = document(420, closed_window(), gaps=[gap])
    for stored in (incident(Phase.RESOLVED, document=whole), incident(title="?", document={})):
        course, story = read_course(stored), read_story(stored)
        assert (course.state, course.condition, course.leading) == (
            story.state,
            story.condition,
            story.leading,
        )
        assert (course.failed, course.total, course.bounds) == (story.failed, story.total, story.bounds)
