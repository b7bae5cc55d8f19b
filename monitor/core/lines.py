"""Outcome lines (``earwitness.outcome/1``) to outcomes and back; it reads no file and stores nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from monitor.core.model import Blame, Failure, Kind, Outcome, Stage, Verdict
from monitor.core.times import parse_instant, rfc3339

SCHEMA = "earwitness.outcome/1"
_REQUIRED = ("schema", "id", "endpoint", "model", "pathway", "started_at", "finished_at", "verdict")
_LONGEST_NAME = 200
_FIRST_YEAR, _LAST_YEAR = 1970, 2999  # far from where adding an interval overflows
_LONGEST_EVERY_S = 366 * 86_400
_KNOWN = frozenset(field.name for field in fields(Outcome)) - {"extra"} | {"schema", "evidence"}
_Member = TypeVar("_Member", bound=StrEnum)


class LineError(ValueError):
    """A line that is no outcome; the sentence begins with the key it is about."""


def outcome_to_line(outcome: Outcome, evidence: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The outcome as a JSON-ready object, unknown keys of its import included, in a fixed order."""
    line: dict[str, Any] = {
        "schema": SCHEMA,
        "id": outcome.id,
        "endpoint": outcome.endpoint,
        "provider": outcome.provider,
        "region": outcome.region,
        "model": outcome.model,
        "pathway": outcome.pathway,
        "location": outcome.location,
        "kind": outcome.kind.value,
        "every_s": outcome.every_s,
        "clip": outcome.clip,
        "configuration": outcome.configuration,
        "slot": rfc3339(outcome.slot),
        "started_at": rfc3339(outcome.started_at),
        "finished_at": rfc3339(outcome.finished_at),
        "verdict": outcome.verdict.value,
        "failure": outcome.failure and outcome.failure.value,
        "stage": outcome.stage and outcome.stage.value,
        "blame": outcome.blame and outcome.blame.value,
        "type": outcome.type,
        "code": outcome.code,
        "message": outcome.message,
        "http_status": outcome.http_status,
        "close_code": outcome.close_code,
        "timings_ms": dict(outcome.timings_ms),
        "wer": outcome.wer,
        "completeness": outcome.completeness,
        "transcript": outcome.transcript,
        "ids": dict(outcome.ids),
    }
    line.update((key, value) for key, value in outcome.extra.items() if key not in _KNOWN)
    if evidence is not None:
        line["evidence"] = dict(evidence)
    return line


def outcome_from_line(line: object) -> tuple[Outcome, Mapping[str, Any] | None]:
    """The outcome of a parsed line, and the `evidence` it carries.

    Raises LineError, with one sentence that names the key, for anything that breaks the contract.
    """
    if not isinstance(line, Mapping):
        raise LineError("a line must be one JSON object")
    _check_required(line)
    started_at, finished_at = _instant(line, "started_at"), _instant(line, "finished_at")
    if finished_at < started_at:
        raise LineError("finished_at: lies before started_at")
    outcome = Outcome(
        id=_name(line, "id"),
        endpoint=_part(line, "endpoint"),
        model=_name(line, "model"),
        pathway=_part(line, "pathway"),
        location=_optional(line, "location", _name) or "default",
        kind=_member(line, "kind", Kind) or Kind.SCHEDULED,
        provider=_optional(line, "provider", _name),
        region=_optional(line, "region", _name),
        every_s=_every(line),
        clip=_optional(line, "clip", _name),
        configuration=_optional(line, "configuration", _name),
        slot=_optional(line, "slot", _instant) or started_at,
        started_at=started_at,
        finished_at=finished_at,
        verdict=_member(line, "verdict", Verdict) or Verdict.INCONCLUSIVE,
        failure=_member(line, "failure", Failure),
        stage=_member(line, "stage", Stage),
        blame=_member(line, "blame", Blame),
        type=_optional(line, "type", _text),
        code=_optional(line, "code", _text),
        message=_optional(line, "message", _text),
        http_status=_optional(line, "http_status", _whole),
        close_code=_optional(line, "close_code", _whole),
        timings_ms=_timings(line),
        wer=_optional(line, "wer", _number),
        completeness=_optional(line, "completeness", _number),
        transcript=_optional(line, "transcript", _text),
        ids=_ids(line),
        extra={key: value for key, value in line.items() if key not in _KNOWN},
    )
    return outcome, _optional(line, "evidence", _object)


