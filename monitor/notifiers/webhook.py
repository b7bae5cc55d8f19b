"""The `webhook` channel by Standard Webhooks 1.0: signed JSON."""

from __future__ import annotations

from datetime import UTC, datetime

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from monitor.core.alerting.notice import Notice
from monitor.core.alerting.retry import NoticeRequest, serialise
from monitor.core.errors import SecretError


def compose(notice: Notice, *, url: str, secret: str, now: datetime) -> NoticeRequest:
    """The signed POST of one attempt: the id stays, the timestamp is that of this attempt.

    *secret* is ``whsec_`` and base64 of 24 to 64 bytes (Standard Webhooks 1.0, "Signature scheme"), or
    several of them, separated by spaces, while a receiver changes from one to the other: it then gets a
    signature by each. Raises SecretError, which never quotes it, for what is no base64 or empty.
    """
    body = serialise(notice.body)
    # The library replaces the zone of the time it is given instead of converting it.
    attempt = now.astimezone(UTC)
    signers = [_signer(one) for one in secret.split() or [""]]
    signatures = [signer.sign(notice.id, attempt, body.decode()) for signer in signers]
    headers = {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "earwitness",
        "webhook-id": notice.id,
        "webhook-timestamp": str(int(attempt.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return NoticeRequest(url=url, headers=headers, body=body)


def _signer(secret: str) -> Webhook:
    try:
        return Webhook(secret.strip())
    except (ValueError, EmptyWebhookSecretError):
        raise SecretError("the webhook's secret", "must be whsec_ and base64 of 24 to 64 bytes") from None
