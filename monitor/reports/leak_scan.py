"""The last look before bytes leave the house: refuses what could be a secret, and never quotes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from monitor.core.errors import MonitorError
from monitor.core.secret_spellings import Spellings, has_escapes, spellings_of

_SHORTEST = 4
_LONG = 16
# A name and a value: a bare mention in a vendor's sentence is no credential. The words before each
# pattern must occur at all, which spares most chunks the search.
_CREDENTIALS = (
    (
        "an authorization header",
        (b"authorization",),
        re.compile(
            rb"authorization[\\\"']*\s*[:=,]\s*[\\\"']*(?:bearer|basic|digest|negotiate)\s+[a-z0-9._~+/=-]{12,}"
        ),
    ),
    (
        "a cookie",
        (b"cookie",),
        re.compile(rb"\b(?:set-)?cookie[\\\"']*\s*[:=,]\s*[\\\"']*[\w.!#$%&*+^`|~-]+=[^\s\"';,\\]{4,}"),
    ),
    (
        "a signed address",
        (b"sig", b"key=", b"token="),
        re.compile(
            rb"[?&](?:sig|signature|x-amz-signature|x-goog-signature|api-key|key|token|access_token)=[\w%+/.~-]{12,}"
        ),
    ),
)


class LeakFound(MonitorError):
    """A member of a report holds a secret; nothing was written."""

    def __init__(self, member: str, what: str) -> None:
        self.member = member
        self.what = what
        super().__init__(
            f"{member}: holds {what}, so no report was written; "
            "find the run in it whose evidence holds it, and change that key"
        )


def needles(secrets: Iterable[str]) -> tuple[Spellings, ...]:
    """What each secret may look like in a member."""
    found: dict[str, None] = {}
    for secret in secrets:
        # One value may hold two signing secrets, while a receiver changes from one to the other.
        for text in (secret.strip(), *(part for part in secret.split() if len(part) >= _LONG)):
            if len(text) >= _SHORTEST:
                found[text] = None
    return tuple(spellings_of(text) for text in found)


def scan_for_leaks(member: str, content: bytes, sought: Sequence[Spellings]) -> None:
    """Raises LeakFound if *content* (whole lines) holds a sought secret or the form of a credential."""
    lowered = content.lower()
    text = content.decode("latin-1").lower()
    escapes = has_escapes(text)
    if any(secret.stands_in(text, has_escapes=escapes) for secret in sought):
        raise LeakFound(member, "a secret of this process")
    for what, words, pattern in _CREDENTIALS:
        if any(word in lowered for word in words) and pattern.search(lowered):
            raise LeakFound(member, what)
