"""A history over another one: what it does not answer itself is asked of the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.marks import Mark
from monitor.core.model import Cell
from monitor.core.sights import Sight
from monitor.core.windows import History


@dataclass(frozen=True, slots=True)
class Overlay:
    """The part of the `History` protocol that no run which is taken out changes."""

    whole: History

    def cells(self) -> Sequence[Cell]:
        """Every cell with at least one run."""
        return self.whole.cells()

    def facets(self, cell: Cell) -> Mapping[str, str | None]:
        """The cell's facets."""
        return self.whole.facets(cell)

    def last_pass(self, cell: Cell, configuration: str | None, before: datetime) -> datetime | None:
        """When the latest passed run with this configuration began, taken out or not."""
        return self.whole.last_pass(cell, configuration, before)

    def typical_spacing(self, cell: Cell) -> timedelta | None:
        """The cell's typical spacing, over runs of any verdict."""
        return self.whole.typical_spacing(cell)

    def newest(self) -> datetime | None:
        """The start of the newest run."""
        return self.whole.newest()

    def sights(self, location: str, since: datetime | None, until: datetime | None) -> Sequence[Sight]:
        """What was seen of our own side at a location."""
        return self.whole.sights(location, since, until)

    def marks(self, since: datetime, until: datetime) -> Sequence[Mark]:
        """What people noted."""
        return self.whole.marks(since, until)
