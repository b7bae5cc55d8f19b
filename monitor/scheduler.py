"""When: slots, confirming runs and neighbours; the only importer of APScheduler. It judges nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from monitor.core.budget import LONGEST_PAUSE, Purse
from monitor.core.model import Kind, Target
from monitor.core.quota import JITTER, Quota
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
_Key = TypeVar("_Key")

RETRY_CONFIRMING = timedelta(seconds=5)
_PRESSING = frozenset({Attention.CONFIRMING, Attention.CLOSING})


def grace(every: timedelta) -> timedelta:
    """How late a slot may start: past it, it is a gap and not a late run."""
    return max(timedelta(seconds=1), min(every / 4, timedelta(seconds=15)))


class Engine(Protocol):
    """What calls us when something is due: APScheduler, or a clock that a test drives."""

    @property
    def running(self) -> bool:
        """Whether it calls."""

    def start(self) -> None:
        """Begin to call."""

    def shutdown(self, *, wait: bool) -> None:
        """Call no more."""

    def add_job(self, func: Callable[[str], Awaitable[None]], trigger: Any, **options: Any) -> Any:
        """Call *func* with `args` whenever the trigger fires; `id` names the job."""

    def reschedule_job(self, job_id: str, *, trigger: Any) -> Any:
        """Let the job follow another trigger."""


def _group(targets: Iterable[Target], by: Callable[[Target], _Key]) -> Mapping[_Key, Sequence[Target]]:
    groups: dict[_Key, list[Target]] = {}
    for target in targets:
        groups.setdefault(by(target), []).append(target)
    return groups


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
        location: str = "default",
        costs: Mapping[str, float] | None = None,
        limit: int = 200,
        engine: Engine | None = None,
    ) -> None:
        self.targets: Mapping[str, Target] = {target.key: target for target in targets}
        self.quota = Quota()
        self.purse = Purse(costs or {})
        self._paused: dict[tuple[str, str], datetime] = {}
        self.last_cycle: datetime | None = None
        self._run, self._skip, self._clock, self._location = run, skip, clock, location
        self._places = asyncio.Semaphore(limit)
        self._engine = engine or AsyncIOScheduler(timezone=UTC)
        self._attention = dict.fromkeys(self.targets, Attention.CALM)
        self._handled: dict[str, datetime] = {}
        self._accounted: dict[str, datetime] = {}  # slots up to here were had before the clock was set back
        self._running: dict[str, asyncio.Task[None]] = {}
        self._started: dict[str, datetime] = {}  # the newest start of each target
        self._planned: set[str] = set()  # targets whose next confirming run has its time
        self._first_bad: dict[str, datetime] = {}  # since when a target's neighbours are wanted
        self._grouped = _group(self.targets.values(), quota_key)
        self._beside = _group(self.targets.values(), lambda target: target.endpoint.name)

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
        self.quota.set_back(now)
        for key, target in self.targets.items():
            slot, handled = slot_at(key, self._every(target), now), self._handled[key]
            if slot < handled:
                self._accounted[key] = max(handled, self._accounted.get(key, handled))
                self._handled[key] = slot
            self._engine.reschedule_job(key, trigger=self._trigger(target))
            if self._started.get(key, now) > now:
                self._started[key] = now
            if key in self._planned:
                self._confirm_at(target, now)

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
        self.note_newest(target, now)
        self.purse.note(target, now)
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
            self._skip(target, slot, reason)

    def _plan_confirming(self, target: Target) -> None:
        """Plan the next confirming run after the newest run, once however often it is asked for."""
        if target.key in self._planned or self._every(target) <= CONFIRM_EVERY:
            return  # the plain interval is as close already
        now = self._clock()
        self._confirm_at(target, max(now, self._started.get(target.key, now) + CONFIRM_EVERY))

    def _confirm_at(self, target: Target, when: datetime) -> None:
        self._planned.add(target.key)
        self._engine.add_job(
            self.confirm,
            DateTrigger(when, timezone=UTC),
            args=(target.key,),
            id=f"confirm {target.key}",
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

    def _has_room(self, target: Target, now: datetime) -> bool:
        """Whether an extra run leaves the coming minute's scheduled slots their share of the quota."""
        if self._places.locked() or self._pause_of(target, now):
            return False
        if self.purse.refusal(target, now, urgent=True):
            return False
        coming = sorted(
            slot
            for other in self._grouped[quota_key(target)]
            for slot in slots_between(other.key, self._every(other), now, now + QUOTA_MINUTE)
        )
        return self.quota.admits(target, now) and self.quota.leaves_room(target, coming)
