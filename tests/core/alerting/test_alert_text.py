"""The alerts word for word, on the reference day and at their edges."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.alerting.alert_text import (
    LONGEST,
    local,
    opened_text,
    recovering_text,
    resolved_text,
    updated_text,
)
from monitor.core.alerting.wording import RELAPSE, Latest, MessageFacts, MessageSettings
from monitor.core.incidents.incident import Phase, StoredIncident
from monitor.core.model import Blame, Cell
from tests.support.sample_incident import (
    DECIDED,
    END,
    FAILING,
    MINUTE,
    REST,
    closed_window,
    control,
    document,
    incident,
    latest_at,
    signature,
    window,
)

BERLIN = MessageSettings(public_url="https://earwitness.example", zone=ZoneInfo("Europe/Berlin"))
LINK = "https://earwitness.example/incidents/1"


def telling(
    stored: StoredIncident, now: datetime = DECIDED, voice: MessageSettings = BERLIN, **parts: Any
) -> MessageFacts:
    """The stored incident told at *now*, with both controls passing."""
    latest = {**latest_at(now), FAILING: Latest(passed=5, total=5)}
    return MessageFacts(**{"incident": stored, "now": now, "voice": voice, "latest": latest, **parts})


def test_the_first_alert_reads_as_agreed() -> None:
    """What since when, what works now, the provider's words and whose fault it looks like, where to look."""
    assert opened_text(telling(incident())) == (
        "DOWN gpt-4o-transcribe realtime (azure-sweden) since 09:30 CET, 2 min\n"
        "Works now: gpt-4o-transcribe rest, whisper-1 realtime\n"
        "Error: server_error \"Input transcription failed for item '…'.\". "
        "Looks like: provider (passed until 09:29 CET)\n"
        f"{LINK} · next word 10:32 CET"
    )


def test_an_update_says_what_came_since_the_last_one() -> None:
    """Still down, with the runs since the previous notice."""
    stored = incident(document=document(63, window(failed=63, total=63)))
    text = updated_text(telling(stored, DECIDED + 60 * MINUTE, told_failed=3, told_total=3))
    assert text.splitlines()[0] == (
        "STILL DOWN gpt-4o-transcribe realtime (azure-sweden) since 09:30 CET, 1 h 2 min: "
        "60 of 60 failed since the last word"
    )
    assert text.endswith("next word 11:32 CET")


def test_an_update_without_new_runs_says_so() -> None:
    """Silence of the monitor is not told as health."""
    assert "no run since the last word" in updated_text(telling(incident(), told_failed=3, told_total=3))


def test_an_update_on_a_change_names_it() -> None:
    """What changed stands before what works now."""
    text = updated_text(telling(incident(), changed=("blame provider (was unknown)",)))
    assert text.splitlines()[1] == "Changed: blame provider (was unknown)"


def test_a_relapse_is_worded_as_one() -> None:
    """Whoever was told of the recovery is told that it did not last."""
    text = updated_text(telling(incident(), changed=(RELAPSE,)))
    assert text.startswith("DOWN AGAIN gpt-4o-transcribe realtime (azure-sweden) since ")
    assert "Changed" not in text


def test_recovering_says_since_when_and_until_when_it_is_too_early() -> None:
    """Passes are counted, bounds given, and nobody is sent back yet."""
    assert recovering_text(telling(incident(Phase.RECOVERING), END + 4 * MINUTE)) == (
        "RECOVERING gpt-4o-transcribe realtime (azure-sweden): passes since 16:30 CET, 5 of 5 runs passed\n"
        "Not safe to go back before 16:44 CET\n"
        "Was down 09:30–16:30 CET (at least 6 h 59 min, at most 7 h 1 min), 420 of 420 runs failed\n"
        f"{LINK}"
    )


def test_resolved_says_it_is_safe_to_go_back() -> None:
    """The length with both bounds, and where the evidence is."""
    assert resolved_text(telling(incident(Phase.RESOLVED), END + 20 * MINUTE)) == (
        "RESOLVED gpt-4o-transcribe realtime (azure-sweden): safe to go back, 5 of 5 runs passed\n"
        "Was down 09:30–16:30 CET (at least 6 h 59 min, at most 7 h 1 min), 420 of 420 runs failed\n"
        "For a ticket: earwitness evidence 1\n"
        f"{LINK}"
    )


def test_nothing_is_said_to_work_that_is_not_known_to_work_now() -> None:
    """A control that was fine in the span and failed since, or of which nothing is known, is not named."""
    latest = {REST: Latest(last_pass=DECIDED - MINUTE, healthy=False)}
    for facts in (telling(incident(), latest=latest), telling(incident(), latest={})):
        assert "Works now" not in opened_text(facts)


def test_many_that_work_are_counted_after_the_nearest_three() -> None:
    """The line stays readable with two hundred targets."""
    cells = [Cell("other", f"m{number}", "rest", "berlin") for number in range(200)]
    stored = incident(document=document(3, window(), unaffected=[control(cell, 3) for cell in cells]))
    latest = dict.fromkeys(cells, Latest(healthy=True))
    assert "Works now: m0 rest on other, m1 rest on other, m2 rest on other and 197 more\n" in (
        opened_text(telling(stored, latest=latest))
    )


