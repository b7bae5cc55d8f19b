"""Failed runs grouped by what they say, with ids and numbers taken out; it knows no provider."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from monitor.core.outages.history import StoredRun

_UUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
# Prefixed ids as OpenAI makes them (item_…, sess_…), long hex strings, and long mixed tokens.
_TOKEN = re.compile(r"\b(?:[a-z]{2,12}_[A-Za-z0-9]{6,}|[0-9a-fA-F]{12,}|(?=\w*\d)(?=\w*[A-Za-z])\w{16,})\b")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Failed runs that say the same, with ids and numbers replaced; *said* is the newest one's message."""

    failure: str | None
    stage: str | None
    type: str | None
    code: str | None
    message: str | None
    count: int
    first_at: datetime
    first_id: str
    last_at: datetime
    last_id: str
    said: str | None = None


@lru_cache(maxsize=4096)  # an incident's messages come again with every turn
def generic(message: str) -> str:
    """The message with ids as ``…`` and numbers as ``#``, at most 500 characters."""
    without_ids = _TOKEN.sub("…", _UUID.sub("…", message[: 4 * _LONGEST]))
    return _NUMBER.sub("#", without_ids)[:_LONGEST]


def signatures(runs: Iterable[StoredRun]) -> tuple[Signature, ...]:
    """The signatures of these runs, the most frequent first, then the earliest."""
    groups: dict[tuple[str | None, ...], list[StoredRun]] = {}
    for run in runs:
        message = None if run.message is None else generic(run.message)
        groups.setdefault((run.failure, run.stage, run.type, run.code, message), []).append(run)
    found = [_signature(key, sorted(group)) for key, group in groups.items()]
    return tuple(sorted(found, key=lambda one: (-one.count, one.first_at, one.first_id)))


def _signature(key: tuple[str | None, ...], runs: list[StoredRun]) -> Signature:
    failure, stage, kind, code, message = key
    return Signature(
        failure=failure and str(failure),
        stage=stage and str(stage),
        type=kind,
        code=code,
        message=message,
        count=len(runs),
        first_at=runs[0].started_at,
        first_id=runs[0].id,
        last_at=runs[-1].started_at,
        last_id=runs[-1].id,
        said=runs[-1].message and runs[-1].message[:_LONGEST],
    )
