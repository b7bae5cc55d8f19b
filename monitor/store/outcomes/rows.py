"""Outcomes to rows and back; what many runs share is told apart from what is a run's own.

A row's `document` is a JSON array, cut after its last value: the values of `timings_ms` and of `ids` (their
names stand in the context), `wer`, `completeness`, the transcript where many do not share it, `extra`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import Any

from sqlalchemy import Row, Select, select

from monitor.core.model import Blame, Failure, Kind, Outcome, Stage, Verdict
from monitor.core.outcome_json import storable
from monitor.store.database.columns import from_json, from_ms, to_json, to_ms
from monitor.store.database.tables import cells, contexts, outcomes, targets, transcripts

# A row on its way in, in the order of the insert statement.
COLUMNS = (
    "uid", "cell_id", "number", "kind", "slot", "started_at", "finished_at", "verdict", "notable", "fresh",
    "silence_since", "spacing", "context_id", "transcript_id", "failure", "stage", "blame", "type", "code",
    "message", "http_status", "close_code", "document",
)  # fmt: skip
UID, CELL, NUMBER, KIND, SLOT, STARTED = (COLUMNS.index(name) for name in COLUMNS[:6])
VERDICT, NOTABLE, FRESH, SILENCE, SPACING, CONTEXT = (COLUMNS.index(name) for name in COLUMNS[7:13])
DERIVED = frozenset({"number", "notable", "fresh", "silence_since", "spacing"})
_LONGEST_SHARED = 2000
_MICROSECOND = timedelta(microseconds=1)

Encoded = list[Any]


def shared_transcript(outcome: Outcome) -> str | None:
    """The transcript where it is worth keeping once for many runs: that of a pass."""
    text = outcome.transcript
    if text is None or outcome.verdict is not Verdict.PASSED or len(text) > _LONGEST_SHARED:
        return None
    return _clean(text)


def encode(outcome: Outcome, cell_id: int, context_id: int, transcript_id: int | None) -> Encoded:
    """The outcome's row, with what follows from its neighbours still to be filled in."""
    verdict = outcome.verdict
    own = _clean(outcome.transcript) if transcript_id is None else None
    return [
        outcome.id,
        cell_id,
        0,
        str(outcome.kind),
        to_ms(outcome.slot),
        to_ms(outcome.started_at),
        to_ms(outcome.finished_at),
        str(verdict),
        0 if verdict is Verdict.PASSED else 1,
        0,
        None,
        None,
        context_id,
        transcript_id,
        outcome.failure and str(outcome.failure),
        outcome.stage and str(outcome.stage),
        outcome.blame and str(outcome.blame),
        outcome.type and _clean(outcome.type),
        outcome.code and _clean(outcome.code),
        outcome.message and _clean(outcome.message),
        outcome.http_status,
        outcome.close_code,
        _document(outcome, own),
    ]


def _clean(text: str | None) -> str | None:
    return text if text is None or text.isprintable() else storable(text)


def _document(outcome: Outcome, transcript: str | None) -> str | None:
    timings, ids = outcome.timings_ms, outcome.ids
    parts: list[Any] = [
        [*timings.values()] if timings else None,
        [*ids.values()] if ids else None,
        outcome.wer,
        outcome.completeness,
        transcript,
        outcome.extra or None,
    ]
    while parts and parts[-1] is None:
        parts.pop()
    return to_json(parts) if parts else None


def context_key(outcome: Outcome) -> tuple[Any, ...]:
    """What the outcome shares with many others, as a key; without a host it is as it was before hosts."""
    host = () if outcome.host is None else (outcome.host,)
    return (
        outcome.provider,
        outcome.region,
        outcome.clip,
        outcome.configuration,
        outcome.every_s,
        tuple(outcome.timings_ms),
        tuple(outcome.ids),
        *host,
    )


def every_us(every_s: float | None) -> int | None:
    """An interval in whole microseconds, as a timedelta keeps it."""
    return None if every_s is None else timedelta(seconds=every_s) // _MICROSECOND


def context_values(key: tuple[Any, ...]) -> dict[str, Any]:
    """The row of `contexts` for a key."""
    document = to_json(key)
    return {
        "digest": digest(document),
        "configuration": key[3],
        "every_us": every_us(key[4]),
        "document": key,
    }


def digest(text: str) -> bytes:
    """Sixteen bytes that stand for a text; not a secret, not a signature."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def select_outcomes() -> Select[Any]:
    """Every column that `decode` reads, `COLUMNS` first."""
    return (
        select(
            *(outcomes.c[name] for name in COLUMNS),
            targets.c.endpoint,
            targets.c.model,
            targets.c.pathway,
            cells.c.location,
            contexts.c.document.label("context"),
            transcripts.c.text.label("transcript"),
        )
        .join_from(outcomes, cells, outcomes.c.cell_id == cells.c.id)
        .join(targets, cells.c.target_id == targets.c.id)
        .join(contexts, outcomes.c.context_id == contexts.c.id)
        .outerjoin(transcripts, outcomes.c.transcript_id == transcripts.c.id)
    )


def decode(row: Row[Any]) -> Outcome:
    """The outcome of a row of `select_outcomes`."""
    provider, region, clip, configuration, every_s, timings, ids, *host = row.context
    own = from_json(row.document) if row.document else []
    own += [None] * (6 - len(own))
    return Outcome(
        id=row.uid,
        endpoint=row.endpoint,
        model=row.model,
        pathway=row.pathway,
        location=row.location,
        kind=Kind(row.kind),
        provider=provider,
        region=region,
        host=host[0] if host else None,
        every_s=every_s,
        clip=clip,
        configuration=configuration,
        slot=row.slot,
        started_at=row.started_at,
        finished_at=row.finished_at,
        verdict=Verdict(row.verdict),
        failure=row.failure and Failure(row.failure),
        stage=row.stage and Stage(row.stage),
        blame=row.blame and Blame(row.blame),
        type=row.type,
        code=row.code,
        message=row.message,
        http_status=row.http_status,
        close_code=row.close_code,
        timings_ms=_named(timings, own[0]),
        wer=own[2],
        completeness=own[3],
        transcript=row.transcript if row.transcript_id is not None else own[4],
        ids=_named(ids, own[1]),
        extra=own[5] or {},
    )


def _named(names: Sequence[str], values: Sequence[Any] | None) -> Mapping[str, Any]:
    return dict(zip(names, values or (), strict=False))


def same_content(stored: Row[Any], fresh: Encoded) -> bool:
    """Whether a stored row says what a new one says; what follows from neighbours does not count."""
    for name, value in zip(COLUMNS, fresh, strict=True):
        if name in DERIVED:
            continue
        there = getattr(stored, name)
        if there == value or (name in {"slot", "started_at", "finished_at"} and there == from_ms(value)):
            continue
        if name == "document" and there and value and from_json(there) == from_json(value):
            continue
        return False
    return True
