"""What is told when nothing can be stored: who hears it, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitor.core.alerting.decide import Policy
from monitor.core.alerting.notice import NoticeKind
from monitor.core.alerting.storage_loss import compose_storage, storage_notices
from monitor.core.alerting.wording import MessageSettings

SINCE = datetime(2025, 11, 17, 8, 30, tzinfo=UTC)
NOW = SINCE + timedelta(minutes=2)
VOICE = MessageSettings(public_url="https://ears.example")
POLICIES = [Policy(channel="oncall"), Policy(channel="owner", when=frozenset({"monitor", "account"}))]


def test_only_channels_that_ask_for_the_monitor_hear_of_it() -> None:
    """And the same loss gives the same id, so that a receiver can drop a second copy."""
    for kind, sequence in ((NoticeKind.STORAGE_LOST, 1), (NoticeKind.STORAGE_BACK, 2)):
        first, again = (
            storage_notices(kind, POLICIES, since=SINCE, reason="disk full", now=at, voice=VOICE)
            for at in (NOW, NOW + timedelta(hours=1))
        )
        assert [(one.channel, one.kind, one.sequence) for one in first] == [("owner", kind, sequence)]
        assert [one.id for one in first] == [one.id for one in again]


def test_the_text_says_since_when_and_why() -> None:
    """A drill says first that it is one."""
    body = compose_storage(NoticeKind.STORAGE_LOST, since=SINCE, reason="disk full", now=NOW, voice=VOICE)
    assert body["data"]["title"] == "The monitor cannot store what it sees, since 08:30:00 UTC"
    assert "For 2 min nothing could be stored: disk full." in body["data"]["text"]
    drill = compose_storage(
        NoticeKind.STORAGE_BACK, since=SINCE, reason="", now=NOW, voice=VOICE, drill=True
    )["data"]
    assert (drill["title"], drill["drill"]) == ("DRILL: The monitor stores again, after 2 min", True)
