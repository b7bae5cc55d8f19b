"""The teams channel: the envelope that a Workflows webhook takes."""

from __future__ import annotations

from monitor.core.alerting.notice import NoticeKind
from monitor.notifiers.teams import compose
from tests.notifiers.samples import HOSTILE, LINK, NOW, body, notice

URL = "https://prod.westeurope.logic.example/workflows/x"


def test_it_is_a_message_with_one_adaptive_card() -> None:
    """Title, text and a button that opens the incident."""
    sent = body(compose(notice(), url=URL, secret="", now=NOW))
    (attachment,) = sent["attachments"]
    card = attachment["content"]
    assert sent["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert [block["type"] for block in card["body"]] == ["TextBlock", "TextBlock"]
    assert card["body"][0]["color"] == "Attention"
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open the incident", "url": LINK}]


def test_the_end_is_shown_as_good() -> None:
    """A resolved incident is green, whatever its severity was."""
    sent = body(compose(notice(NoticeKind.RESOLVED, state="resolved"), url=URL, secret="", now=NOW))
    assert sent["attachments"][0]["content"]["body"][0]["color"] == "Good"


def test_a_hostile_text_stays_small_and_dead() -> None:
    """Far under 28 KB, without Markdown links or emphasis."""
    request = compose(HOSTILE, url=URL, secret="", now=NOW)
    assert len(request.body) < 28 * 1024
    shown = "".join(block["text"] for block in body(request)["attachments"][0]["content"]["body"])
    assert not set("<>[]*`") & set(shown)
