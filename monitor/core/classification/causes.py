"""What the words of an error quote: the status and the names that a gateway was given and hands on.

A gateway answers with a status of its own and wraps what its upstream said: ``Error code: 401 - {…}``,
``400: {'error': …}``, ``litellm.RateLimitError: …``. The innermost is the cause, and it stands last.
"""

from __future__ import annotations

import re

# Exceptions of the OpenAI SDK and of LiteLLM stand for the status that raises them.
EXCEPTIONS = {
    "badrequesterror": 400,
    "authenticationerror": 401,
    "permissiondeniederror": 403,
    "notfounderror": 404,
    "unprocessableentityerror": 422,
    "ratelimiterror": 429,
    "internalservererror": 500,
    "serviceunavailableerror": 503,
}
_REASONS = (
    "bad request|unauthorized|payment required|forbidden|not found|too many requests|internal server error"
    "|bad gateway|service unavailable|gateway time-?out|unsupported media type"
)
_CAUSE = re.compile(
    r"(?:(?:error|status|response)[ _]?code|\bstatus|\bhttp(?:/[0-9.]{1,3})?(?: error| status)?|\breturned"
    r"|\bresponded with|\brejected with)[\"']?\s?[:=]?\s?[\"'(]?([45][0-9]{2})\b"
    r"|(?:^|[:\[(-]\s?)([45][0-9]{2})(?=[:\])])"  # how Starlette writes an HTTPException
    rf"|\b([45][0-9]{{2}}) (?:{_REASONS})\b"
    rf"|\b({'|'.join(EXCEPTIONS)})\b"
)
# The statuses that a row of the table knows: any other number is a count of something.
_KNOWN = frozenset({*range(400, 406), 408, 410, 413, 415, 422, 424, 429, 498, *range(500, 505), 529})
_NUMBER = re.compile(r"\b[45][0-9]{2}\b")
_NAME = re.compile(r"[a-z0-9_]+")
_LONG = 16  # from here on a name in one piece is a code, such as DeploymentNotFound
# Close codes that stand for a status: IANA's registry of them, and the usual 4000 + status.
REGISTERED = {1009: 413, 3000: 401, 3003: 403, 3008: 408}


def quoted_status(words: str, own: int | None) -> int | None:
    """The last HTTP status in lower-case *words* that is not the answer's *own*; None where there is none."""
    if not _NUMBER.search(words) and not any(name in words for name in EXCEPTIONS):
        return None  # nearly always, and at a twentieth of the cost
    quoted = [next(filter(None, found)) for found in _CAUSE.findall(words)]
    statuses = [EXCEPTIONS.get(text) or int(text) for text in quoted]
    return next((status for status in reversed(statuses) if status in _KNOWN and status != own), None)


def quoted_names(words: str) -> frozenset[str]:
    """The names in lower-case *words* that are spelled as codes are: with ``_``, or long and in one piece."""
    return frozenset(name for name in _NAME.findall(words) if "_" in name or len(name) >= _LONG)


def status_in_code(code: str | None) -> int | None:
    """The HTTP status that stands as an error's code, as Azure and LiteLLM write it."""
    return int(code) if code and re.fullmatch("[45][0-9]{2}", code) else None


def status_of_close(close: int | None) -> int | None:
    """The HTTP status whose twin a close code is: 4401 is 401, and IANA's 3000 is."""
    if close is None:
        return None
    return close - 4000 if 4400 <= close < 4600 else REGISTERED.get(close)
