"""Size and baseline of an incident: counts, bounds and edges."""

from __future__ import annotations

from datetime import timedelta

from monitor.core.evidence.bundle_facts import Baseline, Period, Role
from monitor.core.incidents.incident import Phase
from monitor.reports.ticket.summary import render_ticket
from tests.support.sample_bundle_facts import dossier, exhibit, failed, line
from tests.support.sample_incident import END, LAST_BAD, MINUTE, closed_window, document, incident


def test_several_windows_are_counted_and_bounded_together() -> None:
    """A flapping outage says how many windows and how long they were together."""
    first = closed_window(end="2025-11-17T09:30:10Z", end_after="2025-11-17T09:29:10Z", failed=60, total=60)
    second = closed_window(
        start="2025-11-17T14:30:10Z", start_after="2025-11-17T14:29:10Z", failed=60, total=60
    )
    flapping = incident(Phase.RESOLVED, document=document(120, first, windows=[first, second]))
    assert line(render_ticket(dossier(incident=flapping, coverage=0.9996)), "Size") == (
        "Size: 120/120 runs failed, one a minute, coverage 99.9 %. 2 windows, together at least 1 h 58 min, "
        "at most 2 h 2 min. Start between 08:29:10 and 08:30:10, end between 15:29:10 and 15:30:10. "
        "Passing since."
    )


def test_an_edge_without_a_good_run_before_it_says_so() -> None:
    """The start of an outage that was there when we came is only a bound."""
    cut_off = incident(Phase.RESOLVED, document=document(420, closed_window(start_after=None)))
    assert "Start at or before 08:30:10, no good run precedes it" in render_ticket(dossier(incident=cut_off))


def test_edges_on_another_day_carry_their_date() -> None:
    """An end after midnight is not an end before the start."""
    night = closed_window(end="2025-11-18T01:00:10Z", end_after="2025-11-18T00:59:10Z")
    over = incident(Phase.RESOLVED, document=document(420, night), end=END + timedelta(hours=9, minutes=30))
    text = render_ticket(dossier(incident=over))
    assert "failed 08:30:10 UTC, 17 Nov 2025 – 01:00:10 UTC, 18 Nov 2025" in text
    assert "end between 00:59:10 (18 Nov 2025) and 01:00:10 (18 Nov 2025)" in text
    late = exhibit(Role.LAST_FAILED, failed("last", LAST_BAD + timedelta(hours=9, minutes=30)))
    assert "Last failed 2025-11-18T00:59:10Z:" in render_ticket(dossier(incident=over, exhibits=[late]))


def test_a_return_that_is_not_whole_is_counted() -> None:
    """The words "Passing since" are only said when every run since has passed."""
    shaky = Baseline(period=Period.SINCE, since=END, until=END + 30 * MINUTE, passed=28, total=30)
    assert "Since then 28/30 passed." in render_ticket(dossier(baselines=[shaky]))


def test_what_lies_near_the_start_is_said_where_there_is_any() -> None:
    """Marks and changes of configuration on our own side: a provider asks for them first."""
    facts = {
        "marks": [{"at": "2025-11-17T08:12:00Z", "text": "deployed\n4.2 <b>", "author": "ann"}],
        "changes": [
            {"at": "2025-11-17T08:29:40Z", "target": "a/b/rest", "location": "x", "from": "c1", "to": None}
        ],
    }
    told = incident(Phase.RESOLVED, document=document(420, closed_window(), **facts))
    assert line(render_ticket(dossier(incident=told)), "Near the start") == (
        "Near the start, on our side: marked 'deployed 4.2 ‹b›' at 2025-11-17T08:12:00Z; configuration of "
        "a/b/rest changed at 2025-11-17T08:29:40Z from c1 to unnamed"
    )
    quiet = incident(Phase.RESOLVED, document=document(420, closed_window()))
    assert "Near the start" not in render_ticket(dossier(incident=quiet))
