"""The reference day's incident as stored rows, for tests of texts, notices and reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.core.alerting.wording import Latest, MessageSettings
from monitor.core.diagnosis.diagnose import Severity
from monitor.core.incidents.codec import read_diagnosis
from monitor.core.incidents.incident import Phase, StoredIncident
from monitor.core.model import Blame, Cell
from monitor.core.timefmt import rfc3339

FAILING = Cell("azure-sweden", "gpt-4o-transcribe", "realtime", "berlin")
REST = Cell("azure-sweden", "gpt-4o-transcribe", "rest", "berlin")
WHISPER = Cell("azure-sweden", "whisper-1", "realtime", "berlin")
START = datetime(2025, 11, 17, 8, 30, 10, tzinfo=UTC)
LAST_BAD = datetime(2025, 11, 17, 15, 29, 10, tzinfo=UTC)
END = datetime(2025, 11, 17, 15, 30, 10, tzinfo=UTC)
DECIDED = datetime(2025, 11, 17, 8, 32, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
VOICE = MessageSettings(public_url="https://earwitness.example")
REASON = "same configuration passed 1,440/1,440 in 24 h; no change recorded"
MESSAGE = "Input transcription failed for item '…'."


def window(cell: Cell = FAILING, **parts: Any) -> dict[str, Any]:
    """One window as the document holds it: the first three bad runs of the reference day, open."""
    return {
        "target": cell.target,
        "location": cell.location,
        "state": "down",
        "start": rfc3339(START),
        "start_after": rfc3339(START - MINUTE),
        "end": None,
        "end_after": rfc3339(START + 2 * MINUTE),
        "failed": 3,
        "total": 3,
        "open": True,
        "decided_at": rfc3339(DECIDED),
        "closed_at": None,
        "continues_until": rfc3339(START + 17 * MINUTE),
        "first_id": "run-first",
        "last_id": "run-last",
        **parts,
    }


def closed_window(cell: Cell = FAILING, **parts: Any) -> dict[str, Any]:
    """The whole window of the reference day."""
    whole = {
        "end": rfc3339(END),
        "end_after": rfc3339(LAST_BAD),
        "failed": 420,
        "total": 420,
        "open": False,
        "closed_at": rfc3339(END + 4 * MINUTE),
        "continues_until": rfc3339(LAST_BAD + 15 * MINUTE),
    }
    return window(cell, **{**whole, **parts})


def control(cell: Cell, runs: int) -> dict[str, Any]:
    """A healthy neighbour that passed every run."""
    return {"target": cell.target, "location": cell.location, "passed": runs, "total": runs}


def signature(count: int, **parts: Any) -> dict[str, Any]:
    """The signature of the reference day's failure."""
    return {
        "failure": "server",
        "stage": "transcribe",
        "type": "server_error",
        "code": None,
        "message": MESSAGE,
        "count": count,
        "first_at": rfc3339(START),
        "first_id": "run-first",
        "last_at": rfc3339(LAST_BAD),
        "last_id": "run-last",
        **parts,
    }


def document(runs: int, window: Mapping[str, Any], **parts: Any) -> dict[str, Any]:
    """The incident's document as it is stored, with one window and both controls."""
    return {
        "subject": "gpt-4o-transcribe · realtime · swedencentral",
        "scope": [{"model": FAILING.model, "pathway": FAILING.pathway}],
        "affected": [FAILING.target],
        "unaffected": [control(REST, runs), control(WHISPER, runs)],
        "windows": [window],
        "signatures": [signature(runs)],
        "blame_reason": REASON,
        **parts,
    }


def incident(
    phase: Phase = Phase.OPEN, *, document: Mapping[str, Any] | None = None, **parts: Any
) -> StoredIncident:
    """The reference incident in a phase, of its *document*: three runs old while open, whole afterwards."""
    ended = phase in (Phase.RECOVERING, Phase.RESOLVED)
    contents = _contents(ended=ended) if document is None else document
    values: dict[str, Any] = {
        "id": "0193-incident",
        "number": 1,
        "phase": phase,
        "severity": Severity.MAJOR,
        "blame": Blame.PROVIDER,
        "title": "gpt-4o-transcribe · realtime · swedencentral down since 08:30:10 UTC. Unaffected: …",
        "start": START,
        "end": END if ended else None,
        "opened_at": DECIDED,
        "recovering_at": END + 4 * MINUTE if ended else None,
        "resolved_at": END + 20 * MINUTE if phase is Phase.RESOLVED else None,
        "updated_at": DECIDED,
        "rule": {},
        "configurations": ["9f2c"],
        "diagnosis": read_diagnosis(contents),
    }
    return StoredIncident(**{**values, **parts})


def _contents(*, ended: bool) -> dict[str, Any]:
    return document(420, closed_window()) if ended else document(3, window())


def latest_at(now: datetime) -> dict[Cell, Latest]:
    """Both controls passed a few seconds before *now*."""
    return {
        REST: Latest(last_pass=now + timedelta(seconds=4), healthy=True),
        WHISPER: Latest(last_pass=now + timedelta(seconds=6), healthy=True),
    }
