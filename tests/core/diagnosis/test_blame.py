"""Blame: what the code says, what the history says, and what the neighbours say."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.diagnosis.blame import IncidentBlame, Reasoned, both, most_frequent
from monitor.core.incidents.derive import derive
from monitor.core.model import Blame, Failure, Outcome, Verdict
from monitor.core.outages.history import StoredRun
from monitor.core.outages.marks import Mark
from monitor.core.outages.rule import Rule
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import minutes, row, together


def blamed(*rows: list[Outcome]) -> tuple[Blame, str]:
    """Blame and reason of the first incident."""
    history = MemoryHistory(together(*rows))
    now = history.newest()
    assert now is not None
    first = derive(history, Rule(), now=now).incidents[0]
    return first.blame, first.blame_reason


@pytest.mark.parametrize(
    ("failure", "blame"),
    [
        ("auth", "account"),
        ("quota", "account"),
        ("config", "account"),
        ("capacity", "provider"),
        ("content", "provider"),
        ("quality", "provider"),
        ("audio", "monitor"),
        ("lifecycle", "monitor"),
        ("monitor", "monitor"),
        ("handshake", "unknown"),
        ("protocol", "unknown"),
        ("unknown", "unknown"),
    ],
)
def test_a_failure_that_explains_itself_is_believed(failure: str, blame: str) -> None:
    """The first blame follows from the failure, whatever the line says and whatever passed before."""
    rows = row(".") + row("FFF", start=minutes(1), failure=Failure(failure), blame=Blame.NETWORK)
    assert blamed(rows) == (blame, f"the answer says {failure}")


def test_a_code_makes_a_server_failure_explicit() -> None:
    """With a code history does not count: a target that never passed is the provider's all the same."""
    rows = row("FFF", code="transcription_failed")
    assert blamed(rows) == (Blame.PROVIDER, "the answer says server: transcription_failed")


def test_without_a_failure_the_own_blame_counts() -> None:
    """An imported line that names no failure speaks for itself; without blame it is unknown."""
    reason = "as the outcomes say; they name no failure"
    assert blamed(row("FFF", failure=None, blame=Blame.NETWORK)) == (Blame.NETWORK, reason)
    assert blamed(row("FFF", failure=None)) == (Blame.UNKNOWN, reason)
    assert blamed(row("DDDD", blame=Blame.PROVIDER)) == (Blame.PROVIDER, reason)


def test_what_passed_within_a_day_is_the_providers() -> None:
    """The same configuration passed before: provider, with the counts."""
    assert blamed(row("..F.FFF")) == (
        Blame.PROVIDER,
        "same configuration passed 2/2 in 24 h; no change recorded",
    )


def test_what_never_passed_is_suspected_configuration() -> None:
    """Never with this configuration: our own account."""
    never = "this configuration never passed before: suspected configuration"
    assert blamed(row("FFF")) == (Blame.ACCOUNT, never)
    assert blamed(row(".."), row("FFF", start=minutes(2), configuration="other")) == (Blame.ACCOUNT, never)


def test_what_never_passed_beside_a_passing_rest_is_unknown() -> None:
    """The same deployment answers over REST: it is there, so nobody can say."""
    reason = "this configuration never passed before, yet rest of the same deployment passes"
    assert blamed(row("FFF"), row("...", pathway="rest")) == (Blame.UNKNOWN, reason)
    assert blamed(row("FFF"), row("AAA", pathway="rest", start=minutes(0.1)))[0] is Blame.ACCOUNT
    assert blamed(row("FFF", pathway="rest"))[0] is Blame.ACCOUNT


def test_what_passed_longer_ago_is_unknown() -> None:
    """More than 24 hours: unknown, with the last pass named."""
    assert blamed(row("."), row("FFF", start=minutes(24 * 60 + 1))) == (
        Blame.UNKNOWN,
        "same configuration last passed at 2025-11-17T08:30:10Z, more than 24 h before",
    )
    assert blamed(row("."), row("FFF", start=minutes(24 * 60)))[0] is Blame.PROVIDER


