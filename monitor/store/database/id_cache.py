"""Ids that never change once committed, so that the usual write need not ask for them again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from monitor.core.model import Cell

LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class IdCache:
    """Row ids by what they stand for. It is emptied when a transaction fails, and when it grows too large."""

    cells: dict[Cell, int] = field(default_factory=dict)
    contexts: dict[tuple[Any, ...], int] = field(default_factory=dict)
    transcripts: dict[str, int] = field(default_factory=dict)
    context_facts: dict[int, tuple[str | None, int | None]] = field(default_factory=dict)
    passes: dict[tuple[int, str], int] = field(default_factory=dict)  # a pass that is stored, in ms

    def clear(self) -> None:
        """Forget everything."""
        for ids in (self.cells, self.contexts, self.transcripts, self.context_facts, self.passes):
            ids.clear()

    def trim(self) -> None:
        """Forget what has grown beyond the limit."""
        if max(len(self.cells), len(self.contexts), len(self.transcripts), len(self.passes)) > LIMIT:
            self.clear()
