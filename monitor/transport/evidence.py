"""The document that remains of a run (``earwitness.evidence/1``): JSON-ready, bounded, without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from monitor import __version__
from monitor.core.conversation import Evidence
from monitor.core.timefmt import rfc3339
from monitor.providers import PROVIDERS
from monitor.transport.recorder import CORRELATION, RecordedFrame, Recorder
from monitor.transport.scrub import HIDDEN, public_url

SCHEMA = "earwitness.evidence/1"
CLIENT = f"earwitness/{__version__}"
_SHOWN = CORRELATION | {
    "accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent",
}  # fmt: skip
_SHOWN |= {name for provider in PROVIDERS.values() for name in provider.own_headers}
_TYPE = re.compile(r'"type"\s*:\s*"([^"\\]{1,100})"')


def summarise(tape: Recorder, started: datetime, *, lag: float) -> Evidence:
    """The evidence of a run that is over; *lag* is how late our own event loop was, in seconds."""
    finished = started + timedelta(seconds=tape.at())
    method, url = tape.urls[0] if tape.urls else (None, None)
    document = {
        "schema": SCHEMA,
        "url": url and tape.scrub.text(public_url(url)),
        "method": method,
        "started_at": rfc3339(started),
        "finished_at": rfc3339(finished),
        "request_headers": _requested(tape),
        "response_status": tape.response_status,
        "response_headers": [
            [name, value] for name, value in tape.response_headers if name.lower() != "set-cookie"
        ],
        "peer": tape.peer,
        "tls": tape.tls,
        "steps": [{"stage": stage.value, "at": round(at, 3)} for stage, at in tape.steps],
        "frames": _frames(tape),
        "close": tape.close,
        "bytes_in": tape.bytes_in,
        "bytes_out": tape.bytes_out,
        "sent_ids": {name: value for name, value in tape.request_headers if name.lower() in CORRELATION},
        "loop_lag_ms": round(lag * 1000, 1),
        "client": CLIENT,
        "notes": [*tape.notes, *_further(tape)],
    }
    return Evidence(started_at=started, finished_at=finished, document=document)


def utc(seconds: float) -> datetime:
    """The instant *seconds* after the epoch."""
    return datetime.fromtimestamp(seconds, UTC)


def _further(tape: Recorder) -> Iterable[str]:
    for method, url in tape.urls[1:]:
        yield f"then {method} {tape.scrub.text(public_url(url))}"


def _requested(tape: Recorder) -> dict[str, str]:
    shown = {
        name: tape.scrub.text(value) if name.lower() in _SHOWN else f"[{len(value)} characters]"
        for name, value in tape.request_headers
    }
    if tape.credential:
        shown[tape.credential] = HIDDEN
    return shown


def _frames(tape: Recorder) -> list[dict[str, Any]]:
    entries = tape.entries
    kept = _affordable(entries, tape.limits.bodies)
    half = tape.limits.entries // 2
    numbered = list(enumerate(entries, 1))
    if len(entries) > 2 * half:
        tape.notes.append(f"{len(entries) - 2 * half} frames in the middle are left out")
        numbered = numbered[:half] + numbered[-half:]
    return [_frame(number, entry, whole=kept is None or number in kept) for number, entry in numbered]


def _affordable(entries: list[RecordedFrame], budget: int) -> set[int] | None:
    """The numbers of the frames whose bodies fit, from both ends inwards; None where all do."""
    if sum(len(entry.body) for entry in entries) <= budget:
        return None
    kept = set[int]()
    numbered = list(enumerate(entries, 1))
    for side in (numbered, numbered[::-1]):
        left = budget // 2
        for number, entry in side:
            left -= len(entry.body)
            if left < 0:
                break
            kept.add(number)
    return kept


def _frame(number: int, entry: RecordedFrame, *, whole: bool) -> dict[str, Any]:
    frame: dict[str, Any] = {
        "n": number,
        "at": round(entry.at, 3),
        "dir": entry.direction,
        "kind": entry.kind,
        "type": entry.type or (_event_type(entry) if entry.kind == "text" else None),
        "bytes": entry.size,
    }
    if entry.kind == "audio":
        return frame | {"frames": entry.frames, "until": round(entry.until, 3)}
    return frame | {"body": entry.body if whole else "", "truncated": entry.truncated or not whole}


def _event_type(entry: RecordedFrame) -> str | None:
    """The `type` of the event in a text frame, as far as it can be read."""
    if not entry.truncated:
        try:
            event = orjson.loads(entry.body)
        except orjson.JSONDecodeError:
            return None
        kind = event.get("type") if isinstance(event, dict) else None
        return kind[:100] if isinstance(kind, str) else None
    found = _TYPE.search(entry.body)
    return found[1] if found else None