def test_without_a_public_address_the_incident_is_named_by_its_number() -> None:
    """A link that leads nowhere is worse than none; without a zone the times are UTC."""
    text = opened_text(telling(incident(), voice=MessageSettings()))
    assert text.endswith("Incident 1 · next word 09:32 UTC")
    assert "since 08:30 UTC" in text


def test_the_newest_run_is_quoted_and_other_errors_are_counted() -> None:
    """What it says now is told, not what it said most often; the others are not hidden."""
    newest = signature(1, type="late", said="item 7 is gone", last_at="2025-11-17T08:32:10Z")
    older = signature(9, said="item 3 is gone", last_at="2025-11-17T08:31:10Z")
    stored = incident(document=document(3, window(), signatures=[older, newest]))
    assert 'Error: late "item 7 is gone" (and 1 other error).' in opened_text(telling(stored))


def test_a_state_that_ended_inside_another_has_its_own_times() -> None:
    """Down for two minutes inside a longer degraded stretch."""
    slow = closed_window(state="degraded", start="2025-11-17T08:20:10Z", end=None)
    down = closed_window(end="2025-11-17T08:32:50Z", end_after="2025-11-17T08:32:10Z", failed=3, total=3)
    lasting = incident(document=document(3, slow, windows=[slow, down]))
    assert "09:30:10–09:32:50 CET, degraded since" in updated_text(telling(lasting))


def test_a_degraded_incident_does_not_claim_that_runs_failed() -> None:
    """Slow and wrong runs are bad, not failed."""
    stored = incident(
        Phase.RESOLVED, document=document(4, closed_window(state="degraded", failed=4, total=20))
    )
    assert "4 of 20 runs failed, slow or wrong" in resolved_text(telling(stored, END + 20 * MINUTE))


def test_an_opening_told_late_is_told_as_a_recovery() -> None:
    """A channel that hears of it only now is not told that it is still down."""
    assert opened_text(telling(incident(Phase.RECOVERING), END + 4 * MINUTE)).startswith("RECOVERING ")


def test_what_is_not_known_is_left_out() -> None:
    """No reason, no signature, no counts since: no words about them."""
    stored = incident(document=document(3, window(start_after=None), signatures=[], blame_reason=""))
    assert opened_text(telling(stored)).splitlines()[2] == "Looks like: provider"
    assert "safe to go back\n" in resolved_text(telling(incident(Phase.RESOLVED), latest={}))


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Europe/Berlin", "23:59 CET, 17 Nov"),
        ("UTC", "22:59 UTC, 17 Nov"),
        ("Asia/Tokyo", "07:59 JST, 18 Nov"),
    ],
)
def test_a_day_is_named_where_it_is_not_today(zone: str, shown: str) -> None:
    """A bare clock time means today in the configured zone."""
    facts = telling(incident(), datetime(2025, 11, 19, 12, tzinfo=UTC), MessageSettings(zone=ZoneInfo(zone)))
    assert local(datetime(2025, 11, 17, 22, 59, tzinfo=UTC), facts) == shown
    assert "," not in local(facts.now + timedelta(minutes=1), facts)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (
            {"type": None, "said": "see @all <b> https://x"},
            'server "see @\u200ball \u2039b\u203a https:\u200b//x"',
        ),
        ({"code": "rate_limit", "type": "requests", "message": None}, "rate_limit."),
        ({"type": None, "failure": None, "message": "# words"}, 'unknown "# words"'),
        ({"type": None, "failure": "silent", "message": None}, "silent."),
    ],
)
def test_an_error_quotes_the_provider_harmlessly(parts: dict[str, Any], words: str) -> None:
    """Its code, else its type, else the failure; what it said alerts nobody and leads nowhere."""
    stored = incident(document=document(3, window(), signatures=[signature(3, **parts)]))
    assert f"Error: {words}" in opened_text(telling(stored))


@given(st.text(min_size=1, max_size=3000), st.text(max_size=3000))
def test_texts_are_bounded_whatever_the_provider_says(message: str, reason: str) -> None:
    """A flood in message, model or reason takes neither the first line nor the link."""
    hostile = Cell("azure-sweden", message[:200], "realtime", "berlin")
    contents = document(
        3, window(), signatures=[signature(3, type=None, message=message)], blame_reason=reason,
        unaffected=[control(Cell("e", "m" + hostile.model.replace("/", ""), "rest", "berlin"), 3)],
    )  # fmt: skip
    text = opened_text(telling(incident(document=contents, title=f"{message} down since")))
    before, _, last = text.rpartition("\n")
    assert len(before) <= LONGEST
    assert before.startswith("DOWN gpt-4o-transcribe realtime (azure-sweden) since ")
    assert last == f"{LINK} · next word 10:32 CET"


@pytest.mark.parametrize(
    ("blame", "also", "words"),
    [
        (Blame.ACCOUNT, Blame.PROVIDER, "our account and provider"),
        (Blame.PROVIDER, Blame.ACCOUNT, "provider and our account"),
        (Blame.ACCOUNT, Blame.NETWORK, "our account and our network"),
        (Blame.ACCOUNT, Blame.UNKNOWN, "our account and something unclear"),
    ],
)
def test_both_sides_are_said_where_they_are_mixed(blame: Blame, also: Blame, words: str) -> None:
    """Whoever is told reads of both."""
    stored = incident(blame=blame)
    mixed = replace(stored, diagnosis=replace(stored.diagnosis, also_blamed=also))
    assert f"Looks like: {words}" in opened_text(telling(mixed))
