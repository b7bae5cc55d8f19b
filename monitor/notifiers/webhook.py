"""The `webhook` channel by Standard Webhooks 1.0: signs and judges, and sends nothing itself."""

from __future__ import annotations

from datetime import UTC, datetime

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from monitor.core.alerts import Notice
from monitor.core.delivery import GiveUp, Judgement, Reply, Request, Retry, Sent, retry_at, serialise
from monitor.core.errors import SecretError
from monitor.core.inert import one_line


def compose(notice: Notice, *, url: str, secret: str, now: datetime) -> Request:
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
    return Request(url=url, headers=headers, body=body)


def judge(reply: Reply, attempts: int, now: datetime) -> Judgement:
    """2xx is success and nothing else is: a redirect is a failure, 410 the end, the rest is tried again.

    *attempts* counts this one. Source: Standard Webhooks 1.0, "Deliverability and reliability".
    """
    said = _said(reply)
    if reply.status is not None and 200 <= reply.status < 300:
        return Sent(reason=said)
    if reply.status == 410:
        return GiveUp(reason=f"{said}: the receiver is gone", for_good=True)
    due = retry_at(attempts, now, reply)
    if due is None:
        return GiveUp(reason=f"{said}: attempt {attempts} was the last")
    return Retry(at=due, reason=f"{said}: redirects are not followed" if _redirects(reply) else said)


def _signer(secret: str) -> Webhook:
    try:
        return Webhook(secret.strip())
    except (ValueError, EmptyWebhookSecretError):
        raise SecretError("the webhook's secret", "must be whsec_ and base64 of 24 to 64 bytes") from None


def _redirects(reply: Reply) -> bool:
    return reply.status is not None and 300 <= reply.status < 400


def _said(reply: Reply) -> str:
    if reply.status is None:
        return one_line(reply.detail or "no answer", 200)
    body = one_line(reply.body[:400].decode("utf-8", "replace"), 120)
    return f"status {reply.status}: {body}" if body else f"status {reply.status}"
