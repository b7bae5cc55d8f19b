"""A database that holds the reference day, filled through the store, and the application over it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI
from sqlalchemy import Connection

from monitor.core.alerting.notice import Notice, NoticeKind
from monitor.core.diagnosis.diagnose import Incident, Severity
from monitor.core.errors import NotFound
from monitor.core.incidents.derive import derive
from monitor.core.incidents.incident import Entry, EntryKind, Phase, StoredIncident
from monitor.core.incidents.reconcile import diagnosis_of
from monitor.core.model import Blame, Endpoint, Failure, Outcome, Stage, Target, Verdict
from monitor.core.outages.masking import pause
from monitor.core.outages.rule import Rule, rule_to_json
from monitor.store.database.engine import Database
from monitor.store.derivation.history import StoreHistory
from monitor.store.derivation.maintenance import read_maintenance
from monitor.store.incidents.incidents import add_entries, replace_windows, save_incident
from monitor.store.incidents.notices import add_notices, claim_notice, settle_notice
from monitor.store.outcomes.add import add_outcomes
from monitor.store.outcomes.cells import sync_targets
from monitor.web.app import create_app
from monitor.web.frame.display_settings import DisplaySettings, Liveness

DAY = datetime(2025, 11, 17, tzinfo=UTC)
NOW = DAY + timedelta(hours=16, minutes=20, seconds=30)
DOWN_FROM, DOWN_UNTIL = 510, 930  # minutes of the day: 08:30 to 15:30
RULE = Rule()
AZURE = Endpoint(
    name="azure-sweden",
    provider="azure_openai",
    url="https://contoso.openai.azure.com",
    region="swedencentral",
    key="env:AZURE_OPENAI_KEY",
)
OPENAI = Endpoint(
    name="openai-us", provider="openai", url="https://api.openai.com/v1", key="env:OPENAI_API_KEY"
)
MINUTE = timedelta(minutes=1)


def watch(endpoint: Endpoint, model: str, pathway: str, session: str | None = None) -> Target:
    return Target(
        endpoint=endpoint,
        model=model,
        pathway=pathway,
        session_model=session,
        every=MINUTE,
        max_per_minute=10,
    )


TARGETS = (
    watch(AZURE, "gpt-4o-transcribe", "rest"),
    watch(AZURE, "gpt-4o-transcribe", "realtime", "gpt-realtime"),
    watch(AZURE, "whisper-1", "rest"),
    watch(AZURE, "whisper-1", "realtime", "gpt-realtime"),
    watch(OPENAI, "gpt-transcribe", "realtime_transcription"),
)
FAILING = TARGETS[1]
SETTINGS = DisplaySettings(
    location="berlin",
    timezone="Europe/Berlin",
    public_url="https://earwitness.example",
    targets=TARGETS,
    rule=RULE,
)


def run_of(target: Target, minute: int, number: int, *, failed: bool = False, **changes: Any) -> Outcome:
    """The run of *target* in that minute of the day; *number* makes its id."""
    slot = DAY + minute * MINUTE + timedelta(seconds=2 * TARGETS.index(target) + 10)
    wobble = (minute * 7919 + number * 104_729) % 240
    outcome = Outcome(
        id=f"0193-{target.model}-{target.pathway}-{minute:05d}",
        endpoint=target.endpoint.name,
        model=target.model,
        pathway=target.pathway,
        location="berlin",
        provider=target.endpoint.provider,
        region=target.endpoint.region,
        every_s=60.0,
        clip="amiable",
        configuration=target.configuration,
        slot=slot,
        started_at=slot,
        finished_at=slot + timedelta(milliseconds=2400 + wobble),
        verdict=Verdict.PASSED,
        timings_ms={"connect": 41.0, "ready": 180.5, "first_text": 402.0, "final": 610.0 + wobble},
        wer=0.0,
        completeness=1.0,
        transcript="amiable: having or displaying a friendly and pleasant manner",
        ids={"request_id": None, "apim_request_id": f"apim-{minute}", "session_id": f"sess_{minute}"},
    )
    return replace(outcome, **(FAILED if failed else {}), **changes)


FAILED: dict[str, Any] = {
    "verdict": Verdict.FAILED,
    "failure": Failure.SERVER,
    "stage": Stage.TRANSCRIBE,
    "blame": Blame.PROVIDER,
    "type": "server_error",
    "message": "Input transcription failed for item 'item_7'.",
    "transcript": None,
    "wer": None,
    "completeness": None,
    "timings_ms": {"connect": 41.0, "ready": 180.5, "first_text": None, "final": None},
}


STEPS = (
    ("resolve", 0.0),
    ("connect", 0.008),
    ("tls", 0.041),
    ("handshake", 0.09),
    ("session", 0.16),
    ("configure", 0.19),
    ("send", 0.25),
    ("commit", 1.72),
    ("transcribe", 1.8),
)


def evidence_for(outcome: Outcome, message: str | None = None) -> dict[str, Any]:
    """What a run saw, as the transport records it."""
    said = message or outcome.message or ""
    kind = "conversation.item.input_audio_transcription"
    error = {"type": "server_error", "code": None, "message": said, "param": None}
    failed = {"type": f"{kind}.failed", "item_id": "item_7", "error": error}
    passed = {"type": f"{kind}.completed", "transcript": outcome.transcript}
    ended = failed if outcome.verdict is Verdict.FAILED else passed
    frames = [
        (0.18, "in", {"type": "session.created", "session": {"id": "sess_1", "model": "gpt-realtime"}}),
        (0.19, "out", {"type": "session.update", "session": {"type": "realtime"}}),
        (0.24, "in", {"type": "session.updated", "session": {"id": "sess_1"}}),
        (0.25, "out", None),
        (1.72, "out", {"type": "input_audio_buffer.commit", "event_id": "c-0001"}),
        (1.80, "in", {"type": "input_audio_buffer.committed", "item_id": "item_7"}),
        (2.31, "in", ended),
    ]
    return {
        "schema": "earwitness.evidence/1",
        "url": "wss://contoso.openai.azure.com/openai/v1/realtime?model=[8 characters]",
        "method": "GET",
        "started_at": outcome.started_at.isoformat(),
        "finished_at": outcome.finished_at.isoformat(),
        "request_headers": {"x-ms-client-request-id": "ours-1", "api-key": "[32 characters]"},
        "response_status": 101,
        "response_headers": [["apim-request-id", "apim-1"], ["x-ms-region", "Sweden Central"]],
        "peer": "20.91.0.1:443",
        "tls": "TLSv1.3",
        "steps": [{"stage": stage, "at": at} for stage, at in STEPS],
        "frames": [_frame(number, *frame) for number, frame in enumerate(frames, 1)],
        "close": {"code": 1000, "reason": "", "by": "us"},
        "bytes_in": 2210,
        "bytes_out": 211_000,
        "sent_ids": {"x-ms-client-request-id": "ours-1"},
        "loop_lag_ms": 0.4,
        "client": "earwitness/0.1.0",
        "notes": [],
    }


def _frame(number: int, at: float, direction: str, event: dict[str, Any] | None) -> dict[str, Any]:
    if event is None:
        return {"n": number, "at": at, "dir": direction, "kind": "audio", "type": "input_audio_buffer.append",
                "bytes": 208_000, "body": None, "truncated": False, "frames": 33, "until": 1.71}  # fmt: skip
    body = json.dumps(event)
    return {"n": number, "at": at, "dir": direction, "kind": "text", "type": event["type"],
            "bytes": len(body), "body": body, "truncated": False}  # fmt: skip


def reference_day(*, until_minute: int = 980) -> Iterator[tuple[Outcome, dict[str, Any] | None]]:
    """One run a minute per target, one failing from 08:30 to 15:30, one failed run alone, one gap."""
    for minute in range(until_minute):
        for number, target in enumerate(TARGETS):
            if target is TARGETS[4] and (minute < 300 or 420 <= minute < 480):
                continue
            down = target is FAILING and DOWN_FROM <= minute < DOWN_UNTIL
            alone = target is TARGETS[0] and minute == 200
            outcome = run_of(target, minute, number, failed=down or alone)
            kept = outcome.verdict is Verdict.FAILED or minute in {509, 930, 511}
            yield outcome, evidence_for(outcome) if kept else None


def fill(database: Database, items: Sequence[tuple[Outcome, Any]], now: datetime = NOW) -> None:
    """Store the runs with the windows and incidents that follow from them."""
    with database.write() as tx:
        sync_targets(tx, TARGETS, now)
        add_outcomes(tx, items)
    with database.write() as tx:
        settle(tx, now)


def settle(tx: Connection, now: datetime) -> None:
    derivation = derive(pause(StoreHistory(tx), read_maintenance(tx)), RULE, now=now)
    belongs: dict[Any, str] = {}
    for incident in derivation.incidents:
        cells = {window.cell for window in incident.windows}
        gaps = [gap for gap in derivation.gaps if gap.cell in cells]
        stored = replace(store_incident(incident, now), diagnosis=diagnosis_of(incident, gaps))
        save_incident(tx, stored)
        add_entries(tx, entries_of(stored))
        belongs |= {(window.cell, window.state, window.start): stored.id for window in incident.windows}
    windows = [(w, belongs.get((w.cell, w.state, w.start))) for w in derivation.windows]
    replace_windows(tx, None, windows)


def store_incident(incident: Incident, now: datetime) -> StoredIncident:
    decided = min(window.decided_at for window in incident.windows)
    return StoredIncident(
        id=f"incident-{incident.number}",
        number=incident.number,
        phase=Phase.OPEN if incident.open else Phase.RESOLVED,
        severity=Severity.MAJOR,
        blame=incident.blame,
        title=incident.title,
        start=incident.start,
        end=incident.end,
        opened_at=decided,
        recovering_at=None if incident.open else incident.end,
        resolved_at=None if incident.open else now,
        updated_at=now,
        rule=rule_to_json(RULE),
        configurations=["9f2c11aa"],
        diagnosis=diagnosis_of(incident),
    )


def entries_of(incident: StoredIncident) -> list[Entry]:
    decided = incident.opened_at or incident.start
    told = [
        (incident.start, EntryKind.SUSPECTED, "1 failed run; neighbours are asked"),
        (decided, EntryKind.OPENED, incident.title),
    ]
    if incident.end:
        told.append((incident.end, EntryKind.RECOVERING, "passing again"))
    return [Entry(incident_id=incident.id, at=at, kind=kind, text=text) for at, kind, text in told]


def owe_notices(tx: Connection, incident_id: str) -> None:
    """Three notices of one incident: sent, failed once, waiting."""
    made = DAY + timedelta(hours=8, minutes=32, seconds=10)
    kinds = (("oncall", NoticeKind.OPENED), ("chat", NoticeKind.OPENED), ("ops", NoticeKind.OPENED))
    add_notices(
        tx,
        [
            Notice(id=f"msg_{channel}", channel=channel, incident_id=incident_id, kind=kind, sequence=1,
                   created_at=made, due_at=made + timedelta(seconds=number))
            for number, (channel, kind) in enumerate(kinds)
        ],
    )  # fmt: skip
    first = claim_notice(tx, made + MINUTE, MINUTE)
    second = claim_notice(tx, made + MINUTE, MINUTE)
    assert first is not None
    assert second is not None
    settle_notice(tx, first.id, now=made + timedelta(seconds=2), sent=True, reply="204")
    settle_notice(
        tx, second.id, now=made, retry_at=made + timedelta(hours=1), reply="500 Internal Server Error"
    )


@dataclass
class Dial:
    """A clock that stands where it is put."""

    now: datetime = NOW
    running: bool = True
    last_cycle: datetime | None = field(default=None)
    more: Liveness = field(default_factory=lambda: Liveness(running=True, last_cycle=None))

    def __call__(self) -> datetime:
        return self.now

    def liveness(self) -> Liveness:
        return {**self.more, "running": self.running, "last_cycle": self.last_cycle or self.now}


def no_bundle(number: int) -> bytes:
    if number != 1:
        raise NotFound(f"there is no incident {number}")
    return b"PK\x05\x06" + bytes(18)


def no_summary(number: int) -> str:
    if number != 1:
        raise NotFound(f"there is no incident {number}")
    return "Subject: Realtime input transcription failed\n"


def app_over(
    database: Database,
    dial: Dial | None = None,
    settings: DisplaySettings = SETTINGS,
    bundle: Callable[[int], bytes] = no_bundle,
) -> FastAPI:
    clock = dial or Dial()
    return create_app(
        database=database,
        clock=clock,
        settings=settings,
        liveness=clock.liveness,
        bundle=bundle,
        summary=no_summary,
    )


SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
HOSTILE_MODEL = "<b>m</b>'\"&?#"
HOSTILE_NOW = DAY + timedelta(minutes=12)


def hostile_runs() -> list[tuple[Outcome, dict[str, Any] | None]]:
    """Twelve minutes with an outage in which everything that comes from outside is hostile."""
    said = {"message": SCRIPT, "type": SCRIPT, "code": SCRIPT}
    items: list[tuple[Outcome, dict[str, Any] | None]] = []
    for minute in range(12):
        changes = {**FAILED, **said} if 4 <= minute < 9 else {"transcript": SCRIPT}
        run = run_of(TARGETS[1], minute, 1, model=HOSTILE_MODEL, region=SCRIPT)
        run = replace(run, **changes, id=f"{SCRIPT}/{minute}", ids={"request_id": SCRIPT})
        document = evidence_for(run, SCRIPT) | {
            "url": SCRIPT,
            "response_headers": [[SCRIPT, SCRIPT]],
            "notes": [SCRIPT],
            "peer": SCRIPT,
            "close": {"code": 1000, "reason": SCRIPT, "by": "peer"},
        }
        items += [(run, document), (run_of(TARGETS[0], minute, 0), None)]
    return items