def test_the_baseline_begins_at_a_change() -> None:
    """Passes of another configuration are no baseline, also where a gap hides the change."""
    for pause in (0, 60):
        begin = minutes(3 + pause)
        rows = (
            row("..."),
            row("..", start=begin, configuration="other"),
            row("FFF", start=minutes(5 + pause), configuration="other"),
        )
        changed = f"same configuration passed 2/2 since its change at {begin:%Y-%m-%dT%H:%M:%SZ}"
        assert blamed(*rows) == (Blame.PROVIDER, changed)
    same = row("..."), row("..FFF", start=minutes(60))
    assert blamed(*same) == (Blame.PROVIDER, "same configuration passed 5/5 in 24 h; no change recorded")


def test_out_of_reach_beside_a_reachable_endpoint_is_the_providers() -> None:
    """Its edge or the route to it."""
    assert blamed(row("CCC"), row("...", endpoint="openai-us")) == (
        Blame.PROVIDER,
        "connect failed while openai-us was reachable: its edge or the route to it",
    )


def test_another_endpoint_of_the_same_address_is_nothing_to_compare_with() -> None:
    """Two tables of one host say nothing about each other; a third host does."""
    here = row("CCC", host="h:1")
    beside = row("...", endpoint="azure-again", host="h:1")
    assert blamed(here, beside)[0] is Blame.UNKNOWN
    assert blamed(here, beside, row("...", endpoint="openai-us", host="h:2")) == (
        Blame.PROVIDER,
        "connect failed while openai-us was reachable: its edge or the route to it",
    )


def test_out_of_reach_from_here_only_is_the_network() -> None:
    """Other locations reach the same endpoint; one of them not reaching it is another matter."""
    here, there = row("CCC"), row("...", location="paris")
    assert blamed(here, there) == (
        Blame.NETWORK,
        "connect failed from berlin only; reached from paris",
    )
    assert blamed(here, there, row("...", endpoint="openai-us"))[0] is Blame.NETWORK
    assert blamed(here, there, row("CCC", location="oslo"))[0] is Blame.UNKNOWN
    assert blamed(here, row("...", location="paris", start=minutes(-60)))[0] is Blame.UNKNOWN


def test_out_of_reach_with_nothing_to_compare_is_unknown() -> None:
    """One endpoint, one location."""
    assert blamed(row("CCC")) == (
        Blame.UNKNOWN,
        "connect failed and there is nothing to compare it with",
    )


def test_the_most_frequent_blame_wins_and_ties_have_an_order() -> None:
    """Account before provider before network before unknown; the commonest reason of the winner."""
    votes = [Reasoned(Blame(blame), blame) for blame in ("unknown", "provider", "provider", "network")]
    assert most_frequent(votes) == Reasoned(Blame.PROVIDER, "provider")
    assert most_frequent(Reasoned(blame, "") for blame in reversed(Blame)).blame is Blame.ACCOUNT
    assert most_frequent([]).blame is Blame.UNKNOWN


NAMED: list[dict[str, Any]] = [
    {"http_status": 503},
    {"http_status": 502},
    {"http_status": 424},
    {"close_code": 1012},
    {"close_code": 1014},
    {"code": "model_load_error"},
    {"message": "Input transcription failed for item 'item_1'. 503 Service Unavailable"},
    {"http_status": 500, "message": "upstream: HTTP 504"},
]
GENERIC: list[dict[str, Any]] = [
    {},
    {"http_status": 500},
    {"close_code": 1006},
    {"close_code": 1011},
    {"failure": Failure.SILENT},
    {"http_status": 500, "message": "Internal server error"},
]


@pytest.mark.parametrize("said", NAMED, ids=str)
def test_a_named_failure_is_the_providers_though_the_target_never_passed(said: dict[str, Any]) -> None:
    """503, a gateway's status, a restart, a code, a cause in the words: history does not count."""
    blame, reason = blamed(row("FFF", **said))
    assert blame is Blame.PROVIDER
    assert reason.startswith("the answer says server: ")


