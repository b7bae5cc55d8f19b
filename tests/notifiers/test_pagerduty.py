"""The pagerduty channel by Events API v2."""

from __future__ import annotations

import pytest

from monitor.core.alerting.notice import NoticeKind
from monitor.notifiers import CHANNELS, Need
from monitor.notifiers.pagerduty import KEY, SUMMARY, URL, compose
from tests.notifiers.samples import HOSTILE, LINK, NOW, body, notice


def test_every_notice_of_an_incident_is_one_alert() -> None:
    """The key is the incident's; only the end resolves it."""
    kinds = {
        "down": NoticeKind.OPENED,
        "degraded": NoticeKind.UPDATED,
        "recovering": NoticeKind.RECOVERING,
        "resolved": NoticeKind.RESOLVED,
    }
    sent = {
        state: body(compose(notice(kind, state=state), url=URL, secret="key\n", now=NOW))
        for state, kind in kinds.items()
    }
    assert {one["dedup_key"] for one in sent.values()} == {"0193-incident"}
    assert {state: one["event_action"] for state, one in sent.items()} == {
        "down": "trigger",
        "degraded": "trigger",
        "recovering": "trigger",
        "resolved": "resolve",
    }
    assert sent["down"]["routing_key"] == "key"
    assert sent["down"]["links"] == [{"href": LINK, "text": "Open the incident"}]


@pytest.mark.parametrize(
    ("severity", "theirs"),
    [("critical", "critical"), ("major", "error"), ("minor", "warning"), ("notice", "info"), ("", "info")],
)
def test_severities_are_theirs(severity: str, theirs: str) -> None:
    """Each of ours has one of their four."""
    sent = body(compose(notice(severity=severity), url=URL, secret="k", now=NOW))
    assert sent["payload"]["severity"] == theirs


def test_a_drill_wakes_nobody() -> None:
    """It is information, whatever it rehearses."""
    sent = body(compose(notice(drill=True, severity="critical"), url=URL, secret="k", now=NOW))
    assert sent["payload"]["severity"] == "info"


def test_limits_are_kept() -> None:
    """Summary and component are cut; the whole stays far below 512 KB."""
    request = compose(HOSTILE, url=URL, secret="k", now=NOW)
    sent = body(request)
    assert len(sent["payload"]["summary"]) == SUMMARY
    assert len(sent["payload"]["component"]) <= KEY
    assert len(request.body) < 512 * 1024


def test_its_address_needs_no_configuration() -> None:
    """The service has one address for everybody, and a key for each integration."""
    assert CHANNELS["pagerduty"].url == URL
    assert CHANNELS["pagerduty"].credential is Need.REQUIRED
