"""How far the monitor's clock is from others', and whether it jumped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from monitor.core.timefmt import duration_words, parse_instant

OFFSET_LIMIT = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """How far our wall clock is ahead of a server's: somewhere between the two (negative: behind)."""

    least: timedelta
    most: timedelta

    @property
    def surely(self) -> timedelta:
        """The offset of which there is no doubt; zero where both clocks may agree."""
        if self.least > timedelta(0):
            return self.least
        return min(self.most, timedelta(0))


def offset_in(document: Mapping[str, Any]) -> Offset | None:
    """What the `Date` header in a run's evidence says of our clock; None where there is none.

    The header has whole seconds (RFC 9110, 5.6.7) and was written at some time during the run.
    """
    told = next(
        (value for name, value in document.get("response_headers", ()) if name.lower() == "date"), None
    )
    try:
        date = parsedate_to_datetime(str(told)).astimezone(UTC)
        started, finished = (parse_instant(document[name]) for name in ("started_at", "finished_at"))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return Offset(least=started - date - timedelta(seconds=1), most=finished - date)


def agreed(offsets: Iterable[Offset]) -> Offset | None:
    """What holds by all of them; None where there are none, or where they contradict each other."""
    known = list(offsets)
    if not known:
        return None
    both = Offset(least=max(one.least for one in known), most=min(one.most for one in known))
    return both if both.least <= both.most else None


def clock_fault(offsets: Iterable[Offset]) -> str | None:
    """A sentence where every server's clock contradicts ours by more than 2 s; None where one agrees."""
    surely = [offset.surely for offset in offsets]
    if not surely or any(abs(offset) <= OFFSET_LIMIT for offset in surely):
        return None
    nearest = min(surely, key=abs)
    way = "ahead of" if nearest > timedelta(0) else "behind"
    off = duration_words(abs(nearest))
    return f"our wall clock is at least {off} {way} the servers': look at its synchronisation"


def step_words(step: timedelta, asleep: timedelta) -> str:
    """What happened where the wall clock went on by *step* more than the time that passed.

    *asleep* is how long the machine was suspended meanwhile, as far as its system tells.
    """
    if asleep > OFFSET_LIMIT and abs(step - asleep) <= OFFSET_LIMIT:
        return f"the machine was suspended for {duration_words(asleep)}"
    way = "forward" if step > timedelta(0) else "back"
    return f"the wall clock was set {way} by {duration_words(abs(step))}"