@pytest.mark.parametrize("said", GENERIC, ids=str)
def test_a_generic_failure_of_what_never_passed_is_suspected_configuration(said: dict[str, Any]) -> None:
    """500 without a cause, a connection that was lost, silence: they look the same for everybody's fault."""
    assert blamed(row("FFF", **said))[0] is Blame.ACCOUNT


@pytest.mark.parametrize("later", ["FFFFFF", "FFF" + "F" * 40])
def test_a_change_during_an_outage_does_not_make_it_ours(later: str) -> None:
    """The baseline is the first bad run's configuration, however many bad runs come after the change."""
    before = row("." * 5 + "FFF")
    after = row(later, start=minutes(8), configuration="tried")
    assert blamed(before, after) == (
        Blame.PROVIDER,
        "same configuration passed 5/5 in 24 h; no change recorded",
    )
    again = row("FFF", start=minutes(8 + len(later)), configuration="tried again")
    assert blamed(before, after, again)[0] is Blame.PROVIDER


def test_a_change_just_before_an_outage_is_ours() -> None:
    """The first bad run has the new configuration, which never passed."""
    assert blamed(row("....."), row("FFF", start=minutes(5), configuration="new"))[0] is Blame.ACCOUNT
    back = row("FFF", start=minutes(8))
    assert blamed(row("....."), row("FFF", start=minutes(5), configuration="new"), back)[0] is Blame.ACCOUNT


def mixed(marks: str) -> IncidentBlame:
    """Both sides of failed runs: A of our account, F the provider's, U nobody's."""
    blames = {"A": Blame.ACCOUNT, "F": Blame.PROVIDER, "U": Blame.UNKNOWN, "N": Blame.NETWORK}
    runs = [
        StoredRun(started_at=minutes(index), id=str(index), number=index, verdict=Verdict.FAILED)
        for index in range(len(marks))
    ]
    return both((run, Reasoned(blames[mark], mark)) for run, mark in zip(runs, marks, strict=True))


@pytest.mark.parametrize(
    ("marks", "blame", "also"),
    [
        ("AAF", "account", "provider"),
        ("AAAAF", "account", "provider"),
        ("FFFFA", "provider", "account"),
        ("AAAU", "account", "unknown"),
        ("AAANN", "account", "network"),
        ("A" * 100 + "FFF", "account", "provider"),
        ("A" * 100 + "FAFAF", "account", "provider"),
        ("A" * 100 + "F", "account", None),
        ("FAAAAA" * 10, "account", None),
        ("FFFFF", "provider", None),
        ("FFUUN", "provider", None),
    ],
)
def test_account_and_provider_mixed_are_both_said(marks: str, blame: str, also: str | None) -> None:
    """Where the other side has a fifth of the runs, or three of five in a row; a stray one is none."""
    told = mixed(marks)
    assert (told.main.blame, told.other and told.other.blame) == (blame, also)
    if also:
        runs = marks.count("F" if blame == "provider" else "A")
        assert told.words(()).startswith(f"{blame} in {runs} of {len(marks)} failed runs (")
        assert f"; {also} in " in told.words(())


def test_a_mark_stands_in_place_of_the_word_that_nothing_changed() -> None:
    """Of one side and of both; a provider's own words that end alike stay as they are."""
    mark = Mark(minutes(0), "deployed 4.2", "ann")
    near = "marked near its start: 'deployed 4.2' at 2025-11-17T08:30:10Z"
    passed = Reasoned(Blame.PROVIDER, "passed 5/5", unchanged=True)
    refused = Reasoned(Blame.ACCOUNT, "the answer says auth: x; no change recorded")
    assert IncidentBlame(passed).words(()) == "passed 5/5; no change recorded"
    assert IncidentBlame(passed).words([mark]) == f"passed 5/5; {near}"
    assert IncidentBlame(refused).words([mark]) == f"the answer says auth: x; no change recorded; {near}"
    both_said = IncidentBlame(passed, refused, {Blame.PROVIDER: 3, Blame.ACCOUNT: 2}, 5)
    assert both_said.words([mark]) == (
        "provider in 3 of 5 failed runs (passed 5/5); "
        f"account in 2 of 5 failed runs (the answer says auth: x; no change recorded); {near}"
    )
