"""The page of one run: verdict, timings per stage, ids to quote, and every frame of the exchange in order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from monitor.core.model import Outcome
from monitor.core.timefmt import rfc3339
from monitor.core.views.latency import latency_text
from monitor.store.database.engine import Transaction
from monitor.store.outcomes.read import read_evidence, read_outcome
from monitor.store.overview import read_incident_of_run
from monitor.web.frame.answer import answer_page
from monitor.web.frame.context import WebContext

_LONGEST_BODY = 20_000
_MOST_FRAMES = 500
_ABSURD = 1e12  # beyond this, and for what is not finite, a number says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRow:
    """One stage: when it was entered, how long it took, a bar."""

    name: str
    took: str
    bar: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRow:
    """One frame, or a stretch of audio frames; `body` is pretty JSON where it is JSON."""

    number: int
    at: str
    direction: str
    kind: str
    type: str
    size: str
    body: str
    note: str
    bad: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """Everything on the page of a run; `incident` is the number of the one that holds it."""

    title: str
    outcome: Outcome
    incident: int | None
    facts: Sequence[tuple[str, str]]
    stages: Sequence[StageRow]
    frames: Sequence[FrameRow]
    left_out: int
    url: str
    exchange: Sequence[tuple[str, str]]
    request_headers: Sequence[tuple[str, str]]
    response_headers: Sequence[tuple[str, str]]
    notes: Sequence[str]
    has_evidence: bool


def routes(context: WebContext) -> APIRouter:
    """The page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/runs/{run_id:text}")
    def run(request: Request, run_id: str) -> Response:
        def make(tx: Transaction, _now: datetime) -> tuple[str, RunPage]:
            outcome = read_outcome(tx, run_id)
            evidence = read_evidence(tx, run_id)
            number = read_incident_of_run(tx, outcome.cell, outcome.started_at)
            return "pages/run.html", run_page(outcome, evidence, incident=number)

        return answer_page(context, request, make)

    return router


def run_page(outcome: Outcome, evidence: Mapping[str, Any] | None, *, incident: int | None) -> RunPage:
    """The page of a run; *evidence* is None where none is stored (any more).

    Imported evidence may hold anything: what has another form than ours is left out or shown as text.
    """
    seen: Mapping[str, Any] = evidence or {}
    frames = [frame for frame in _list(seen.get("frames")) if isinstance(frame, Mapping)]
    return RunPage(
        title=f"Run {outcome.id}",
        outcome=outcome,
        incident=incident,
        facts=_facts(outcome),
        stages=_stages(outcome, seen),
        frames=tuple(_frame_row(frame) for frame in frames[:_MOST_FRAMES]),
        left_out=max(len(frames) - _MOST_FRAMES, 0),
        url=str(seen.get("url") or ""),
        exchange=_exchange(seen),
        request_headers=_pairs(seen.get("request_headers")),
        response_headers=_pairs(seen.get("response_headers")),
        notes=tuple(str(note) for note in _list(seen.get("notes"))),
        has_evidence=evidence is not None,
    )


def _facts(outcome: Outcome) -> Sequence[tuple[str, str]]:
    facts = [
        ("why", outcome.kind.value),
        ("slot", f"{rfc3339(outcome.slot).replace('T', ' ').removesuffix('Z')} UTC"),
        ("took", latency_text((outcome.finished_at - outcome.started_at).total_seconds() * 1000)),
        ("clip", outcome.clip or ""),
        ("word error rate", "" if outcome.wer is None else f"{outcome.wer:.3f}"),
        ("completeness", "" if outcome.completeness is None else f"{outcome.completeness:.0%}"),
        ("HTTP status", str(outcome.http_status or "")),
        ("close code", str(outcome.close_code or "")),
        ("configuration", outcome.configuration or ""),
    ]
    return tuple((name, value) for name, value in facts if value)


def _stages(outcome: Outcome, seen: Mapping[str, Any]) -> Sequence[StageRow]:
    found = [step for step in _list(seen.get("steps")) if isinstance(step, Mapping)]
    steps = [(str(step.get("stage")), _number(step.get("at"))) for step in found]
    if not steps:
        return ()
    took = (outcome.finished_at - outcome.started_at).total_seconds()
    whole = max(took, 0.001, *(at for _, at in steps))
    ends = [at for _, at in steps[1:]] + [whole]
    return tuple(
        StageRow(name=name, took=latency_text((end - at) * 1000), bar=_bar(at / whole, end / whole))
        for (name, at), end in zip(steps, ends, strict=True)
    )


def _bar(start: float, end: float) -> Markup:
    start, width = max(start, 0.0), max(end - start, 0.002)
    rect = f'<rect class="span" x="{start * 100:.2f}%" width="{width * 100:.2f}%" y="1" height="10" rx="1"/>'
    return Markup(f'<svg aria-hidden="true">{rect}</svg>')  # noqa: S704  # numbers of ours only


def _frame_row(frame: Mapping[str, Any]) -> FrameRow:
    kind, type_ = str(frame.get("kind") or ""), str(frame.get("type") or "")
    body = frame.get("body")
    audio = frame.get("frames")
    note = f"{audio} audio frames until {_offset(frame.get('until'))}" if audio else ""
    if frame.get("truncated"):
        note = f"{note} cut off".strip()
    return FrameRow(
        number=round(_number(frame.get("n"))),
        at=_offset(frame.get("at")),
        direction=str(frame.get("dir") or ""),
        kind=kind,
        type=type_ or kind,
        size=_size(frame.get("bytes")),
        body=_pretty(body)[:_LONGEST_BODY] if body is not None else "",
        note=note,
        bad=type_ == "error" or type_.endswith(".failed"),
    )


def _offset(at: object) -> str:
    return f"{_number(at):.3f} s" if isinstance(at, int | float) else ""


def _size(count: object) -> str:
    if not isinstance(count, int | float):
        return ""
    size = _number(count)
    return f"{size:.0f} B" if size < 10_000 else f"{size / 1000:.0f} kB"


def _pretty(body: object) -> str:
    if not isinstance(body, str):
        return json.dumps(body, indent=2, ensure_ascii=False)
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body  # what came is no JSON, or was cut off: it is shown as it came


def _exchange(seen: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    close, sent = _mapping(seen.get("close")), _mapping(seen.get("sent_ids"))
    ended = f"{close.get('code')} {close.get('reason') or ''} by {close.get('by')}" if close else ""
    facts = [
        ("method", seen.get("method")),
        ("response status", seen.get("response_status")),
        ("peer", seen.get("peer")),
        ("TLS", seen.get("tls")),
        ("closed", ended),
        ("received", _size(seen.get("bytes_in"))),
        ("sent", _size(seen.get("bytes_out"))),
        ("own loop lag", _lag(seen.get("loop_lag_ms"))),
        ("client", seen.get("client")),
        *((f"sent {name}", value) for name, value in sent.items()),
    ]
    return tuple((name, str(value)) for name, value in facts if value)


def _lag(lag: object) -> str:
    return f"{_number(lag):.1f} ms" if isinstance(lag, int | float) else ""


def _pairs(headers: object) -> Sequence[tuple[str, str]]:
    items = list(headers.items()) if isinstance(headers, Mapping) else _list(headers)
    pairs = (pair for pair in items if isinstance(pair, Sequence) and len(pair) == 2)
    return tuple((str(name), str(value)) for name, value in pairs)


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> float:
    """A finite number; 0 for anything else."""
    known = isinstance(value, int | float) and abs(value) < _ABSURD
    return float(value) if known and isinstance(value, int | float) else 0.0
