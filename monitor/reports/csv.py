"""Outcomes as CSV for a spreadsheet: one row a run, and no cell that a spreadsheet would execute."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from monitor.core.model import IDS, TIMINGS, Outcome
from monitor.core.outcome_json import outcome_to_line

_PLAIN = (
    *("id", "endpoint", "provider", "region", "model", "pathway", "host", "location", "kind", "every_s"),
    *("clip", "configuration", "slot", "started_at", "finished_at", "verdict", "failure", "stage", "blame"),
    *("type", "code", "message", "http_status", "close_code", "wer", "completeness", "transcript"),
)
_KNOWN = frozenset((*_PLAIN, "schema", "timings_ms", "ids", "evidence"))
COLUMNS = (*_PLAIN, *(f"{name}_ms" for name in TIMINGS), *IDS, "extra")
# OWASP, "CSV Injection": a cell that begins with one of these is taken for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_ROWS = 500


def render(outcomes: Iterable[Outcome]) -> Iterator[bytes]:
    """A header and one row a run (RFC 4180, UTF-8), in chunks of some hundred rows."""
    page = io.StringIO()
    writer = csv.writer(page)
    writer.writerow(COLUMNS)
    for number, outcome in enumerate(outcomes, start=1):
        writer.writerow([neutralised(value) for value in _row(outcome_to_line(outcome))])
        if number % _ROWS == 0:
            yield _taken(page)
    yield _taken(page)


def neutralised(value: object) -> object:
    """The value, with an apostrophe before text that a spreadsheet would take for a formula."""
    if isinstance(value, str):
        text = value.replace("\x00", "")
        return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) or text.startswith(_FORMULA) else text
    return value


def _row(line: Mapping[str, Any]) -> list[object]:
    extra = {key: value for key, value in line.items() if key not in _KNOWN}
    extra |= {key: value for key, value in line["ids"].items() if key not in IDS}
    return [
        *(line[name] for name in _PLAIN),
        *(line["timings_ms"].get(name) for name in TIMINGS),
        *(line["ids"].get(name) for name in IDS),
        json.dumps(extra, ensure_ascii=False, sort_keys=True) if extra else None,
    ]


def _taken(page: io.StringIO) -> bytes:
    text = page.getvalue()
    page.seek(0)
    page.truncate()
    return text.encode("utf-8", "replace")
