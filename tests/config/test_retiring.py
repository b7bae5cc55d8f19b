"""Which watched models end, by the shipped table."""

from __future__ import annotations

from datetime import date

from monitor.config.retiring import retirements_of
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
