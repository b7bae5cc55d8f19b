"""The reference day's dossier: real ids, frames and settings of the kind that a run leaves behind."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from monitor.core.evidence.bundle_facts import (
    Baseline,
    BundleFacts,
    ClipFacts,
    Observer,
    Period,
    QuotedRun,
    Role,
)
from monitor.core.incidents.incident import Entry, EntryKind, Phase
from monitor.core.model import (
    Blame,
    Cell,
    Deployment,
    Endpoint,
    Failure,
    Outcome,
    Stage,
    Target,
    Verdict,
)
from tests.support.sample_incident import (
    DECIDED,
    END,
    FAILING,
    LAST_BAD,
    MINUTE,
    REST,
    START,
    WHISPER,
    incident,
)

ENDPOINT = Endpoint(
    name="azure-sweden",
    provider="azure_openai",
    url="https://contoso.openai.azure.com",
    region="swedencentral",
    resource_id="/subscriptions/0000/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/contoso",
    key="env:AZURE_OPENAI_KEY",
    deployments={
        "gpt-4o-transcribe": Deployment(
            model="gpt-4o-transcribe", name="stt-prod", type="Standard", version="2025-03-20"
        ),
        "gpt-realtime": Deployment(
            model="gpt-realtime", name="rt-host", type="GlobalStandard", version="2025-08-28"
        ),
    },
)
URL = "wss://contoso.openai.azure.com/openai/v1/realtime?model=rt-host"
SESSION = '{"type":"session.update","session":{"audio":{"input":{"transcription":{"model":"stt-prod"}}}}}'
RECORDING = ClipFacts(name="amiable", sha256="ab" * 32, seconds=3.29, text="He was an amiable man.")


def target(cell: Cell, **parts: Any) -> Target:
    """The configured target of a cell."""
    host = "gpt-realtime" if cell.pathway == "realtime" else None
    values = {"endpoint": ENDPOINT, "model": cell.model, "pathway": cell.pathway, "session_model": host}
    return Target(**{**values, "every": MINUTE, **parts})


def outcome(name: str, cell: Cell, started_at: datetime, verdict: Verdict, **parts: Any) -> Outcome:
    """One run of a cell with its ids."""
    values: dict[str, Any] = {
        "id": f"run-{name}",
        "endpoint": cell.endpoint,
        "provider": "azure_openai",
        "region": "swedencentral",
        "model": cell.model,
        "pathway": cell.pathway,
        "location": cell.location,
        "every_s": 60.0,
        "clip": "amiable",
        "configuration": "9f2c",
        "slot": started_at.replace(microsecond=0),
        "started_at": started_at,
        "finished_at": started_at + timedelta(seconds=3),
        "verdict": verdict,
        "ids": {
            "apim_request_id": f"apim-{name}",
            "session_id": f"sess_{name}",
            "item_id": f"item_{name}",
            "event_id": f"event_{name}",
        },
    }
    return Outcome(**{**values, **parts})


def failed(name: str, started_at: datetime, **parts: Any) -> Outcome:
    """A run that failed as on the reference day."""
    values: dict[str, Any] = {
        "failure": Failure.SERVER,
        "stage": Stage.TRANSCRIBE,
        "blame": Blame.PROVIDER,
        "type": "server_error",
        "message": f"Input transcription failed for item 'item_{name}'.",
    }
    return outcome(name, FAILING, started_at, Verdict.FAILED, **{**values, **parts})


def frame(number: int, direction: str, kind: str, body: str | None = None) -> dict[str, Any]:
    """One frame of an evidence document."""
    shown = f'{{"type":"{kind}"}}' if body is None else body
    return {
        "n": number, "at": number / 10, "dir": direction, "kind": "text", "type": kind,
        "bytes": len(shown), "body": shown, "truncated": False,
    }  # fmt: skip


def evidence(name: str, **parts: Any) -> dict[str, Any]:
    """The exchange of a failing realtime session."""
    values: dict[str, Any] = {
        "schema": "earwitness.evidence/1",
        "url": URL,
        "method": "GET",
        "request_headers": {"api-key": "[32 characters]", "x-ms-client-request-id": f"ours-{name}"},
        "response_status": 101,
        "response_headers": [["apim-request-id", f"apim-{name}"], ["x-ms-region", "Sweden Central"]],
        "sent_ids": {"x-ms-client-request-id": f"ours-{name}"},
        "frames": [
            frame(1, "in", "session.created"),
            frame(2, "out", "session.update", SESSION),
            frame(3, "in", "session.updated"),
            {
                "n": 4,
                "at": 0.4,
                "dir": "out",
                "kind": "audio",
                "type": "input_audio_buffer.append",
                "frames": 33,
            },
            frame(5, "in", "input_audio_buffer.committed"),
            frame(6, "in", "conversation.item.input_audio_transcription.failed"),
        ],
        "close": {"code": 1000, "reason": "", "by": "us"},
        "client": "earwitness/0.1.0",
    }
    return {**values, **parts}


def exhibit(role: Role, run: Outcome, **parts: Any) -> QuotedRun:
    """A chosen run with its evidence."""
    return QuotedRun(role=role, outcome=run, evidence=evidence(run.id.removeprefix("run-"), **parts))


def runs(minutes: int = 422) -> Iterator[Outcome]:
    """Every minute one run of each cell, from one interval before the window to one after it."""
    for minute in range(minutes):
        at = START + (minute - 1) * MINUTE
        bad = 0 < minute < minutes - 1
        yield failed(f"r{minute}", at) if bad else outcome(f"r{minute}", FAILING, at, Verdict.PASSED)
        for cell in (REST, WHISPER):
            yield outcome(f"{cell.pathway}-{cell.model}-{minute}", cell, at + MINUTE / 10, Verdict.PASSED)


def exhibits() -> list[QuotedRun]:
    """First and last failed, last and first passed, and the whisper-1 control."""
    at = {"first": START, "last": LAST_BAD, "before": START - MINUTE, "after": END}
    millis = {name: instant + timedelta(milliseconds=412) for name, instant in at.items()}
    return [
        exhibit(Role.FIRST_FAILED, failed("first", millis["first"])),
        exhibit(Role.LAST_FAILED, failed("last", millis["last"])),
        exhibit(Role.LAST_PASSED, outcome("before", FAILING, millis["before"], Verdict.PASSED)),
        exhibit(Role.FIRST_PASSED, outcome("after", FAILING, millis["after"], Verdict.PASSED)),
        exhibit(Role.CONTROL, outcome("control", WHISPER, START + timedelta(seconds=4.09), Verdict.PASSED)),
    ]


def baselines() -> list[Baseline]:
    """A day, a week, and half an hour since."""
    days = timedelta(days=1)
    return [
        Baseline(period=Period.DAY_BEFORE, since=START - days, until=START, passed=1440, total=1440),
        Baseline(period=Period.WEEK_BEFORE, since=START - 7 * days, until=START, passed=10079, total=10080),
        Baseline(period=Period.SINCE, since=END, until=END + 30 * MINUTE, passed=30, total=30),
    ]


def dossier(phase: Phase = Phase.RESOLVED, **parts: Any) -> BundleFacts:
    """Everything about the reference incident."""
    targets: Mapping[str, Target] = {cell.target: target(cell) for cell in (FAILING, REST, WHISPER)}
    entry = Entry(incident_id="0193-incident", at=DECIDED, kind=EntryKind.OPENED, text="3 of 5 runs failed")
    values: dict[str, Any] = {
        "incident": incident(phase),
        "entries": [entry],
        "targets": targets,
        "exhibits": exhibits(),
        "baselines": baselines(),
        "coverage": 1.0,
        "recordings": {"amiable": RECORDING},
        "observer": Observer(locations=["berlin"], client="earwitness/0.1.0"),
        "outcomes": runs,
    }
    return BundleFacts(**{**values, **parts})


def bare(**parts: Any) -> BundleFacts:
    """An incident of which only outcomes were imported: no settings, no evidence, no baselines."""
    run = failed("first", START, ids={})
    values: dict[str, Any] = {
        "incident": incident(Phase.RESOLVED),
        "exhibits": [QuotedRun(role=Role.FIRST_FAILED, outcome=run)],
        "observer": Observer(locations=[], client="earwitness/0.1.0"),
        "outcomes": lambda: iter(()),
    }
    return BundleFacts(**{**values, **parts})


def with_first(**parts: Any) -> BundleFacts:
    """The dossier whose first failed run left other evidence."""
    return dossier(exhibits=[exhibit(Role.FIRST_FAILED, failed("first", START), **parts)])


def members(bundle: bytes) -> dict[str, bytes]:
    """Names and contents of a bundle."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def line(text: str, start: str) -> str:
    """The line of a ticket that begins so; empty where there is none."""
    return next((found for found in text.splitlines() if found.startswith(start)), "")
