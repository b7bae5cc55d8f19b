"""Whether a location reached anything in a stretch of time, told by the numbers of its dark runs.

A *dark* run ended below the protocol. Where the numbers of a cell's dark runs follow one another no other
run lies between them; only elsewhere is the history asked. However long a blind stretch lasts, following
it costs one look per run.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from monitor.core.model import Cell
from monitor.core.windows import History, Run, until_after

_NEVER = datetime.max.replace(tzinfo=UTC)
_EVER = datetime.min.replace(tzinfo=UTC)


class Reach:
    """The reaching runs of some cells, by their *dark* runs in order, as *history* numbers them."""

    def __init__(self, history: History, dark: Mapping[Cell, Sequence[Run]]) -> None:
        self._history = history
        self._times = {cell: [run.started_at for run in runs] for cell, runs in dark.items()}
        self._numbers = {cell: [run.number for run in runs] for cell, runs in dark.items()}
        self._breaks = {cell: _breaks(numbers) for cell, numbers in self._numbers.items()}
        self._nothing = (_NEVER, _EVER)

    def reached(self, start: datetime, end: datetime) -> bool:
        """Whether a conclusive run begun in ``[start, end]`` reached something."""
        if self._nothing[0] < start and end < self._nothing[1]:
            return False
        if not self._times or any(self._reached(cell, start, end) for cell in self._times):
            return bool(self._times)
        sure = [self._sure(cell, end) for cell in self._times]
        self._nothing = max(low for low, _ in sure), min(high for _, high in sure)
        return False

    def _reached(self, cell: Cell, start: datetime, end: datetime) -> bool:
        low, high = self._sure(cell, start)
        if low < start and end < high:
            return False
        times = self._times[cell]
        dark = bisect_right(times, end) - bisect_left(times, start)
        return self._history.count(cell, start, until_after(end)) > dark

    def _sure(self, cell: Cell, instant: datetime) -> tuple[datetime, datetime]:
        """Between which dark runs around an instant all are dark, themselves left out; nowhere: never."""
        times, breaks = self._times[cell], self._breaks[cell]
        index = bisect_right(times, instant)
        if index in (0, len(times)):
            return _NEVER, _EVER
        first = bisect_right(breaks, index - 1)
        return times[breaks[first - 1]], times[breaks[first] - 1]


def _breaks(numbers: Sequence[int]) -> list[int]:
    """The places at which a stretch of consecutive numbers begins, and the end of all."""
    inner = (at for at in range(1, len(numbers)) if numbers[at] != numbers[at - 1] + 1)
    return [0, *inner, len(numbers)]
