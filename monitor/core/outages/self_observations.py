"""What the monitor saw of its own side: control hosts reached or not, and stretches it could not measure in.

Sights are stored beside the outcomes and read with them, so that a replay says what the service said.
It looks at nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from monitor.core.model import Cell

# A look holds for a run this much before or after it: hosts are looked at each minute, and at once
# after a run that reached nothing.
NEAR = timedelta(minutes=2)


class SelfObservationKind(StrEnum):
    """What was looked at."""

    CONTROL = "control"  # a host that has nothing to do with any endpoint
    OWN = "own"  # the monitor itself; never good: the stretch in which it could not measure


class SelfObservation(NamedTuple):
    """Looks at one subject from one location that gave the same answer, from the first to the last."""

    location: str
    kind: SelfObservationKind
    subject: str
    good: bool
    start: datetime
    end: datetime
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindSpan:
    """A stretch in which a location could not measure; it masks the runs in it.

    `cell` names the one cell whose runs it is about (None: the whole location). It is `lasting` while
    nothing was measured after it.
    """

    location: str
    start: datetime
    end: datetime
    reason: str
    cell: Cell | None = None
    lasting: bool = False


class SelfObservations(Protocol):
    """Stored sights, as a history gives them."""

    def sights(
        self, location: str, since: datetime | None, until: datetime | None
    ) -> Sequence[SelfObservation]:
        """What was seen of our own side at a location, as far as it reaches into ``[since, until]``."""
        ...


class Controls:
    """What is known of the control hosts of one location around an instant."""

    def __init__(self, sights: Iterable[SelfObservation]) -> None:
        self._by_host: dict[str, list[SelfObservation]] = {}
        for sight in sorted(sights, key=lambda sight: (sight.start, sight.end)):
            if sight.kind is SelfObservationKind.CONTROL:
                self._by_host.setdefault(sight.subject, []).append(sight)

    def reached(self, at: datetime) -> tuple[str, ...]:
        """The hosts that answered around *at*."""
        return tuple(host for host in sorted(self._by_host) if self._word(host, at) is True)

    def lost(self, at: datetime) -> tuple[str, ...]:
        """The hosts around *at*, where not one of them answered; else none."""
        words = {host: self._word(host, at) for host in sorted(self._by_host)}
        known = tuple(host for host, word in words.items() if word is not None)
        return () if any(words.values()) else known

    def reached_between(self, start: datetime, end: datetime) -> bool:
        """Whether a host answered at either instant or in between."""
        seen = (sight for sights in self._by_host.values() for sight in sights if sight.good)
        return any(sight.start <= end and sight.end >= start for sight in seen) or any(
            self.reached(at) for at in {start, end}
        )

    def _word(self, host: str, at: datetime) -> bool | None:
        """What the look around *at* said, else the next after it, else the last before; None if far."""
        sights = self._by_host[host]
        for sight in sights:
            if sight.end >= at and sight.start - at <= NEAR:
                return sight.good
        before = [sight for sight in sights if sight.end < at and at - sight.end <= NEAR]
        return before[-1].good if before else None
