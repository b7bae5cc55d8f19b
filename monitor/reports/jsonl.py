"""Outcomes as JSON Lines (``earwitness.outcome/1``): what `export` writes and `import` reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import orjson

from monitor.core.model import Outcome
from monitor.core.outcome_json import outcome_to_line

_CHUNK = 64_000


def _line(outcome: Outcome) -> bytes:
    line = outcome_to_line(outcome)
    try:
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # keys that an import brought may hold integers beyond 64 bits, or lone surrogates
        return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def render(outcomes: Iterable[Outcome]) -> Iterator[bytes]:
    """The lines in chunks of whole lines, about 64 KB each; memory stays flat whatever the number."""
    held: list[bytes] = []
    size = 0
    for outcome in outcomes:
        line = _line(outcome)
        held.append(line)
        size += len(line)
        if size >= _CHUNK:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
