"""The webhook channel against the receiver's half of the official library, and against the schedule."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks.webhooks import Webhook

from monitor.core.alerting.notice import Notice, NoticeKind
from monitor.core.alerting.retry import PAUSES, Delivered, GiveUp, NoticeRequest, Retry, judge_reply
from monitor.core.errors import SecretError
from monitor.notifiers import CHANNELS
from monitor.notifiers.webhook import compose
from monitor.transport import HttpReply

SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
NOW = datetime(2025, 11, 17, 8, 32, 10, tzinfo=UTC)
NOTICE = Notice(
    id="msg_abc",
    channel="oncall",
    incident_id="i",
    kind=NoticeKind.OPENED,
    sequence=1,
    created_at=NOW,
    body={"type": "incident.opened", "timestamp": "2025-11-17T08:32:10Z", "data": {"text": "größer – …"}},
)


def request(now: datetime = NOW, secret: str = SECRET) -> NoticeRequest:
    """The request of one attempt."""
    return compose(NOTICE, url="https://hooks.example/x", secret=secret, now=now)


def test_the_receivers_library_accepts_the_signature() -> None:
    """A receiver that knows the secret verifies the very bytes that are sent."""
    sent = request(now=datetime.now(UTC))
    assert Webhook(SECRET).verify(sent.body, dict(sent.headers)) == NOTICE.body


def test_while_the_secret_changes_both_are_accepted() -> None:
    """A receiver with the old secret and one with the new verify the same notice; a third does not."""
    new, third = ("whsec_" + base64.b64encode(bytes([number] * 24)).decode() for number in (1, 2))
    sent = request(now=datetime.now(UTC), secret=f"{new} {SECRET}")
    assert len(dict(sent.headers)["webhook-signature"].split(" ")) == 2
    for known in (new, SECRET):
        assert Webhook(known).verify(sent.body, dict(sent.headers)) == NOTICE.body
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(third).verify(sent.body, dict(sent.headers))


def test_a_changed_body_is_refused_by_the_receiver() -> None:
    """One altered byte breaks the signature."""
    sent = request(now=datetime.now(UTC))
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(SECRET).verify(sent.body.replace(b"opened", b"OPENED"), dict(sent.headers))


def test_a_time_in_another_zone_signs_the_same_instant() -> None:
    """The zone of the clock changes neither timestamp nor signature."""
    elsewhere = NOW.astimezone(timezone(timedelta(hours=2)))
    assert request(now=elsewhere) == request()
    assert dict(request().headers)["webhook-timestamp"] == str(int(NOW.timestamp()))


def test_every_attempt_carries_the_same_id_and_its_own_timestamp() -> None:
    """Receivers can drop repetitions by the id."""
    first, second = dict(request().headers), dict(request(now=NOW + timedelta(minutes=5)).headers)
    assert first["webhook-id"] == second["webhook-id"] == "msg_abc"
    assert first["webhook-timestamp"] != second["webhook-timestamp"]
    assert first["webhook-signature"] != second["webhook-signature"]


def test_the_body_is_the_notices_json() -> None:
    """What is sent is the stored body, in UTF-8, to the address given."""
    assert json.loads(request().body) == NOTICE.body
    assert request().url == "https://hooks.example/x"


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_a", "  "])
def test_a_secret_that_is_none_is_refused_without_quoting_it(secret: str) -> None:
    """An empty or undecodable secret stops the attempt with a sentence that holds no secret."""
    with pytest.raises(SecretError, match="must be whsec_ and base64") as caught:
        request(secret=secret)
    assert "whsec_a" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_success(status: int) -> None:
    """The receiver took it, whatever it says."""
    assert judge_reply(HttpReply(status=status, body=b"ok\n"), 1, NOW) == Delivered(
        reason=f"status {status}: ok"
    )


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_failure(status: int) -> None:
    """Nothing follows a redirect: it is tried again at the same address."""
    reply = HttpReply(status=status, headers=(("location", "http://169.254.169.254/"),))
    assert judge_reply(reply, 1, NOW) == Retry(
        at=NOW + timedelta(seconds=5), reason=f"status {status}: redirects are not followed"
    )


def test_gone_gives_up_at_once() -> None:
    """410 means that nobody listens there any more."""
    assert judge_reply(HttpReply(status=410), 1, NOW) == GiveUp(
        reason="status 410: the receiver is gone", for_good=True
    )


def test_a_day_of_errors_follows_the_schedule_and_then_gives_up() -> None:
    """All attempts are made with the pauses of the schedule between them, then no more."""
    judged = [judge_reply(HttpReply(status=500), attempts, NOW) for attempts in range(1, len(PAUSES) + 2)]
    assert [verdict.at - NOW for verdict in judged if isinstance(verdict, Retry)] == list(PAUSES)
    assert judged[-1] == GiveUp(reason=f"status 500: attempt {len(PAUSES) + 1} was the last")


def test_no_answer_is_tried_again_with_its_reason() -> None:
    """A refused or stalled connection is a retry that says what happened."""
    verdict = judge_reply(HttpReply(status=None, detail="connection refused"), 2, NOW)
    assert verdict == Retry(at=NOW + PAUSES[1], reason="connection refused")


def test_a_reply_of_a_megabyte_is_quoted_in_one_short_line() -> None:
    """What the receiver says is bounded and holds no control characters."""
    verdict = judge_reply(HttpReply(status=500, body=b"\x1b[31m\r\n" + b"x" * 1_000_000), 1, NOW)
    assert len(verdict.reason) < 150
    assert verdict.reason.isprintable()


def test_the_kind_is_registered() -> None:
    """The configuration's `kind = "webhook"` reaches these functions."""
    assert CHANNELS["webhook"].compose is compose
    assert CHANNELS["webhook"].judge is judge_reply
