"""Outcomes as JSON Lines (``earwitness.outcome/1``): what `export` writes and `import` reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson

from monitor.core.lines import outcome_to_line
from monitor.core.model import Outcome

_CHUNK = 64_000


def render(outcomes: Iterable[Outcome]) -> Iterator[bytes]:
    """The lines in chunks of whole lines, about 64 KB each; memory stays flat whatever the number."""
    held: list[bytes] = []
    size = 0
    for outcome in outcomes:
        line = orjson.dumps(outcome_to_line(outcome), option=orjson.OPT_APPEND_NEWLINE)
        held.append(line)
        size += len(line)
        if size >= _CHUNK:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
