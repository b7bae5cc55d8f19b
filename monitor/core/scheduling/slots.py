"""When a target is due: its stable place in its interval, and the clip of each slot."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from monitor.core.model import Target
from monitor.core.scheduling.attention import OPEN_EVERY, Slots

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def offset_of(key: str, every: timedelta) -> timedelta:
    """The target's stable place inside its interval, in whole milliseconds.

    It depends on nothing but the target's key, so that restarts and locations agree on the slots
    while the targets spread over the interval.
    """
    digest = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
    return timedelta(milliseconds=digest % max(1, every // timedelta(milliseconds=1)))


def first_slot(key: str, every: timedelta) -> datetime:
    """The slot from which all others follow in steps of *every*."""
    return EPOCH + offset_of(key, every)


def slot_at(key: str, every: timedelta, now: datetime) -> datetime:
    """The latest slot at or before *now*."""
    first = first_slot(key, every)
    return first + ((now - first) // every) * every


def clip_at(target: Target, slot: datetime) -> str:
    """The clip of the run that is due in *slot*: the next one in every slot, and in every minute between.

    An answer out of a cache then has the words of another clip. It depends on target and slot alone.
    """
    begun = slot_at(target.key, target.every, slot)
    number = (begun - first_slot(target.key, target.every)) // target.every
    return target.rotation[(number + (slot - begun) // OPEN_EVERY) % len(target.rotation)]


def slots_between(key: str, every: timedelta, after: datetime, before: datetime) -> Slots:
    """The slots strictly between two instants."""
    first = slot_at(key, every, after) + every
    return Slots(first=first, count=max(0, -((first - before) // every)), every=every)
