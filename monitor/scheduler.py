"""When: slots, confirming runs and neighbours; the only importer of APScheduler. It judges nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from monitor.core.budget import LONGEST_PAUSE, allowance_of, midnight, refusal
from monitor.core.model import Kind, Target
from monitor.core.sampling import (
    CONFIRM_EVERY,
    EPOCH,
    QUOTA_MINUTE,
    Attention,
    Watching,
    first_slot,
    interval,
    neighbours,
    quota_key,
    slot_at,
    slots_between,
)
from monitor.core.times import rfc3339

log = structlog.get_logger("scheduler")

Run = Callable[[Target, datetime, Kind], Awaitable[None]]
Skip = Callable[[Target, datetime, str], None]

RETRY_CONFIRMING = timedelta(seconds=5)
_DAY = timedelta(days=1)


def grace(every: timedelta) -> timedelta:
    """How late a slot may start: past it, it is a gap and not a late run."""
    return max(timedelta(seconds=1), min(every / 4, timedelta(seconds=15)))


class Quota:
    """Starts of runs in the last minute, per deployment, over all pathways and reasons to run."""

    def __init__(self) -> None:
        self._starts: dict[tuple[str, str], deque[datetime]] = {}

    def used(self, target: Target, now: datetime) -> int:
        """How many runs of the target's deployment started in the minute before *now*."""
        starts = self._starts.setdefault(quota_key(target), deque())
        while starts and starts[0] <= now - QUOTA_MINUTE:
            starts.popleft()
        return len(starts)

    def admits(self, target: Target, now: datetime, *, reserved: int = 0) -> bool:
        """Whether one more run fits `max_per_minute` with *reserved* runs kept free for others."""
        return self.used(target, now) + reserved < target.max_per_minute

    def note(self, target: Target, started: datetime) -> None:
        """Count a run that started (at a start before this process too)."""
        self._starts.setdefault(quota_key(target), deque()).append(started)

    def set_back(self, now: datetime) -> None:
        """Follow a clock that was set back: nothing has started after *now*."""
        for starts in self._starts.values():
            later = [min(start, now) for start in starts]
            starts.clear()
            starts.extend(later)


class Purse:
    """What runs cost today by endpoint, in US dollars and UTC days; *costs* is one run's by target key."""

    def __init__(self, costs: Mapping[str, float]) -> None:
        self._costs = costs
        self._spent: dict[tuple[str, datetime], float] = {}

    def refusal(self, target: Target, now: datetime, *, urgent: bool) -> str | None:
        """Why one more run may not be made, or None; *urgent* where something is wrong at the endpoint."""
        allowance = allowance_of(target.endpoint)
        if allowance is None:
            return None
        spent = self._spent.get((target.endpoint.name, midnight(now)), 0.0)
        return refusal(allowance, spent, self._costs.get(target.key, 0.0), urgent=urgent)

    def note(self, target: Target, now: datetime) -> None:
        """Count a run that starts."""
        self.add(target.endpoint.name, self._costs.get(target.key, 0.0), now)

    def add(self, endpoint: str, usd: float, now: datetime) -> None:
        """Count what was spent on that day (before this process too)."""
        key = endpoint, midnight(now)
        self._spent = {known: sum_ for known, sum_ in self._spent.items() if known[1] >= key[1] - _DAY}
        self._spent[key] = self._spent.get(key, 0.0) + usd


