"""The ntfy channel: a topic's message as JSON."""

from __future__ import annotations

import pytest

from monitor.core.alerting.notice import NoticeKind
from monitor.core.errors import SecretError
from monitor.notifiers.ntfy import compose
from tests.notifiers.samples import HOSTILE, LINK, NOW, body, notice

URL = "https://ntfy.example/sub/my-topic"


def test_the_last_part_of_the_address_is_the_topic() -> None:
    """JSON is published at the server's root, with a priority and what a tap opens."""
    request = compose(notice(), url=URL, secret="", now=NOW)
    sent = body(request)
    assert (request.url, sent["topic"]) == ("https://ntfy.example/sub", "my-topic")
    assert (sent["priority"], sent["click"], sent["tags"]) == (4, LINK, ["warning"])
    assert "authorization" not in request.headers


def test_a_token_travels_in_its_header() -> None:
    """Only where one is configured."""
    assert compose(notice(), url=URL, secret="tk_1", now=NOW).headers["authorization"] == "Bearer tk_1"


def test_the_end_is_quieter() -> None:
    """A resolved incident has the default priority."""
    sent = body(compose(notice(NoticeKind.RESOLVED, state="resolved"), url=URL, secret="", now=NOW))
    assert (sent["priority"], sent["tags"]) == (3, ["white_check_mark"])


def test_a_long_message_stays_a_message() -> None:
    """Under 4,096 bytes, or it would become an attachment."""
    assert len(body(compose(HOSTILE, url=URL, secret="", now=NOW))["message"].encode()) < 4_096


@pytest.mark.parametrize("url", ["https://canary.example", "https://canary.example/", "canary"])
def test_an_address_without_a_topic_is_refused_without_quoting_it(url: str) -> None:
    """The operator is told what is missing."""
    with pytest.raises(SecretError, match="must end in a topic") as caught:
        compose(notice(), url=url, secret="", now=NOW)
    assert "canary" not in str(caught.value)
