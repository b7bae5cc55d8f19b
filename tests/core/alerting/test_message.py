"""The JSON of a notice: its facts, its bounds, and what counts as a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.alerting.decide import Decision, Policy, decide
from monitor.core.alerting.notice import Notice
from monitor.core.alerting.retry import serialise
from monitor.core.incidents.incident import Phase, StoredIncident
from monitor.core.model import Cell
from tests.support.sample_incident import (
    DECIDED,
    END,
    FAILING,
    MINUTE,
    REST,
    VOICE,
    WHISPER,
    closed_window,
    control,
    document,
    incident,
    latest_at,
    window,
)

ONCALL = Policy(channel="oncall")


def ask(
    stored: StoredIncident, sent: Sequence[Notice] = (), now: datetime = DECIDED, policy: Policy = ONCALL
) -> Decision:
    """The one decision about one incident on one channel."""
    (decision,) = decide([stored], sent, [policy], now=now, voice=VOICE, latest=lambda _story: latest_at(now))
    return decision


def tell(stored: StoredIncident, sent: Sequence[Notice] = (), now: datetime = DECIDED) -> Notice:
    """The notice that is owed, delivered at once."""
    notice = ask(stored, sent, now).notice
    assert notice is not None
    return replace(notice, sent_at=now)


def test_more_targets_another_subject_and_a_worse_state_are_changes() -> None:
    """Worsened, widened or about something else: each is told in words."""
    opened = tell(incident())
    wider = document(3, window(), affected=[FAILING.target, WHISPER.target])
    now = DECIDED + 5 * MINUTE
    assert ask(incident(document=wider), [opened], now).reason == "2 targets affected (was 1)"
    other = document(3, window(), subject="azure-sweden")
    assert ask(incident(document=other), [opened], now).reason == (
        "now about azure-sweden (was gpt-4o-transcribe · realtime · swedencentral)"
    )
    slow = tell(incident(document=document(4, window(state="degraded"))))
    assert ask(incident(), [slow], now).reason == "now down (was degraded)"


def test_a_storm_of_two_hundred_cells_is_one_bounded_notice() -> None:
    """One incident, one message, under the size that receivers accept, with the true totals."""
    cells = [Cell("e" * 60, f"{'模' * 60}-{number}", "realtime", "berlin") for number in range(200)]
    stormy = document(
        3,
        window(),
        affected=[cell.target for cell in cells],
        windows=[window(cell) for cell in cells],
        unaffected=[control(cell, 3) for cell in cells],
        scope=[{"model": cell.model} for cell in cells],
    )
    notice = tell(incident(document=stormy))
    assert len(serialise(notice.body)) <= 18_000
    assert notice.body["data"]["affected_total"] == 200
    assert not ask(incident(document=stormy), [notice], DECIDED + 6 * MINUTE).send


@given(st.text(max_size=20_000), st.text(max_size=20_000))
def test_a_body_is_bounded_whatever_the_provider_says(message: str, reason: str) -> None:
    """No text from outside makes a body that a receiver would refuse."""
    hostile = document(3, window(), blame_reason=reason, scope=[{"model": message}] * 30)
    notice = tell(incident(document=hostile, title=f"{message} down since"))
    assert len(serialise(notice.body)) <= 18_000


def test_the_body_holds_the_facts_of_the_incident() -> None:
    """Receivers that compute need no text."""
    body = tell(
        incident(Phase.RESOLVED, document=document(420, closed_window())), [tell(incident())], END
    ).body
    assert body["type"] == "incident.resolved"
    assert body["timestamp"] == "2025-11-17T15:30:10Z"
    facts = {
        key: body["data"][key]
        for key in ("incident", "severity", "blame", "start", "end", "decided", "drill")
    }
    assert facts == {
        "incident": 1,
        "severity": "major",
        "blame": "provider",
        "start": "2025-11-17T08:30:10Z",
        "end": "2025-11-17T15:30:10Z",
        "decided": "2025-11-17T08:32:10Z",
        "drill": False,
    }
    assert (body["data"]["at_least_s"], body["data"]["at_most_s"]) == (25_140.0, 25_260.0)
    assert body["data"]["unaffected"][0] == {
        "target": REST.target, "location": "berlin", "passed": 420, "total": 420,
    }  # fmt: skip
    assert body["data"]["title"] == "Resolved: gpt-4o-transcribe · realtime · swedencentral"
