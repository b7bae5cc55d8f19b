"""Signatures: failed runs that say the same are one, whatever ids and numbers they carry."""

from __future__ import annotations

import pytest

from monitor.core.diagnosis.signatures import generic, signatures
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import minutes, row


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "Input transcription failed for item 'item_AbC123dEf456'.",
            "Input transcription failed for item '…'.",
        ),
        ("session 3f2504e0-4f89-11d3-9a0c-0305e82c3301 died", "session … died"),
        ("trace 0123456789abcdef0123", "trace …"),
        ("retry after 12.5 seconds", "retry after # seconds"),
        ("plain words", "plain words"),
        ("x " * 400, ("x " * 400)[:500]),
    ],
)
def test_ids_and_numbers_are_taken_out(message: str, expected: str) -> None:
    """Ids become an ellipsis, numbers a hash, the rest stays and is bounded."""
    assert generic(message) == expected


def test_runs_that_say_the_same_are_counted_together() -> None:
    """The most frequent first; each with its first and last run."""
    runs = row("FFF", type="server_error", message="item 'item_Abcdef1' failed")
    runs += row("F", start=minutes(5)) + row(
        "F", start=minutes(6), message="item 'item_Zyxwvu9' failed", type="server_error"
    )
    history = MemoryHistory(runs)
    first, second = signatures(history.not_passed(history.cells()[0], None, None))
    assert (first.count, first.message, first.type) == (4, "item '…' failed", "server_error")
    assert (first.first_at, first.last_at) == (minutes(0), minutes(6))
    assert (first.first_id, first.last_id) == (runs[0].id, runs[-1].id)
    assert (second.count, second.message, second.failure, second.stage) == (1, None, "server", None)
