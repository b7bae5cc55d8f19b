"""`mark`: an outside event, and the incident near it."""

from __future__ import annotations

import json
import sqlite3

from tests.support.commands import Run


def test_a_mark_is_noted_and_named_by_the_incident(run: Run, stored: str) -> None:
    """Beside an outage of the past: the replay has its reason, and nothing else changes."""
    done = run("mark", "deployed 4.2", "--at", "2025-11-17T00:15:00Z", "--author", "ann")
    assert (done.code, done.out) == (0, "Marked 'deployed 4.2' at 2025-11-17T00:15:00Z.\n")
    assert run("replay", "--json").out == stored
    with sqlite3.connect("data/earwitness.db") as database:
        (document,) = database.execute("SELECT document FROM incidents WHERE number = 1").fetchone()
    assert json.loads(document)["marks"] == [
        {"at": "2025-11-17T00:15:00Z", "text": "deployed 4.2", "author": "ann"}
    ]


def test_a_mark_without_text_or_at_no_instant_is_refused(run: Run, stored: str) -> None:
    """Our own fault, and said so."""
    assert stored
    assert (run("mark", " ").code, run("mark", "x", "--at", "noon").code) == (2, 2)
    assert "needs a text" in run("mark", " ").err
