"""Diagnosis: the reference day to the letter, and how windows become incidents."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings

from monitor.core.diagnosis.diagnose import Beside, Incident, Severity
from monitor.core.incidents.derive import derive, to_json
from monitor.core.model import Blame, Outcome, State
from monitor.core.outages.rule import Rule
from monitor.core.outages.windows import overlaps
from tests.support.examples import examples
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import matrices, minutes, row, together

DAY = 24 * 60
TARGETS = [(model, path) for model in ("gpt-4o-transcribe", "whisper-1") for path in ("realtime", "rest")]


def incidents(*rows: list[Outcome], until: float | None = None) -> tuple[Incident, ...]:
    """The incidents of these runs."""
    history = MemoryHistory(together(*rows))
    now = history.newest() if until is None else minutes(until)
    assert now is not None
    return derive(history, Rule(), now=now).incidents


def reference_day(after: int) -> list[Outcome]:
    """A day of passes, seven hours in which one of four targets fails, and some passes after."""
    rows = []
    for index, (model, pathway) in enumerate(TARGETS):
        bad = "F" * 420 if index == 0 else "." * 420
        rows.append(
            row(
                "." * DAY + bad + "." * after,
                start=minutes(-DAY + index / 30),
                model=model,
                pathway=pathway,
                type="server_error",
                message="Input transcription failed for item 'item_AbCdEf123456'.",
            )
        )
    return together(*rows)


def test_the_reference_day_gives_exactly_its_numbers() -> None:
    """420 of 420 from 08:30:10 to 15:30:10, neighbours unaffected, the provider to blame."""
    (incident,) = incidents(reference_day(after=60))
    assert incident.title == (
        "gpt-4o-transcribe · realtime · swedencentral down 08:30:10–15:30:10 UTC. "
        "Unaffected: gpt-4o-transcribe rest 420/420, whisper-1 realtime 420/420."
    )
    assert incident.scope.conjunctions == ({"model": "gpt-4o-transcribe", "pathway": "realtime"},)
    assert not incident.scope.ambiguous
    assert [(one.cell.model, one.cell.pathway, one.passed, one.total) for one in incident.unaffected] == [
        ("gpt-4o-transcribe", "rest", 420, 420),
        ("whisper-1", "realtime", 420, 420),
        ("whisper-1", "rest", 420, 420),
    ]
    assert (incident.blame, incident.severity) == (Blame.PROVIDER, Severity.MAJOR)
    assert incident.blame_reason == "same configuration passed 1,440/1,440 in 24 h; no change recorded"
    (window,) = incident.windows
    assert (window.failed, window.total) == (420, 420)
    assert window.end_after - window.start == timedelta(hours=6, minutes=59)
    assert window.end is not None
    assert window.start_after is not None
    assert window.end - window.start_after == timedelta(hours=7, minutes=1)
    (signature,) = incident.signatures
    assert (signature.count, signature.message) == (420, "Input transcription failed for item '…'.")
    assert incident.configurations == ("c1",)


def test_the_reference_outage_reads_down_since_while_it_lasts() -> None:
    """Two minutes in: three of three, and the controls as far as they go."""
    (incident,) = incidents(reference_day(after=0), until=2.5)
    assert incident.title == (
        "gpt-4o-transcribe · realtime · swedencentral down since 08:30:10 UTC. "
        "Unaffected: gpt-4o-transcribe rest 3/3, whisper-1 realtime 3/3."
    )
    assert incident.open
    assert incident.end is None


def test_degraded_runs_do_not_outvote_the_failed_runs_of_an_incident() -> None:
    """The blame is the most frequent over the failed runs, whatever else shares the incident."""
    down = row("....." + "F" * 5 + "." * 25)
    slow = row("....." + "D" * 20 + "." * 10, pathway="rest")
    (incident,) = incidents(down, slow)
    assert incident.affected == (
        "azure-sweden/gpt-4o-transcribe/realtime",
        "azure-sweden/gpt-4o-transcribe/rest",
    )
    assert incident.blame is Blame.PROVIDER


def test_blames_that_never_share_an_incident_are_told_apart() -> None:
    """A revoked key, a broken file of ours and an outage at the same time are three incidents."""
    found = incidents(
        row(".AAA"),
        row(".FFF", model="b"),
        row(".MMM", model="c"),
        row("....", model="d"),
    )
    assert [(one.blame, one.severity, one.affected) for one in found] == [
        (Blame.PROVIDER, Severity.MAJOR, ("azure-sweden/b/realtime",)),
        (Blame.MONITOR, Severity.NOTICE, ("azure-sweden/c/realtime",)),
        (Blame.ACCOUNT, Severity.NOTICE, ("azure-sweden/gpt-4o-transcribe/realtime",)),
    ]
    assert [one.number for one in found] == [1, 2, 3]


def test_two_causes_at_once_are_two_incidents() -> None:
    """No one conjunction explains both without covering what is healthy."""
    found = incidents(
        row(".FFF", model="a", pathway="rest"),
        row("....", model="a", pathway="realtime"),
        row("....", model="b", pathway="rest"),
        row(".FFF", model="b", pathway="realtime"),
    )
    assert [one.scope.conjunctions for one in found] == [
        ({"model": "a", "pathway": "rest"},),
        ({"model": "b", "pathway": "realtime"},),
    ]
    assert [len(one.unaffected) for one in found] == [2, 2]


def test_a_control_passed_since_it_began_and_did_not_fail_last() -> None:
    """One good run after the first bad one makes a control; none, or a failed one after it, does not."""
    failing = row("...FFF")
    late = row("....F.", model="late")  # failed once, good since
    ill = row(".....F", model="ill")  # its newest run failed
    silent = row("...", model="silent")  # no run since
    never = row("...FF", model="never")  # only failed since: no window yet
    (incident,) = incidents(failing, late, ill, silent, never)
    assert [(one.cell.model, one.passed, one.total) for one in incident.unaffected] == [("late", 2, 3)]
    assert "Unaffected: late realtime 2/3." in incident.title
    assert incident.beside is None
    (alone,) = incidents(failing, ill, silent, never)
    assert not alone.unaffected
    assert alone.beside == Beside(failing=0, unknown=3)


def test_a_title_gives_the_word_down_its_own_time() -> None:
    """A short outage inside a degraded stretch is not called as long as it."""
    (incident,) = incidents(row("." * 3 + "D" * 6 + "FFF" + "D" * 6 + "." * 15))
    assert {window.state for window in incident.windows} == {State.DOWN, State.DEGRADED}
    assert "down 08:39:10–08:42:10 UTC" in incident.title
    assert incident.start == minutes(3)


def test_windows_apart_in_time_are_separate_incidents() -> None:
    """What ends before the other begins is another story; what touches it transitively is not."""
    long_ago = row(".FFF......" + "." * 15)
    assert len(incidents(long_ago, row("." * 18 + "FFF.....", model="b"))) == 2
    chained = row("." * 8 + "F" * 20, model="c"), row("." * 24 + "F" * 6, model="d")
    (one,) = incidents(row("." + "F" * 9 + "......"), *chained)
    assert one.start == minutes(1)
    assert one.end is None


def test_degraded_and_down_may_share_an_incident() -> None:
    """A slow neighbour of a target that is down belongs to the same trouble; alone it is minor."""
    (one,) = incidents(row(".FFFFFF"), row(".DDDDDD", model="b"))
    assert {window.state.value for window in one.windows} == {"down", "degraded"}
    assert "down since" in one.title
    (slow,) = incidents(row(".DDDDDD"), row(".......", model="b"))
    assert (slow.severity, "degraded since" in slow.title) == (Severity.MINOR, True)


def test_a_whole_region_down_is_critical() -> None:
    """Every target of the region, from two locations where there are two."""
    region = row(".FFF"), row(".FFF", model="b")
    (here,) = incidents(*region, row("....", endpoint="us", region="eastus"))
    assert here.severity is Severity.CRITICAL
    (from_one,) = incidents(*region, row("....", location="paris"), row("....", model="b", location="paris"))
    assert from_one.severity is Severity.MAJOR
    (alone,) = incidents(row(".FFF", region=None), row("....", endpoint="us", region="eastus"))
    assert alone.severity is Severity.MAJOR


def test_no_windows_no_incidents() -> None:
    """A quiet history tells no story."""
    assert incidents(row("....")) == ()


@settings(max_examples=examples(150), deadline=None)
@given(matrices(most=40))
def test_incidents_keep_their_promises(outcomes: list[Outcome]) -> None:
    """Every window is in one incident; controls are healthy; the scope covers all failing, no control."""
    if not outcomes:
        return
    history = MemoryHistory(outcomes)
    now = history.newest()
    assert now is not None
    derived = derive(history, Rule(), now=now)
    told = [window for incident in derived.incidents for window in incident.windows]
    assert sorted(told, key=str) == sorted(derived.windows, key=str)
    for incident in derived.incidents:
        healthy = {control.cell for control in incident.unaffected}
        for cell in healthy:
            ill = (window for window in derived.windows if window.cell == cell)
            assert not any(overlaps(window, incident.start, incident.end) for window in ill)
        scope = incident.scope.conjunctions
        for cell in history.cells():
            covered = any(all(history.facets(cell)[f] == v for f, v in part.items()) for part in scope)
            if any(window.cell == cell for window in incident.windows):
                assert covered
            if cell in healthy:
                assert not covered
        assert all(0 <= one.passed <= one.total > 0 for one in incident.unaffected)
    assert [one["number"] for one in to_json(derived)["incidents"]] == list(
        range(1, len(derived.incidents) + 1)
    )
