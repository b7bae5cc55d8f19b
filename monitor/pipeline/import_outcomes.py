"""Outcome lines into the store, a batch per commit; bad lines are refused by number and lose nothing else."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

import orjson

from monitor.core.model import Outcome
from monitor.core.outcome_json import LineError, outcome_from_line
from monitor.store.database.engine import Database
from monitor.store.derivation.unjudged import note_unjudged
from monitor.store.outcomes.add import Added, add_outcomes
from monitor.store.outcomes.pack import pack_evidence

LINES_PER_COMMIT = 2_000
LONGEST_LINE = 16 * 1024 * 1024
_MARK = b"\xef\xbb\xbf"  # a byte order mark; a reader may ignore it (RFC 8259, 8.1)

Numbered = tuple[int, Outcome, bytes | None]
Refuse = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What became of the lines; `known` were stored already with the same content."""

    added: int = 0
    known: int = 0
    refused: int = 0

    def __add__(self, other: ImportResult) -> ImportResult:
        """Both together."""
        return ImportResult(
            added=self.added + other.added,
            known=self.known + other.known,
            refused=self.refused + other.refused,
        )


def import_lines(
    source: IO[bytes], database: Database, refuse: Refuse, *, per_commit: int = LINES_PER_COMMIT
) -> ImportResult:
    """Store every line of *source* that is an outcome; *refuse* is told ``line 17: …`` for each other.

    Lines are JSON objects (``earwitness.outcome/1``); empty ones are passed over. Memory stays flat. What is
    stored here is judged by `update_all_incidents`; where that does not come, the next start does it.
    """
    total = ImportResult()
    lines = _lines(source)
    while batch := list(islice(lines, per_commit)):
        with _collecting_once():
            total += _take_batch(batch, database, refuse)
    return total


@contextmanager
def _collecting_once() -> Iterator[None]:
    """Let Python look for garbage only at the end: a batch makes many objects and hardly any cycle."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.collect(1)
        if was_enabled:
            gc.enable()


def _lines(source: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines; None in place of one that is too long to be read."""
    number = 0
    while line := source.readline(LONGEST_LINE):
        number += 1
        if len(line) < LONGEST_LINE or line.endswith(b"\n"):
            yield number, line.removeprefix(_MARK) if number == 1 else line
            continue
        while line and not line.endswith(b"\n"):
            line = source.readline(LONGEST_LINE)
        yield number, None


def _take_batch(batch: list[tuple[int, bytes | None]], database: Database, refuse: Refuse) -> ImportResult:
    refusals: dict[int, str] = {}
    parsed = list(_parse(batch, refusals))
    with database.write() as tx:
        results = add_outcomes(tx, [(outcome, evidence) for _, outcome, evidence in parsed])
        begun = [
            outcome.started_at
            for (_, outcome, _), result in zip(parsed, results, strict=True)
            if result.added is Added.ADDED
        ]
        if begun:
            note_unjudged(tx, min(begun))
    for (number, _, _), result in zip(parsed, results, strict=True):
        if result.added is Added.CONFLICT:
            refusals[number] = result.reason or "conflicts with what is stored"
    for number in sorted(refusals):
        refuse(f"line {number}: {refusals[number]}")
    kinds = [result.added for result in results]
    return ImportResult(
        added=kinds.count(Added.ADDED), known=kinds.count(Added.DUPLICATE), refused=len(refusals)
    )


def _parse(batch: list[tuple[int, bytes | None]], refusals: dict[int, str]) -> Iterator[Numbered]:
    for number, line in batch:
        if line is not None and not line.strip():
            continue
        try:
            outcome, evidence = outcome_from_line(_object(line))
        except LineError as error:
            refusals[number] = str(error)
        else:
            yield number, outcome, None if evidence is None else pack_evidence(evidence)


def _object(line: bytes | None) -> Mapping[str, Any]:
    if line is None:
        raise LineError(f"longer than {LONGEST_LINE // 1024 // 1024} MiB")
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise LineError(f"is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise LineError("a JSON object is expected")
    return found
