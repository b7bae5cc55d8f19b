"""When: slots, confirming runs and neighbours; the only importer of APScheduler. It judges nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from monitor.core.model import Kind, Target
from monitor.core.scheduling.attention import (
    CONFIRM_EVERY,
    QUOTA_MINUTE,
    Attention,
    Slots,
    Watching,
    grace,
    interval,
    neighbours,
    quota_key,
)
from monitor.core.scheduling.quota import JITTER
from monitor.core.scheduling.run_limits import RunLimits, RunRefusal
from monitor.core.scheduling.slots import EPOCH, first_slot, slot_at, slots_between
from monitor.service.timers import Engine

log = structlog.get_logger("scheduler")

Run = Callable[[Target, datetime, Kind], Awaitable[None]]
Skip = Callable[[Target, Slots, str], None]
_Key = TypeVar("_Key")

RETRY_CONFIRMING = timedelta(seconds=5)
FIRST_WITHIN = timedelta(minutes=1)
_PRESSING = frozenset({Attention.CONFIRMING, Attention.CLOSING})


def _group(targets: Iterable[Target], by: Callable[[Target], _Key]) -> Mapping[_Key, Sequence[Target]]:
    groups: dict[_Key, list[Target]] = {}
    for target in targets:
        groups.setdefault(by(target), []).append(target)
    return groups


class Scheduler:
    """Starts every run of this location: one per target at a time, `limit` in all.

    *run* makes one run and stores it; *skip* records slots that were not run, with their reason.
    Both are told the slots. Every due slot ends in exactly one of the two.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        *,
        run: Run,
        skip: Skip,
        clock: Callable[[], datetime],
        location: str = "default",
        costs: Mapping[str, float] | None = None,
        limit: int = 200,
        engine: Engine | None = None,
    ) -> None:
        self.targets: Mapping[str, Target] = {target.key: target for target in targets}
        self._costs = costs or {}
        self.limits = RunLimits(self._costs)
        self.last_cycle: datetime | None = None
        self._run, self._skip, self._clock, self._location = run, skip, clock, location
        self._places = asyncio.Semaphore(limit)
        self._engine = engine or AsyncIOScheduler(timezone=UTC)
        self._attention = dict.fromkeys(self.targets, Attention.CALM)
        self._began = EPOCH
        self._handled: dict[str, datetime] = {}
        self._accounted: dict[str, datetime] = {}  # slots up to here were had before the clock was set back
        self._running: dict[str, asyncio.Task[None]] = {}
        self._started: dict[str, datetime] = {}  # the newest start of each target
        self._waiting: dict[str, tuple[datetime, str]] = {}  # slots that may still start, and why they wait
        self._planned: set[str] = set()  # targets whose next confirming run has its time
        self._first_bad: dict[str, datetime] = {}  # since when a target's neighbours are wanted
        self._grouped = _group(self.targets.values(), quota_key)
        self._beside = _group(self.targets.values(), lambda target: target.endpoint.name)
        self._by_host = _group(self.targets.values(), lambda target: target.endpoint.host)

    def start(self, watchings: Sequence[Watching] = ()) -> None:
        """Begin with the next slot of every target; *watchings* is what the store says of them now."""
        now = self._began = self._clock()
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
        self._plan_first_runs(now)

    def _plan_first_runs(self, now: datetime) -> None:
        """Plan one run beside the slots for each target of which nothing is known within its interval.

        They are spread over the first minute; whose slots are no farther apart needs none.
        """
        wanted = [
            target
            for target in self.targets.values()
            if self._every(target) > FIRST_WITHIN
            and self._started.get(target.key, EPOCH) <= now - self._every(target)
        ]
        for number, target in enumerate(wanted):
            self._call_at(now + number * min(JITTER, FIRST_WITHIN / len(wanted)), self.begin, target, "begin")

    async def begin(self, key: str) -> None:
        """Start a target's first run unless it had one; called by the engine until there is room."""
        target, now = self.targets[key], self._clock()
        if (
            self._started.get(key, EPOCH) >= self._began
            or slot_at(key, self._every(target), now) > self._began
        ):
            return
        if self._has_room(target, now):
            self._start(target, now, Kind.CONFIRMING)
        else:
            self._call_at(now + RETRY_CONFIRMING, self.begin, target, "begin")

    async def stop(self, within: timedelta) -> None:
        """Start nothing more, let the runs under way end, and cancel those that do not in time."""
        if self._engine.running:
            self._engine.shutdown(wait=False)
        for key in list(self._waiting):
            self._give_up(self.targets[key])
        tasks = list(self._running.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=within.total_seconds())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def attend(self, watchings: Iterable[Watching]) -> None:
        """Follow what the store says: closer intervals, confirming runs, neighbours.

        The store says it again in every turn: what is said a second time changes nothing. What it says of
        other locations is not for us.
        """
        for watching in watchings:
            target = self.targets.get(watching.cell.target)
            if target is None or watching.cell.location != self._location:
                continue
            before = self._attention[target.key]
            changes = interval(target, before) != interval(target, watching.attention)
            if changes:
                self._come_due(target)  # what came due by the old interval is not forgotten
            self._attention[target.key] = watching.attention
            if changes:
                self._change_interval(target)
            if watching.attention in _PRESSING:
                self._plan_confirming(target)
            if watching.attention is not Attention.CONFIRMING:
                self._first_bad.pop(target.key, None)
            elif watching.first_bad and self._first_bad.get(target.key) != watching.first_bad:
                self._first_bad[target.key] = watching.first_bad
                self._run_neighbours(target)

    def realign(self) -> None:
        """Follow a wall clock that was set: the slots are those of the new time.

        Slots that come a second time are run again, but as confirming runs: each slot is stored once.
        """
        now = self._clock()
        self.limits.quota.set_back(now)
        for key, target in self.targets.items():
            slot, handled = slot_at(key, self._every(target), now), self._handled[key]
            self._give_up(self.targets[key])
            if slot < handled:
                self._accounted[key] = max(handled, self._accounted.get(key, handled))
                self._handled[key] = slot
            self._engine.reschedule_job(key, trigger=self._trigger(target))
            if self._started.get(key, now) > now:
                self._started[key] = now
            if key in self._planned:
                self._confirm_at(target, now)

    def _is_urgent(self, target: Target) -> bool:
        """Whether something is wrong at the target's endpoint."""
        return any(
            self._attention[other.key] is not Attention.CALM for other in self._beside[target.endpoint.name]
        )

    def is_running(self) -> bool:
        """Whether slots are being started."""
        return bool(self._engine.running)

    def in_flight(self) -> int:
        """How many runs are under way."""
        return len(self._running)

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
        self._give_up(target)
        accounted = self._accounted.get(key, EPOCH)
        missed = slots_between(key, every, max(handled, accounted), slot)
        if missed:
            self._skip(target, missed, "missed: the process was busy or suspended")
        self._start_slot(target, slot, now)

    def _start_slot(self, target: Target, slot: datetime, now: datetime) -> None:
        """Start the slot's run, let it wait within its grace for room, or put it on record as skipped."""
        again = slot <= self._accounted.get(target.key, EPOCH)  # it was had before the clock was set back
        refusal = self._refusal(target, slot, now)
        if refusal is None:
            self._start(target, slot, Kind.CONFIRMING if again else Kind.SCHEDULED)
        elif refusal.again is not None and refusal.again <= slot + grace(self._every(target)):
            self._waiting[target.key] = slot, refusal.reason
            self._call_at(refusal.again, self.retry, target, "retry")
        elif not again:
            self._skip(target, Slots(first=slot), refusal.reason)

    async def retry(self, key: str) -> None:
        """Try a slot again that waited for room; called by the engine."""
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            self._start_slot(self.targets[key], waiting[0], self._clock())

    def _give_up(self, target: Target) -> None:
        """Put a slot on record that waited in vain."""
        slot, reason = self._waiting.pop(target.key, (EPOCH, ""))
        if slot > self._accounted.get(target.key, EPOCH):
            self._skip(target, Slots(first=slot), reason)

    def _refusal(self, target: Target, slot: datetime, now: datetime) -> RunRefusal | None:
        """Why this slot cannot run now, or None."""
        patience = grace(self._every(target))
        if now - slot > patience:
            return RunRefusal("late: the slot came due too long ago")
        soon = now + min(JITTER, patience / 4)
        if target.key in self._running:
            return RunRefusal("busy: the run before has not ended", soon)
        if self._places.locked():
            return RunRefusal("limit: as many runs as allowed are under way", soon)
        urgent, newest = self._is_urgent(target), self._started.get(target.key, self._began)
        return self.limits.refusal(target, now, urgent=urgent, newest=newest)

    def _start(self, target: Target, slot: datetime, kind: Kind) -> None:
        now = self._clock()
        self.limits.note(target, now)
        self.note_newest(target, now)
        task = asyncio.create_task(self._carry_out(target, slot, kind), name=f"{target.key} {kind}")
        self._running[target.key] = task
        task.add_done_callback(partial(self._ended, target, slot, kind))

    def note_newest(self, target: Target, started: datetime) -> None:
        """Know when the target's newest run started, in this process or in the one before."""
        self._started[target.key] = max(started, self._started.get(target.key, started))

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
            self._skip(target, Slots(first=slot), reason)

    def _plan_confirming(self, target: Target) -> None:
        """Plan the next confirming run after the newest run, once however often it is asked for."""
        if target.key in self._planned or self._every(target) <= CONFIRM_EVERY:
            return  # the plain interval is as close already
        now = self._clock()
        self._confirm_at(target, max(now, self._started.get(target.key, now) + CONFIRM_EVERY))

    def _confirm_at(self, target: Target, when: datetime) -> None:
        self._planned.add(target.key)
        self._call_at(when, self.confirm, target, "confirm")

    def _call_at(
        self, when: datetime, step: Callable[[str], Awaitable[None]], target: Target, name: str
    ) -> None:
        """Have the engine call a step for the target, once; it replaces a call of that name."""
        self._engine.add_job(
            step,
            DateTrigger(when, timezone=UTC),
            args=(target.key,),
            id=f"{name} {target.key}",
            replace_existing=True,
            misfire_grace_time=None,
        )

    async def confirm(self, key: str) -> None:
        """Start a confirming run if one is still wanted; called by the engine, and later where no room is."""
        target, now = self.targets[key], self._clock()
        self._planned.discard(key)
        if self._attention[key] not in _PRESSING:
            return
        self._run_neighbours(target)  # those for which there was no room before
        every = self._every(target)
        slot = slot_at(key, every, now) + every
        last = self._started.get(key)
        if last is not None and now < last + CONFIRM_EVERY - JITTER:
            self._confirm_at(target, last + CONFIRM_EVERY)
        elif slot - now <= RETRY_CONFIRMING:
            self._confirm_at(target, slot + JITTER)  # the scheduled run confirms as well
        elif key in self._running:
            self._confirm_at(target, now + JITTER)
        elif not self._has_room(target, now):
            self._confirm_at(target, now + RETRY_CONFIRMING)
        else:
            self._start(target, now, Kind.CONFIRMING)
            self._confirm_at(target, now + CONFIRM_EVERY)

    def _run_neighbours(self, target: Target) -> None:
        """Run each neighbour that has not begun a run since the first bad one: once, across restarts too."""
        since = self._first_bad.get(target.key)
        if since is None:
            return
        now = self._clock()
        for other in neighbours(target, self._beside[target.endpoint.name]):
            had = self._started.get(other.key)
            if (
                (had is None or had <= since)
                and other.key not in self._running
                and self._has_room(other, now)
            ):
                self._start(other, now, Kind.NEIGHBOUR)

    def run_another_host(self, target: Target) -> None:
        """Run the cheapest target of another host now, unless a run there began a moment ago.

        For a target that could not be reached before anything is decided: what another host answers tells
        its fault from our own network's.
        """
        now = self._clock()
        if self._attention[target.key] not in {Attention.CALM, Attention.CONFIRMING}:
            return
        mine = target.endpoint.host
        others = [one for host, targets in self._by_host.items() if host != mine for one in targets]
        fresh = now - CONFIRM_EVERY
        if any(one.key in self._running or self._started.get(one.key, EPOCH) >= fresh for one in others):
            return
        for other in sorted(others, key=lambda one: (self._costs.get(one.key, 0.0), one.key)):
            if self._has_room(other, now):
                self._start(other, now, Kind.NEIGHBOUR)
                return

    def _has_room(self, target: Target, now: datetime) -> bool:
        """Whether an extra run leaves the coming minute's scheduled slots their share of the quota."""
        group = self._grouped[quota_key(target)]
        if self._places.locked() or any(other.key in self._waiting for other in group):
            return False
        coming = sorted(
            slot
            for other in group
            for slot in slots_between(other.key, self._every(other), now, now + QUOTA_MINUTE)
        )
        return self.limits.has_room(target, now, coming)
