"""The numbers that page, alert and export all print; pure arithmetic on spans, windows and counts.

Uptime is counted by time: measured time outside down windows over measured time. What nobody saw
(gaps, blind spans, maintenance, before the first run) stands in neither, and coverage says how much.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from monitor.core.intervals import Span, clip, length, subtract, union
from monitor.core.model import Cell, State
from monitor.core.outages.windows import Window
from monitor.core.timefmt import duration_words

WELL_COVERED = 0.9  # of the period; where less was measured, a figure alone would claim too much
METHOD = (
    "Uptime = measured time outside down windows ÷ measured time. Gaps, blind spans and maintenance are left "
    "out; coverage is the measured share of the period, and under 90 % the measured time is named. Rounded "
    "down to two decimals, at most 99.99 where a run failed."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uptime:
    """Uptime of one cell over a period, by time; `failed` and `total` are conclusive runs in it."""

    period: timedelta
    measured: timedelta
    down: timedelta
    failed: int
    total: int

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None where nothing was measured."""
        return 1 - self.down / self.measured if self.measured else None

    @property
    def coverage(self) -> float:
        """The measured share of the period."""
        return self.measured / self.period if self.period else 0.0

    @property
    def best(self) -> float:
        """Uptime if all unseen time was good."""
        return 1 - self.down / self.period if self.period else 1.0

    @property
    def worst(self) -> float:
        """Uptime if all unseen time was bad."""
        return (self.measured - self.down) / self.period if self.period else 0.0

    @property
    def flawless(self) -> bool:
        """No failed run and no down time: the only case in which 100 may be printed."""
        return not self.failed and not self.down

    def text(self) -> str:
        """``99.92 %``; with ``of 6 min measured`` where little of the period was; ``–`` where nothing was."""
        return f"{self.figure()} {self.basis()}".rstrip()

    def figure(self) -> str:
        """``99.92 %``, or ``–`` where nothing was measured."""
        return "–" if self.share is None else percent(self.share, flawless=self.flawless)

    def basis(self) -> str:
        """``of 6 min measured`` where less than 90 % of the period was; else empty."""
        well_covered = not self.measured or self.coverage >= WELL_COVERED
        return "" if well_covered else f"of {duration_words(self.measured)} measured"

    def coverage_text(self) -> str:
        """``97.3 %``."""
        return f"{self.coverage * 100:.1f} %"

    def range_text(self) -> str:
        """Worst and best case for unseen time, ``26.57 % to 100.00 %``; empty where none was unseen."""
        if self.measured == self.period:
            return ""
        least, most = percent(self.worst, flawless=self.flawless), percent(self.best, flawless=self.flawless)
        return f"{least} to {most}"

    def interval_text(self) -> str:
        """The 95 % interval of the share of good runs, by count; ``–`` without runs."""
        if not self.total:
            return "–"
        low, high = wilson(self.failed, self.total)
        return f"{percent(low, flawless=self.flawless)} to {percent(high, flawless=self.flawless)}"


def compute_uptime(
    period: Span, *, measured: Iterable[Span], down: Iterable[Span], failed: int, total: int
) -> Uptime:
    """Uptime over *period*; down time counts only where it was measured."""
    seen = clip(measured, period)
    fallen = clip(down, period)
    down_seen = subtract(seen, subtract(seen, fallen)) if fallen else ()
    return Uptime(
        period=period.length, measured=length(seen), down=length(down_seen), failed=failed, total=total
    )


def percent(share: float, *, flawless: bool) -> str:
    """``99.92 %``: two decimals, rounded down, and below 100 while a failure exists."""
    hundredths = math.floor(share * 10_000 + 1e-6)
    if not flawless:
        hundredths = min(hundredths, 9_999)
    return f"{hundredths / 100:.2f} %"


def wilson(failed: int, total: int) -> tuple[float, float]:
    """The 95 % interval of the share of good runs (Wilson, 1927); (0, 1) without runs."""
    if not total:
        return 0.0, 1.0
    z = 1.959963984540054
    share = (total - failed) / total
    middle = share + z * z / (2 * total)
    margin = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (middle - margin) / scale), min(1.0, (middle + margin) / scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long something lasted: `most` is None while it lasts or where no good run precedes it."""

    least: timedelta
    most: timedelta | None
    open: bool = False

    def text(self) -> str:
        """``at least 6 h 59 min, at most 7 h 1 min``."""
        least = f"at least {duration_words(self.least)}"
        if self.open:
            return f"{least} so far"
        return least if self.most is None else f"{least}, at most {duration_words(self.most)}"


def bounds(windows: Sequence[Window], unmeasured: Callable[[Cell], Iterable[Span]] = lambda _: ()) -> Bounds:
    """Least and most time that the windows, taken together, lasted.

    Least = first bad to last bad less what is *unmeasured* of the cell; most = last good before to first
    good after. A gap of one cell takes nothing away where another one certainly failed::

        cell a    F F F . . . . . . F F F        a gap between: not known whether it failed then
        cell b    F F F F F F F F F F F F        it did: the whole length counts
    """
    certain = (subtract([Span(one.start, one.end_after)], unmeasured(one.cell)) for one in windows)
    least = length(union(chain.from_iterable(certain)))
    ongoing = any(window.end is None for window in windows)
    edges = [
        Span(window.start_after, window.end)
        for window in windows
        if window.start_after is not None and window.end is not None
    ]
    known = bool(windows) and len(edges) == len(windows)
    return Bounds(least=least, most=length(edges) if known else None, open=ongoing)


def down_spans(windows: Iterable[Window], now: datetime) -> tuple[Span, ...]:
    """The time the windows count for: up to the first good run, else up to *now*."""
    return union(Span(w.start, w.end or max(now, w.start)) for w in windows if w.state is State.DOWN)


BADNESS = {State.DOWN: 4, State.DEGRADED: 3, State.UNKNOWN: 2, State.MAINTENANCE: 1, State.UP: 0}


def worst(states: Iterable[State]) -> State:
    """The worst of some states; unknown where there is none."""
    return max(states, key=BADNESS.__getitem__, default=State.UNKNOWN)
