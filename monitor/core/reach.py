"""Whether a location reached anything in a stretch of time, told by the numbers of its dark runs.

A *dark* run ended below the protocol; every other conclusive run *reached* something. Where the numbers of
a cell's dark runs follow one another no other run lies between them, so that of a blind stretch, however
long it lasts and however many cells it holds, each cell is asked about once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from heapq import heapify, heapreplace

from monitor.core.model import Cell
from monitor.core.windows import History, Run, until_after

NEVER = datetime.max.replace(tzinfo=UTC)
EVER = datetime.min.replace(tzinfo=UTC)


class Reach:
    """The reaching runs of some cells, by their *dark* runs in order, as *history* numbers them."""

    def __init__(self, history: History, dark: Mapping[Cell, Sequence[Run]]) -> None:
        self._history = history
        self._numbers = {cell: [run.number for run in runs] for cell, runs in dark.items()}
        self._breaks = {cell: _breaks(numbers) for cell, numbers in self._numbers.items()}
        # For each cell a reaching run that is not later than its next one: the earliest comes first.
        self._known = [(EVER, cell) for cell in dark]
        heapify(self._known)

    def following(self, start: datetime, enough: datetime) -> datetime:
        """When the first reaching run at or after *start* began, or some one that began by *enough*.

        NEVER where none did. To be asked with growing starts: what is known of a cell holds until the
        run that is known, and only the cells whose run is past are asked anew.
        """
        while self._known and self._known[0][0] < start:
            cell = self._known[0][1]
            at = self._following(cell, start)
            heapreplace(self._known, (at, cell))
            if at <= enough:
                return at
        return self._known[0][0] if self._known else NEVER

    def _following(self, cell: Cell, start: datetime) -> datetime:
        number = self._history.count(cell, None, start) + 1
        numbers, breaks = self._numbers[cell], self._breaks[cell]
        index = bisect_left(numbers, number)
        if index < len(numbers) and numbers[index] == number:
            number = numbers[breaks[bisect_right(breaks, index)] - 1] + 1
        return self._history.start_of(cell, number) or NEVER

    def last(self, until: datetime) -> datetime:
        """When the last reaching run at or before *until* began; EVER where none did."""
        return max((self._last(cell, until) for cell in self._numbers), default=EVER)

    def _last(self, cell: Cell, until: datetime) -> datetime:
        number = self._history.count(cell, None, until_after(until))
        numbers, breaks = self._numbers[cell], self._breaks[cell]
        index = bisect_left(numbers, number)
        if index < len(numbers) and numbers[index] == number:
            number = numbers[breaks[bisect_right(breaks, index) - 1]] - 1
        return self._history.start_of(cell, number) or EVER


def _breaks(numbers: Sequence[int]) -> list[int]:
    """The places at which a stretch of consecutive numbers begins, and the end of all."""
    inner = (at for at in range(1, len(numbers)) if numbers[at] != numbers[at - 1] + 1)
    return [0, *inner, len(numbers)]
