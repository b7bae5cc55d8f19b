"""How long until an incident was detected, told and over: each as the least and the most it can have been.

Nobody looked between two runs, so what began between them has no exact start. It reads windows and the
time of a delivery, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from monitor.core.incidents.codec import Story
from monitor.core.intervals import Span
from monitor.core.outages.uptime import Bounds, bounds
from monitor.core.outages.windows import Window
from monitor.core.timefmt import duration_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """The three times of one incident; `notify` is None where nobody was told."""

    detect: Bounds
    notify: timedelta | None
    recover: Bounds

    def text(self) -> str:
        """One sentence with all three."""
        told = "nobody was told" if self.notify is None else f"told {duration_words(self.notify)} later"
        return f"Detected after {self.detect.text()}; {told}; recovered after {self.recover.text()}."


def delays(
    windows: Sequence[Window], *, told_at: datetime | None = None, gaps: Iterable[Span] = ()
) -> Delays:
    """The times of an incident with these windows (at least one).

    Detect: from the first bad run, or from the last good one before it, to the decision. Notify: from the
    decision to *told_at*, the first delivery that a channel accepted. Recover: how long the windows lasted.
    """
    first = min(windows, key=lambda window: window.start)
    decided = min(window.decided_at for window in windows)
    most = None if first.start_after is None else decided - first.start_after
    return Delays(
        detect=Bounds(least=decided - first.start, most=most),
        notify=None if told_at is None else max(told_at - decided, timedelta(0)),
        recover=bounds(windows, gaps),
    )


def delays_of(story: Story, *, told_at: datetime | None = None) -> Delays | None:
    """The times of a stored incident; None while it is not decided, and without windows."""
    if story.decided is None or not story.windows:
        return None
    first = min(story.windows, key=lambda window: window.start)
    most = None if first.start_after is None else story.decided - first.start_after
    return Delays(
        detect=Bounds(least=story.decided - first.start, most=most),
        notify=None if told_at is None else max(told_at - story.decided, timedelta(0)),
        recover=story.bounds,
    )


def typical(several: Iterable[timedelta]) -> timedelta | None:
    """The median of some times; None without any. A mean of a handful would say nothing."""
    seconds = [one.total_seconds() for one in several]
    return timedelta(seconds=median(seconds)) if seconds else None
