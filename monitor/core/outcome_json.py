"""Outcome lines (``earwitness.outcome/1``) to outcomes and back; it reads no file and stores nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast

from monitor.core.model import Blame, Failure, Kind, Outcome, Stage, Verdict
from monitor.core.timefmt import parse_instant, rfc3339

SCHEMA = "earwitness.outcome/1"
_REQUIRED = ("schema", "id", "endpoint", "model", "pathway", "started_at", "finished_at", "verdict")
_LONGEST_NAME = 200
_FIRST_YEAR, _LAST_YEAR = 1970, 2999  # far from where adding an interval overflows
_LONGEST_EVERY_S = 366 * 86_400
_LARGEST = 1e15
_KNOWN = frozenset(field.name for field in fields(Outcome)) - {"extra"} | {"schema", "evidence"}
Reader = Callable[[str, Any], Any]  # key and value, not null, to what the outcome holds


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
        "host": outcome.host,
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
    if not isinstance(line, (dict, Mapping)):
        raise LineError("a line must be one JSON object")
    try:
        found = _read(line)
    except (LineError, TypeError):  # a list has no hash to be remembered by
        _name_the_first(line)
        raise
    if found["finished_at"] < found["started_at"]:
        raise LineError("finished_at: lies before started_at")
    found.setdefault("slot", found["started_at"])
    evidence = found.pop("evidence", None)
    extra = {key: value for key, value in line.items() if key not in _READERS}
    return Outcome(**found, extra=extra), evidence


def _read(line: Mapping[str, Any]) -> dict[str, Any]:
    """What the outcome holds by key, for every known key that is not null; the schema is only checked."""
    found = dict(_read_recurring(*map(line.get, _RECURRING)))
    for key, read in _OWN:
        value = line.get(key)
        if value is not None or key in _REQUIRED:
            found[key] = read(key, value)
    return found


@lru_cache(maxsize=1024)
def _read_recurring(*values: Any) -> Mapping[str, Any]:
    """What the lines of a target have in common: read once for all of them that say the same."""
    found = {
        key: _READERS[key](key, value)
        for key, value in zip(_RECURRING, values, strict=True)
        if value is not None or key in _REQUIRED
    }
    del found["schema"]
    return found


def _name_the_first(line: Mapping[str, Any]) -> None:
    """Raise LineError for what is missing, else for the first key of the line that breaks the contract."""
    for key in _REQUIRED:
        if line.get(key) is None:
            raise LineError(f"{key}: is missing")
    for key, value in line.items():
        if value is not None and key in _READERS:
            _READERS[key](key, value)


def _schema(_key: str, value: Any) -> None:
    if value != SCHEMA:
        raise LineError(f"schema: '{str(value)[:60]}' is not known here, '{SCHEMA}' is expected")


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise LineError(f"{key}: must be a string")
    return value if value.isprintable() else storable(value)


def storable(text: str) -> str:
    """The text without what no database and no UTF-8 file can hold: NUL and lone surrogates."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _id(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise LineError(f"{key}: must be a string that is not empty")
    if len(value) > _LONGEST_NAME:
        raise LineError(f"{key}: is longer than {_LONGEST_NAME} characters")
    if not value.isprintable() and storable(value) != value:  # another text would be another id
        raise LineError(f"{key}: holds NUL or half a character, which no database keeps")
    return value


def _name(key: str, value: Any) -> str:
    name = _id(key, value)
    if not name.isprintable():
        raise LineError(f"{key}: holds characters that cannot be printed")
    return name


def _part(key: str, value: Any) -> str:
    name = _name(key, value)
    if "/" in name:
        raise LineError(f"{key}: must not contain a slash")
    return name


def _instant(key: str, value: Any) -> datetime:
    if not isinstance(value, str):
        raise LineError(f"{key}: must be a time such as 2025-11-17T08:30:00Z")
    try:
        instant = parse_instant(value)
    except ValueError as error:
        raise LineError(f"{key}: {error}") from None
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise LineError(f"{key}: lies before {_FIRST_YEAR} or after {_LAST_YEAR}")
    return instant


def _one_of(members: type[StrEnum]) -> Reader:
    """The reader of a member of an enum."""
    known = {member.value: member for member in members}

    def read(key: str, value: Any) -> StrEnum:
        member = known.get(value) if isinstance(value, str) else None
        if member is None:
            raise LineError(f"{key}: '{str(value)[:60]}' is none of {', '.join(known)}")
        return member

    return read


def _number(key: str, value: Any) -> float:
    if type(value) in {int, float} and 0 <= value < _LARGEST:
        return cast("float", value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise LineError(f"{key}: must be a number")
    if not 0 <= value < _LARGEST:
        raise LineError(f"{key}: must be a number from 0 upwards")
    return value


def _whole(key: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 100_000:
        raise LineError(f"{key}: must be a whole number below 100000")
    return value


def _every(key: str, value: Any) -> float:
    every_s = _number(key, value)
    if not 0 < every_s <= _LONGEST_EVERY_S:
        raise LineError(f"{key}: must be more than 0 and at most a year")
    return every_s


def _object(key: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, (dict, Mapping)):  # asking for the abstract type alone takes six times as long
        raise LineError(f"{key}: must be an object")
    return value


def _object_of(read: Reader) -> Reader:
    """The reader of an object whose values are absent or read by *read*."""

    def read_all(key: str, value: Any) -> Mapping[str, Any]:
        parts = _object(key, value)
        try:
            return {name: None if part is None else read(name, part) for name, part in parts.items()}
        except LineError as error:
            raise LineError(f"{key}.{error}") from None

    return read_all


_READERS: Mapping[str, Reader] = {
    "schema": _schema,
    "id": _id,
    "endpoint": _part,
    "model": _name,
    "pathway": _part,
    "location": _name,
    "kind": _one_of(Kind),
    "provider": _name,
    "region": _name,
    "host": _name,
    "every_s": _every,
    "clip": _name,
    "configuration": _name,
    "slot": _instant,
    "started_at": _instant,
    "finished_at": _instant,
    "verdict": _one_of(Verdict),
    "failure": _one_of(Failure),
    "stage": _one_of(Stage),
    "blame": _one_of(Blame),
    "type": _text,
    "code": _text,
    "message": _text,
    "http_status": _whole,
    "close_code": _whole,
    "timings_ms": _object_of(_number),
    "wer": _number,
    "completeness": _number,
    "transcript": _text,
    "ids": _object_of(_text),
    "evidence": _object,
}
# Short texts that are the same in many lines. No number: 60 and 60.0 are equal, and not the same.
_RECURRING = (
    "schema", "endpoint", "model", "pathway", "location", "kind", "provider", "region", "host",
    "clip", "configuration", "verdict", "failure", "stage", "blame",
)  # fmt: skip
_OWN = tuple((key, read) for key, read in _READERS.items() if key not in _RECURRING)
