"""How far back a new run can change what was measured."""

from __future__ import annotations

from datetime import datetime

from monitor.core.model import Outcome
from monitor.core.outages.reading_start import dark_since
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import minutes, row, together


def dark(*rows: list[Outcome], before: datetime) -> datetime:
    """Since when nothing was reached before an instant."""
    history = MemoryHistory(together(*rows))
    return dark_since(
        history, {cell: history.not_passed(cell, None, None) for cell in history.cells()}, before
    )


def test_the_dark_stretch_reaches_back_to_the_last_run_that_answered() -> None:
    """Whatever endpoint it asked; an inconclusive run neither ends nor makes it."""
    assert dark(row("C.CC?C"), before=minutes(6)) == minutes(2)
    assert dark(row("C.CC?C"), row("   .  ", model="b", start=minutes(0.5)), before=minutes(6)) == minutes(5)
    assert dark(row("CCC"), before=minutes(6)) == minutes(0)


def test_where_the_last_run_answered_there_is_no_dark_stretch() -> None:
    """An error of the provider is an answer; what begins at the instant itself does not count."""
    assert dark(row("CF"), before=minutes(6)) == minutes(6)
    assert dark(row(".C"), before=minutes(1)) == minutes(1)
    assert dark(row("..."), before=minutes(6)) == minutes(6)
