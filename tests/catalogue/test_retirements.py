"""Which watched models end, by the shipped table and by the endpoints' own lists."""

from __future__ import annotations

from datetime import date

from monitor.catalogue.retirements import retirements_of
from monitor.core.model import Endpoint, Target

US = Endpoint(name="us", provider="openai", url="https://api.openai.com/v1")
AZURE = Endpoint(name="azure", provider="azure_openai", url="https://contoso.openai.azure.com")
OWN = Endpoint(name="own", provider="openai_compatible", url="http://stt.test/v1")


def target(endpoint: Endpoint, model: str = "whisper-1", pathway: str = "rest") -> Target:
    """A target."""
    return Target(endpoint=endpoint, model=model, pathway=pathway)


def test_openais_dates_are_certain_for_openai_only() -> None:
    """For Azure they are a hint, for a server of one's own they mean nothing."""
    found = retirements_of([target(US), target(US, pathway="rest_stream"), target(AZURE), target(OWN)])
    assert [(one.model, one.certain, one.targets) for one in found] == [
        ("whisper-1", True, ("us/whisper-1/rest", "us/whisper-1/rest_stream")),
        ("whisper-1", False, ("azure/whisper-1/rest",)),
    ]
    assert found[0].day == date(2027, 2, 26)
    assert found[0].successor == "gpt-transcribe"


def test_a_session_ends_with_its_host() -> None:
    """The host that is asked for by default counts as well; the nearest end comes first."""
    found = retirements_of([target(US, pathway="realtime")])
    assert [one.model for one in found] == ["gpt-realtime", "whisper-1"]


def test_what_does_not_end_is_not_told() -> None:
    """A model without a date, and one that nobody knows."""
    assert retirements_of([target(US, "gpt-transcribe"), target(US, "mine")]) == []


def test_an_endpoints_own_list_counts_before_the_table() -> None:
    """For its own targets, hosts of sessions included; where it gives no day the table still counts."""
    lists = {"us": {"whisper-1": date(2027, 5, 1)}, "own": {"whisper-1": date(2028, 1, 1)}, "azure": {}}
    targets = [target(US), target(US, "gpt-4o-transcribe"), target(AZURE), target(OWN)]
    found = [(one.model, one.day, one.certain, one.listed_by) for one in retirements_of(targets, lists)]
    assert found == [
        ("gpt-4o-transcribe", date(2027, 2, 26), True, ()),
        ("whisper-1", date(2027, 2, 26), False, ()),
        ("whisper-1", date(2027, 5, 1), True, ("us",)),
        ("whisper-1", date(2028, 1, 1), True, ("own",)),
    ]


def test_endpoints_that_list_the_same_day_are_told_together() -> None:
    """One notice is about one model and one day; the successor is kept where any endpoint knows it."""
    day = date(2027, 5, 1)
    lists = {"own": {"whisper-1": day}, "us": {"whisper-1": day}}
    (found,) = retirements_of([target(OWN), target(US)], lists)
    assert found.targets == ("own/whisper-1/rest", "us/whisper-1/rest")
    assert (found.listed_by, found.successor) == (("own", "us"), "gpt-transcribe")
