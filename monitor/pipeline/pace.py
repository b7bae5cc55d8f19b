"""When what is stored has to be judged again: at once for news, now and then for more of the same.

Nothing follows from what is kept here but when deriving happens. A process begins without it, and
therefore with a look at everything that is unresolved and at what was stored just before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.core.model import Cell, Outcome, Verdict
from monitor.core.outages.reading_start import Clearings
from monitor.core.outages.self_observations import SelfObservation, SelfObservationKind
from monitor.core.scheduling.slots import EPOCH
from monitor.store.derivation.history import StoreHistory

BEAT = timedelta(seconds=5)  # more of the same is derived together
# Deriving takes at most one part in so many of the time, however much is unresolved.
SHARE, NEWS_SHARE = 25, 15
LATE = timedelta(minutes=2)  # longer than any run lasts, so that runs side by side are never late
REMEMBERED = timedelta(minutes=10)  # longer than anything waits to be judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a judgement leaves behind for the next: when time alone asks for it, and which runs do.

    A passed run is news for the cells *concerned*, a failed one for all but those that are *failing*
    anyway.
    """

    at: datetime
    due: datetime
    concerned: frozenset[Cell] = frozenset()
    failing: frozenset[Cell] = frozenset()


NOTHING = Outlook(at=EPOCH, due=EPOCH)


@dataclass(slots=True)
class Pace:
    """What was stored since the last judgement, and when the next one is due.

    *stopwatch* gives the seconds that this thread has worked.
    """

    stopwatch: Callable[[], float] = time.thread_time
    touched: datetime | None = None
    bad: bool = True
    _due: datetime = EPOCH
    _is_pressing: bool = False
    _worked: timedelta = timedelta(0)
    _begun: bool = False
    _outlook: Outlook = NOTHING
    _heard: int = 0
    _clearings: Clearings = field(default_factory=Clearings)

    @classmethod
    def without_waiting(cls) -> Pace:
        """One by which everything is due at once."""
        return cls(stopwatch=lambda: 0.0, bad=False, _begun=True)

    def hear(self, outcomes: Sequence[Outcome], newest: datetime | None, now: datetime) -> None:
        """Runs were stored; *newest* is the start of the newest of all that are."""
        if newest is not None and not self._begun:
            self._touch(newest - REMEMBERED)
        self._begun = True
        self._heard += len(outcomes)
        for outcome in outcomes:
            late = newest is not None and newest - outcome.started_at > LATE
            self._touch(outcome.started_at)
            self.bad = self.bad or late or outcome.verdict is not Verdict.PASSED
            if late:
                self._clearings.forget()
            if late or self._is_news(outcome):
                self._press(now)
            else:
                self._ask(self._outlook.at + BEAT)

    def see(self, sight: SelfObservation, now: datetime) -> None:
        """A look at our own side was stored."""
        if sight.kind is SelfObservationKind.OWN:
            self._touch(sight.start)
            self.bad = True
            self._press(now)
        self._ask(now)

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to judge; always where the clock was set back."""
        rested = self._outlook.at + self._worked * (NEWS_SHARE if self._is_pressing else SHARE)
        return now < self._outlook.at or now >= max(self._due, rested)

    def clearings(self, stored: StoreHistory, rests_on: object) -> Clearings:
        """What was found of these runs before; nothing of it where others stored some too."""
        newest = stored.newest()
        self._clearings.hold((stored.runs() - self._heard, rests_on), newest and newest - LATE)
        return self._clearings

    def follow(self, outlook: Outlook, took: float) -> None:
        """All was judged and stored, with so many seconds of work."""
        self.touched, self.bad = None, False
        self._outlook, self._due, self._is_pressing = outlook, outlook.due, False
        self._worked = timedelta(seconds=took)

    def _press(self, now: datetime) -> None:
        self._is_pressing = True
        self._ask(now)

    def _ask(self, at: datetime) -> None:
        self._due = min(self._due, at)

    def _touch(self, at: datetime) -> None:
        self.touched = at if self.touched is None else min(self.touched, at)

    def _is_news(self, outcome: Outcome) -> bool:
        if outcome.verdict is Verdict.FAILED:
            return outcome.cell not in self._outlook.failing
        return outcome.verdict is not Verdict.PASSED or outcome.cell in self._outlook.concerned
