"""The texts word for word, on the reference day and at their edges."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.alerting.wording import (
    LONGEST_TEXT,
    RELAPSE,
    Latest,
    MessageFacts,
    MessageSettings,
    headline,
    link,
    opened_text,
    recovering_text,
    resolved_text,
    short_title,
    symptom_words,
    updated_text,
)
from monitor.core.diagnosis.signatures import Signature
from monitor.core.incidents.incident import Phase, StoredIncident
from monitor.core.model import Cell
from monitor.core.timefmt import local_beside, moment, span_words, with_clocks
from tests.support.sample_incident import (
    DECIDED,
    END,
    FAILING,
    MINUTE,
    REASON,
    REST,
    START,
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
    """Three lines: what since when, what is fine and whose fault, where to go now."""
    assert opened_text(telling(incident())) == (
        "gpt-4o-transcribe · realtime · swedencentral down since 08:30:10 UTC (09:30:10 +01:00): "
        "3/3 runs failed, server at transcribe: server_error, code null, "
        "\"Input transcription failed for item '…'.\".\n"
        "Unaffected: gpt-4o-transcribe rest (passed 08:32:14), whisper-1 realtime (08:32:16). "
        f"Blame: provider: {REASON}.\n"
        "Healthy now: gpt-4o-transcribe rest, whisper-1 realtime. "
        f"Incident 1, decided 08:32:10, next update 09:32: {LINK}"
    )


def test_an_update_says_what_came_since_the_last_one() -> None:
    """Still down, with the runs since the previous notice."""
    stored = incident(document=document(63, window(failed=63, total=63)))
    text = updated_text(telling(stored, DECIDED + 60 * MINUTE, told_failed=3, told_total=3))
    assert text.startswith(
        "gpt-4o-transcribe · realtime · swedencentral still down since 08:30:10 UTC (09:30:10 +01:00): "
        "63/63 runs failed, 60/60 since the last update, server at transcribe"
    )
    assert "next update 10:32" in text


def test_an_update_without_new_runs_says_so() -> None:
    """Silence of the monitor is not told as health."""
    assert "no run since the last update" in updated_text(telling(incident(), told_failed=3, told_total=3))


def test_an_update_on_a_change_names_it() -> None:
    """What changed stands before the blame."""
    text = updated_text(telling(incident(), changed=("blame provider (was unknown)",)))
    assert "Changed: blame provider (was unknown). Blame: provider:" in text


def test_a_relapse_is_worded_as_one() -> None:
    """Whoever was told of the recovery is told that it did not last."""
    text = updated_text(telling(incident(), changed=(RELAPSE,)))
    assert text.startswith("gpt-4o-transcribe · realtime · swedencentral down again (relapse), first since")
    assert "Changed" not in text


def test_recovering_says_since_when_and_that_it_is_too_early() -> None:
    """Passes are counted, bounds given, and nobody is sent back yet."""
    assert recovering_text(telling(incident(Phase.RECOVERING), END + 4 * MINUTE)) == (
        "gpt-4o-transcribe · realtime · swedencentral recovering: "
        "passing since 15:30:10 UTC (16:30:10 +01:00), "
        "5/5 runs passed. Was down 08:30:10–15:30:10 UTC, 17 Nov 2025 "
        "(at least 6 h 59 min, at most 7 h 1 min): 420/420 runs failed.\n"
        "Unaffected: gpt-4o-transcribe rest 420/420, whisper-1 realtime 420/420. "
        f"Blame: provider: {REASON}.\n"
        "Not yet safe to go back: a relapse until 15:44:10 UTC continues this incident. "
        f"Incident 1, decided 08:32:10: {LINK}"
    )


def test_resolved_says_it_is_safe_to_go_back() -> None:
    """The length with both bounds, and where the evidence is."""
    assert resolved_text(telling(incident(Phase.RESOLVED), END + 20 * MINUTE)) == (
        "gpt-4o-transcribe · realtime · swedencentral resolved, safe to go back: 5/5 runs passed since. "
        "Was down 08:30:10–15:30:10 UTC, 17 Nov 2025 (at least 6 h 59 min, at most 7 h 1 min): "
        "420/420 runs failed.\n"
        "Unaffected: gpt-4o-transcribe rest 420/420, whisper-1 realtime 420/420. "
        f"Blame: provider: {REASON}.\n"
        f"Evidence for a ticket: earwitness evidence 1. Incident 1, decided 08:32:10: {LINK}"
    )


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
    assert "Was down 08:30:10–08:32:50 UTC, 17 Nov 2025" in resolved_text(telling(over))
    still = {**parts, "windows": [{**slow, "end": None}, down]}
    lasting = incident(document=still, start=START - 10 * MINUTE)
    for text in (headline(lasting), updated_text(telling(lasting))):
        assert "was down 08:30:10–08:32:50 UTC, 17 Nov 2025" in text
        assert "Degraded since 08:20:10 UTC, 17 Nov 2025, and still is." in text


def test_without_controls_none_is_invented() -> None:
    """No neighbour ran: the text says so instead of leaving a hole."""
    stored = incident(document=document(3, window(), unaffected=[]))
    lines = opened_text(telling(stored)).splitlines()
    assert lines[1].startswith("Unaffected: no other target was healthy in this time. Blame: provider")
    assert lines[2].startswith("Healthy now: none that is known.")
    assert "no other target was healthy in this time" in headline(stored)
    assert "no other target was healthy in this time" in resolved_text(telling(stored))


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
        assert f"Unaffected: {words}." in opened_text(telling(stored))
        assert f"Unaffected: {words}." in headline(stored)


def test_a_control_that_fails_now_is_not_called_healthy() -> None:
    """It was healthy in the span and keeps its last pass, but nobody is sent there."""
    latest = {REST: Latest(last_pass=DECIDED - MINUTE, healthy=False)}
    text = opened_text(telling(incident(), latest=latest))
    assert "gpt-4o-transcribe rest (passed 08:31:10), whisper-1 realtime (3/3 passed)" in text
    assert "Healthy now: none that is known." in text


def test_many_controls_are_counted_after_the_nearest_two() -> None:
    """Two names and a number: the line stays readable with two hundred targets."""
    others = [control(Cell("other", f"m{number}", "rest", "berlin"), 3) for number in range(200)]
    stored = incident(document=document(3, window(), unaffected=others))
    assert "Unaffected: m0 rest on other (3/3 passed), m1 rest on other (3/3 passed) and 198 more." in (
        opened_text(telling(stored))
    )


def test_without_a_public_address_there_is_no_link() -> None:
    """A link that leads nowhere is worse than none."""
    text = opened_text(telling(incident(), voice=MessageSettings()))
    assert text.endswith("Incident 1, decided 08:32:10, next update 09:32.")
    assert "(09:30:10" not in text
    assert link(MessageSettings(), 1) is None
    assert link(MessageSettings(public_url="https://e.example/"), None) == "https://e.example/incidents"


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


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"type": "server_error"}, "server at transcribe: server_error, code null"),
        (
            {"type": "requests", "code": "rate_limit_exceeded"},
            "server at transcribe: requests, code rate_limit_exceeded",
        ),
        (
            {"code": "DeploymentNotFound", "message": "no such"},
            'server at transcribe: DeploymentNotFound, "no such"',
        ),
        ({"failure": "silent", "stage": "commit"}, "silent at commit"),
        ({"failure": None, "stage": None}, "unknown"),
        (
            {"message": "see @all <b>\nhttps://x"},
            'server at transcribe: "see @\u200ball ‹b› https:\u200b//x"',
        ),
        (
            {"type": "x", "message": "# words", "said": "3 words"},
            'server at transcribe: x, code null, "3 words"',
        ),
    ],
)
def test_a_symptom_quotes_the_provider_harmlessly(parts: dict[str, Any], words: str) -> None:
    """Failure and stage first, then what the provider said, as far as it said anything."""
    seen = Signature(
        failure="server",
        stage="transcribe",
        type=None,
        code=None,
        message=None,
        count=1,
        first_at=START,
        first_id="run-first",
        last_at=END,
        last_id="run-last",
    )
    assert symptom_words(replace(seen, **parts)) == words


def test_the_newest_run_is_quoted_and_other_errors_are_counted() -> None:
    """What it says now is told, not what it said most often; the others are not hidden."""
    more = [signature(2), signature(1, type="other")]
    newest = signature(1, type="late", said="item 7 is gone", last_at="2025-11-17T08:32:10Z")
    older = signature(9, said="item 3 is gone", last_at="2025-11-17T08:31:10Z")
    stored = incident(document=document(3, window(), signatures=[older, newest]))
    assert 'late, code null, "item 7 is gone" (and 1 other error).' in opened_text(telling(stored))
    assert "(and 1 other error)." in opened_text(
        telling(incident(document=document(3, window(), signatures=more)))
    )
    assert "(and 2 other errors)" in opened_text(
        telling(incident(document=document(3, window(), signatures=[*more, signature(1, code="x")])))
    )


def test_a_degraded_incident_does_not_claim_that_runs_failed() -> None:
    """Slow and wrong runs are bad, not failed."""
    stored = incident(document=document(4, window(state="degraded", failed=4, total=20)))
    assert "degraded since 08:30:10 UTC (09:30:10 +01:00): 4/20 runs failed, slow or wrong" in (
        opened_text(telling(stored))
    )


def test_an_opening_told_late_is_told_as_a_recovery() -> None:
    """A channel that hears of it only now is not told that it is still down."""
    assert "recovering: passing since" in opened_text(telling(incident(Phase.RECOVERING), END + 4 * MINUTE))


def test_what_is_not_known_is_left_out() -> None:
    """No reason, no signature, no counts since: no words about them."""
    stored = incident(document=document(3, window(), signatures=[], blame_reason=""))
    text = opened_text(telling(stored))
    assert "3/3 runs failed.\n" in text
    assert "Blame: provider.\n" in text
    assert "safe to go back. Was down" in resolved_text(telling(incident(Phase.RESOLVED), latest={}))


@given(st.text(min_size=1, max_size=3000), st.text(max_size=3000))
def test_texts_are_bounded_and_three_lines_whatever_the_provider_says(message: str, reason: str) -> None:
    """A flood in message, model or reason changes neither the form nor the link."""
    hostile = Cell("azure-sweden", message[:200], "realtime", "berlin")
    contents = document(
        3, window(), signatures=[signature(3, type=None, message=message)], blame_reason=reason,
        unaffected=[control(Cell("e", "m" + hostile.model.replace("/", ""), "rest", "berlin"), 3)],
    )  # fmt: skip
    text = opened_text(telling(incident(document=contents, title=f"{message} down since")))
    assert len(text) <= LONGEST_TEXT
    assert len(text.splitlines()) == 3
    assert text.endswith(LINK)


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