class Scheduler:
    """Starts every run of this location: one per target at a time, `limit` in all.

    *run* makes one run and stores it; *skip* records a slot that was not run, with its reason.
    Both are told the slot. Every due slot ends in exactly one of the two.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        *,
        run: Run,
        skip: Skip,
        clock: Callable[[], datetime],
        costs: Mapping[str, float] | None = None,
        limit: int = 200,
    ) -> None:
        self.targets: Mapping[str, Target] = {target.key: target for target in targets}
        self.quota = Quota()
        self.purse = Purse(costs or {})
        self._paused: dict[tuple[str, str], datetime] = {}
        self.last_cycle: datetime | None = None
        self._run, self._skip, self._clock = run, skip, clock
        self._places = asyncio.Semaphore(limit)
        self._engine = AsyncIOScheduler(timezone=UTC)
        self._attention = dict.fromkeys(self.targets, Attention.CALM)
        self._handled: dict[str, datetime] = {}
        self._accounted: dict[str, datetime] = {}  # slots up to here were had before the clock was set back
        self._running: dict[str, asyncio.Task[None]] = {}
        self._grouped = self._group_by_quota()

    def start(self, watchings: Sequence[Watching] = ()) -> None:
        """Begin with the next slot of every target; *watchings* is what the store says of them now."""
        now = self._clock()
        for target in self.targets.values():
            self._handled[target.key] = slot_at(target.key, target.every, now)
            self._engine.add_job(
                self.due,
                self._trigger(target),
                args=(target.key,),
                id=target.key,
                misfire_grace_time=max(1, int(grace(target.every).total_seconds())),
                coalesce=True,
                max_instances=3,
            )
        self._engine.start()
        self.attend(watchings)

    async def stop(self, within: timedelta) -> None:
        """Start nothing more, let the runs under way end, and cancel those that do not in time."""
        if self._engine.running:
            self._engine.shutdown(wait=False)
        tasks = list(self._running.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=within.total_seconds())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def attend(self, watchings: Iterable[Watching]) -> None:
        """Follow what the store says: closer intervals, confirming runs, neighbours."""
        for watching in watchings:
            target = self.targets.get(watching.cell.target)
            if target is None:
                continue
            before = self._attention[target.key]
            changes = interval(target, before) != interval(target, watching.attention)
            if changes:
                self._come_due(target)  # what came due by the old interval is not forgotten
            self._attention[target.key] = watching.attention
            if changes:
                self._change_interval(target)
            if watching.attention in {Attention.CONFIRMING, Attention.CLOSING}:
                self._confirm_in(target, CONFIRM_EVERY)
            # What is stored says it again after every run until a second bad one: they are asked once.
            if watching.first_bad and before is Attention.CALM:
                self._run_neighbours(target)

    def realign(self) -> None:
        """Follow a wall clock that was set: the slots are those of the new time.

        Slots that come a second time are run again, but as confirming runs: each slot is stored once.
        """
        now = self._clock()
        self.quota.set_back(now)
        for key, target in self.targets.items():
            slot, handled = slot_at(key, self._every(target), now), self._handled[key]
            if slot < handled:
                self._accounted[key] = max(handled, self._accounted.get(key, handled))
                self._handled[key] = slot
            self._engine.reschedule_job(key, trigger=self._trigger(target))

    def pause(self, target: Target, until: datetime) -> None:
        """Leave the target's deployment alone until then, or longer: its provider asked for it."""
        asked_before = self._pause_of(target, self._clock())
        self._paused[quota_key(target)] = max(until, asked_before or until)

    def _pause_of(self, target: Target, now: datetime) -> datetime | None:
        until = self._paused.get(quota_key(target))
        return until if until is not None and now < until <= now + LONGEST_PAUSE else None

    def _is_urgent(self, target: Target) -> bool:
        """Whether something is wrong at the target's endpoint."""
        return any(
            attention is not Attention.CALM
            for key, attention in self._attention.items()
            if self.targets[key].endpoint.name == target.endpoint.name
        )

    def is_running(self) -> bool:
        """Whether slots are being started."""
        return bool(self._engine.running)

    def in_flight(self) -> int:
        """How many runs are under way."""
        return len(self._running)

    def _group_by_quota(self) -> Mapping[tuple[str, str], Sequence[Target]]:
        groups: dict[tuple[str, str], list[Target]] = {}
        for target in self.targets.values():
            groups.setdefault(quota_key(target), []).append(target)
        return groups

    def _every(self, target: Target) -> timedelta:
        return interval(target, self._attention[target.key])

    def _trigger(self, target: Target) -> IntervalTrigger:
        every = self._every(target)
        # An epoch-aligned start makes the engine compute our slots; in UTC no clock change bends them.
        return IntervalTrigger(
            seconds=every.total_seconds(), start_date=first_slot(target.key, every), timezone=UTC
        )

    def _change_interval(self, target: Target) -> None:
        self._handled[target.key] = slot_at(target.key, self._every(target), self._clock())
        self._engine.reschedule_job(target.key, trigger=self._trigger(target))

    async def due(self, key: str) -> None:
        """Account for every slot since the last one handled, and start the latest if it may start.

        Called by the engine; how often or how late changes nothing but what is recorded as skipped.
        """
        self._come_due(self.targets[key])

    def _come_due(self, target: Target) -> None:
        key, now = target.key, self._clock()
        self.last_cycle = now
        every = self._every(target)
        slot, handled = slot_at(key, every, now), self._handled[key]
        if slot <= handled:
            return
        self._handled[key] = slot
        for missed in slots_between(key, every, handled, slot):
            self._skip(target, missed, "missed: the process was busy or suspended")
        refusal = self._refusal(target, slot, now)
        if refusal:
            self._skip(target, slot, refusal)
        else:
            again = slot <= self._accounted.get(key, EPOCH)
            self._start(target, slot, Kind.CONFIRMING if again else Kind.SCHEDULED)

    def _refusal(self, target: Target, slot: datetime, now: datetime) -> str | None:
        """Why this slot cannot run now, or None."""
        if now - slot > grace(self._every(target)):
            return "late: the slot came due too long ago"
        if target.key in self._running:
            return "busy: the run before has not ended"
        if self._places.locked():
            return "limit: as many runs as allowed are under way"
        paused = self._pause_of(target, now)
        if paused:
            return f"retry-after: the provider asked to be left alone until {rfc3339(paused)}"
        spent = self.purse.refusal(target, now, urgent=self._is_urgent(target))
        if spent:
            return spent
        if not self.quota.admits(target, now):
            return f"quota: {target.max_per_minute} runs of this deployment started within a minute"
        return None

    def _start(self, target: Target, slot: datetime, kind: Kind) -> None:
        now = self._clock()
        self.quota.note(target, now)
        self.purse.note(target, now)
        task = asyncio.create_task(self._carry_out(target, slot, kind), name=f"{target.key} {kind}")
        self._running[target.key] = task
        task.add_done_callback(partial(self._ended, target, slot, kind))

    async def _carry_out(self, target: Target, slot: datetime, kind: Kind) -> None:
        async with self._places:
            await self._run(target, slot, kind)

    def _ended(self, target: Target, slot: datetime, kind: Kind, task: asyncio.Task[None]) -> None:
        """Free the target, and put a slot on record whose run gave nothing that could be stored."""
        del self._running[target.key]
        if task.cancelled():
            reason = "stopped: the service ended before the run did"
        elif (error := task.exception()) is not None:
            log.error("a run was lost on our side", target=target.key, exc_info=error)
            reason = f"lost: the run failed on our side, {type(error).__name__}"
        else:
            return
        if kind is Kind.SCHEDULED:
            self._skip(target, slot, reason)

    def _confirm_in(self, target: Target, delay: timedelta) -> None:
        if self._every(target) <= CONFIRM_EVERY:
            return  # the plain interval is as close already
        self._engine.add_job(
            self.confirm,
            DateTrigger(self._clock() + delay, timezone=UTC),
            args=(target.key,),
            id=f"confirm {target.key}",
            replace_existing=True,
            misfire_grace_time=None,
        )

    async def confirm(self, key: str) -> None:
        """Start a confirming run if one is still wanted; called by the engine, and later where no room is."""
        target, now = self.targets[key], self._clock()
        if self._attention[key] not in {Attention.CONFIRMING, Attention.CLOSING}:
            return
        if key in self._running or not self._has_room(target, now):
            self._confirm_in(target, RETRY_CONFIRMING)
            return
        self._start(target, now, Kind.CONFIRMING)

    def _run_neighbours(self, target: Target) -> None:
        now = self._clock()
        for other in neighbours(target, self.targets.values()):
            if other.key not in self._running and self._has_room(other, now):
                self._start(other, now, Kind.NEIGHBOUR)

    def _has_room(self, target: Target, now: datetime) -> bool:
        """Whether an extra run leaves the coming minute's scheduled slots their share of the quota."""
        if self._places.locked() or self._pause_of(target, now):
            return False
        if self.purse.refusal(target, now, urgent=True):
            return False
        reserved = sum(
            len(slots_between(other.key, self._every(other), now, now + QUOTA_MINUTE))
            for other in self._grouped[quota_key(target)]
        )
        return self.quota.admits(target, now, reserved=reserved)
