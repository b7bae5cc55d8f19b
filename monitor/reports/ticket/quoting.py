"""What evidence documents say, in the words a ticket uses; it quotes and never guesses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from monitor.core.evidence.bundle_facts import QuotedRun
from monitor.core.model import Verdict
from monitor.core.sanitize import defuse
from monitor.core.timefmt import rfc3339

# The ids that the vendors' support asks for, under the names by which they find them in their logs.
_ID_WORDS = {
    "apim_request_id": "apim-request-id",
    "request_id": "x-request-id",
    "session_id": "session",
    "item_id": "item",
    "event_id": "event",
}
_VOLATILE = re.compile(r"\b(?:item|sess|req|resp|event|call)_[A-Za-z0-9]+|\b[0-9a-f]{8}-[0-9a-f-]{27}\b")


def precise(instant: datetime, *, on: datetime) -> str:
    """``08:30:10.412Z``, with its date where that is not the UTC date of *on*."""
    utc = instant.astimezone(UTC)
    if utc.date() != on.astimezone(UTC).date():
        return rfc3339(utc)
    return f"{utc:%H:%M:%S}.{utc.microsecond // 1000:03}Z"


def identified(exhibit: QuotedRun, *, on: datetime) -> str:
    """A run's instant and the ids by which it is found: the provider's first, then the one we sent.

    Azure answers with two request ids of which support wants the first; an event is worth naming where
    it is the one that failed. The frames in the bundle hold them all.
    """
    ids = {key: value for key, value in exhibit.outcome.ids.items() if value}
    if "apim_request_id" in ids:
        ids.pop("request_id", None)
    if exhibit.outcome.verdict is not Verdict.FAILED:
        ids.pop("event_id", None)
    theirs = [f"{word} {defuse(ids[key], 80)}" for key, word in _ID_WORDS.items() if key in ids]
    ours = _sent_id(exhibit)
    said = ", ".join(part for part in (" ".join(theirs), f"ours {ours}" if ours else "") if part)
    at = precise(exhibit.outcome.started_at, on=on)
    return f"{at}: {said}" if said else at


def _sent_id(exhibit: QuotedRun) -> str | None:
    sent = _mapping(exhibit.evidence, "sent_ids")
    for name, value in sent.items():
        return f"{defuse(name, 40)} {defuse(value, 80)}"
    own = exhibit.outcome.ids.get("client_request_id")
    return f"client request id {defuse(own, 80)}" if own else None


def address(exhibit: QuotedRun | None) -> str | None:
    """The URL of the run as its evidence keeps it: query keys with values, secrets dropped."""
    url = exhibit.evidence.get("url") if exhibit and exhibit.evidence else None
    return url if isinstance(url, str) and url else None


def response_header(exhibit: QuotedRun | None, name: str) -> str | None:
    """A header of the answer or of the upgrade, in its first value."""
    pairs = exhibit.evidence.get("response_headers") if exhibit and exhibit.evidence else None
    for pair in pairs or ():
        if len(pair) == 2 and str(pair[0]).lower() == name:
            return str(pair[1])
    return None


def frames(exhibit: QuotedRun | None, direction: str) -> list[Mapping[str, Any]]:
    """The frames that went `in` or `out`, in order."""
    document = exhibit.evidence if exhibit else None
    listed: Sequence[Mapping[str, Any]] = (document or {}).get("frames") or ()
    return [frame for frame in listed if frame.get("dir") == direction]


def event_types(exhibit: QuotedRun | None) -> list[str]:
    """The types of the events that came in, in order."""
    return [str(frame["type"]) for frame in frames(exhibit, "in") if frame.get("type")]


def session_opened(exhibit: QuotedRun | None) -> bool:
    """Whether the server sent its session event: key, host and network had all been accepted then."""
    return any(
        kind.split(".")[-1] in ("created", "updated") and "session" in kind for kind in event_types(exhibit)
    )


def closed_by_peer(exhibit: QuotedRun | None) -> bool:
    """Whether the other side ended the connection."""
    return _mapping(exhibit.evidence if exhibit else None, "close").get("by") == "peer"


def session_json(exhibit: QuotedRun | None) -> str | None:
    """The session configuration that was sent, as sent; None where none was or it is not whole."""
    for frame in frames(exhibit, "out"):
        body = frame.get("body")
        if (
            "session.update" in str(frame.get("type"))
            and isinstance(body, str)
            and not frame.get("truncated")
        ):
            return body if _is_json(body) else None
    return None


def without_ids(message: str) -> str:
    """The message with the ids of this one run replaced by ``…``."""
    return _VOLATILE.sub("…", message)


def _is_json(body: str) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def _mapping(document: Mapping[str, Any] | None, key: str) -> Mapping[str, Any]:
    part = (document or {}).get(key)
    return part if isinstance(part, Mapping) else {}