def _check_required(line: Mapping[str, Any]) -> None:
    for key in _REQUIRED:
        if line.get(key) is None:
            raise LineError(f"{key}: is missing")
    if line["schema"] != SCHEMA:
        raise LineError(f"schema: '{str(line['schema'])[:60]}' is not known here, '{SCHEMA}' is expected")


_Read = TypeVar("_Read")


def _optional(
    line: Mapping[str, Any], key: str, read: Callable[[Mapping[str, Any], str], _Read]
) -> _Read | None:
    return None if line.get(key) is None else read(line, key)


def _text(line: Mapping[str, Any], key: str) -> str:
    value = line[key]
    if not isinstance(value, str):
        raise LineError(f"{key}: must be a string")
    return value if value.isprintable() else storable(value)


def storable(text: str) -> str:
    """The text without what no database and no UTF-8 file can hold: NUL and lone surrogates."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _name(line: Mapping[str, Any], key: str) -> str:
    value = line[key]
    if not isinstance(value, str) or not value:
        raise LineError(f"{key}: must be a string that is not empty")
    if len(value) > _LONGEST_NAME:
        raise LineError(f"{key}: is longer than {_LONGEST_NAME} characters")
    if not value.isprintable():
        raise LineError(f"{key}: holds characters that cannot be printed")
    return value


def _part(line: Mapping[str, Any], key: str) -> str:
    value = _name(line, key)
    if "/" in value:
        raise LineError(f"{key}: must not contain a slash")
    return value


def _instant(line: Mapping[str, Any], key: str) -> datetime:
    value = line[key]
    if not isinstance(value, str):
        raise LineError(f"{key}: must be a time such as 2025-11-17T08:30:00Z")
    try:
        instant = parse_instant(value)
    except ValueError as error:
        raise LineError(f"{key}: {error}") from None
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise LineError(f"{key}: lies before {_FIRST_YEAR} or after {_LAST_YEAR}")
    return instant


def _member(line: Mapping[str, Any], key: str, members: type[_Member]) -> _Member | None:
    value = line.get(key)
    if value is None:
        return None
    try:
        return members(value)
    except ValueError:
        allowed = ", ".join(member.value for member in members)
        raise LineError(f"{key}: '{str(value)[:60]}' is none of {allowed}") from None


def _number(line: Mapping[str, Any], key: str) -> float:
    value = line[key]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise LineError(f"{key}: must be a number")
    if not 0 <= value < 1e15:
        raise LineError(f"{key}: must be a number from 0 upwards")
    return value


def _whole(line: Mapping[str, Any], key: str) -> int:
    value = line[key]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 100_000:
        raise LineError(f"{key}: must be a whole number below 100000")
    return value


def _every(line: Mapping[str, Any]) -> float | None:
    value = _optional(line, "every_s", _number)
    if value is not None and not 0 < value <= _LONGEST_EVERY_S:
        raise LineError("every_s: must be more than 0 and at most a year")
    return value


def _object(line: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = line[key]
    if not isinstance(value, Mapping):
        raise LineError(f"{key}: must be an object")
    return value


def _timings(line: Mapping[str, Any]) -> Mapping[str, float | None]:
    timings = _optional(line, "timings_ms", _object) or {}
    try:
        return {key: _optional(timings, key, _number) for key in timings}
    except LineError as error:
        raise LineError(f"timings_ms.{error}") from None


def _ids(line: Mapping[str, Any]) -> Mapping[str, str | None]:
    ids = _optional(line, "ids", _object) or {}
    try:
        return {key: _optional(ids, key, _text) for key in ids}
    except LineError as error:
        raise LineError(f"ids.{error}") from None
