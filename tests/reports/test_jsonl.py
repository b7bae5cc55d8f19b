"""Outcomes as lines: streamed, and read back as they were."""

from __future__ import annotations

import json

from monitor.core.outcome_json import outcome_from_line
from monitor.reports.jsonl import render
from tests.support.sample_bundle_facts import failed, runs
from tests.support.sample_incident import START


def test_lines_read_back_as_the_same_outcomes() -> None:
    """What is exported can be imported without loss."""
    text = b"".join(render(runs(30))).decode()
    assert [outcome_from_line(json.loads(line))[0] for line in text.splitlines()] == list(runs(30))


def test_chunks_hold_whole_lines_and_stay_small() -> None:
    """A reader of chunks never sees half a line, and memory stays flat."""
    chunks = list(render(runs(422)))
    assert len(chunks) > 5
    assert all(chunk.endswith(b"\n") and len(chunk) < 80_000 for chunk in chunks)


def test_unknown_keys_of_an_import_are_exported_again() -> None:
    """Even numbers that no 64 bits hold, and text that no UTF-8 holds."""
    odd = failed("first", START, extra={"trace": {"big": 2**70}, "half": "\ud800"})
    (line,) = b"".join(render([odd])).splitlines()
    assert json.loads(line)["trace"] == {"big": 2**70}
    assert json.loads(line)["half"] == "\ud800"


def test_nothing_gives_nothing() -> None:
    """An empty range is an empty file."""
    assert list(render([])) == []
