"""The scheduler's bookkeeping: every due slot ends in a run or in a recorded skip."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from operator import itemgetter
from random import Random
from typing import Any

import pytest
from apscheduler.triggers.base import BaseTrigger

from monitor.core.model import Cell, Endpoint, Kind, Target
from monitor.core.scheduling.attention import Attention, Slots, Watching, grace
from monitor.core.scheduling.slots import slot_at, slots_between
from monitor.service.scheduler import Scheduler

# Far ahead of the real clock, so that the engine's own timers never fire in a test.
START = datetime(2100, 1, 1, tzinfo=UTC)
ENDPOINT = Endpoint(name="azure", provider="azure_openai", url="https://azure.test")
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
TURN = 2 * SECOND


def target(model: str = "m", pathway: str = "rest", *, every: timedelta = MINUTE, quota: int = 3) -> Target:
    """A target of the one endpoint."""
    return Target(endpoint=ENDPOINT, model=model, pathway=pathway, every=every, max_per_minute=quota)


class Engine:
    """Jobs and their real triggers without timers: `drive` comes to each due time in turn."""

    def __init__(self) -> None:
        self.running = False
        self.calls: dict[str, tuple[datetime, BaseTrigger, Callable[[str], Awaitable[None]], str]] = {}
        self.house: House | None = None

    def add_job(self, func: Callable[[str], Awaitable[None]], trigger: Any, **options: Any) -> None:
        """Know the job and when it is due first."""
        name, (key,) = options["id"], options["args"]
        first = trigger.get_next_fire_time(None, self.now)
        self.calls[name] = (max(first, self.now), trigger, func, key)

    def reschedule_job(self, job_id: str, *, trigger: Any) -> None:
        """Let the job follow another trigger from now on."""
        *_, func, key = self.calls[job_id]
        self.add_job(func, trigger, id=job_id, args=(key,))

    def start(self) -> None:
        """Begin; nothing goes on by itself."""
        self.running = True

    def shutdown(self, *, wait: bool) -> None:
        """End; nothing is waited for."""
        self.running = wait

    @property
    def now(self) -> datetime:
        """The house's clock."""
        assert self.house is not None
        return self.house.now

    async def drive(self, until: datetime, *, turns: Callable[[], None]) -> None:
        """Come to every due time up to *until*, and every 2 s to *turns*, as the service does."""
        assert self.house is not None
        turn = self.now + TURN
        while True:
            name, due = min(((name, call[0]) for name, call in self.calls.items()), key=itemgetter(1))
            if min(due, turn) > until:
                break
            self.house.now = max(self.now, min(due, turn))
            if turn <= due:
                turns()
                turn += TURN
            else:
                _, trigger, func, key = self.calls.pop(name)
                following = trigger.get_next_fire_time(due, self.now)
                if following is not None:
                    self.calls[name] = (following, trigger, func, key)
                self.house.now += SECOND * self.house.late()
                await func(key)
            await self.house.settle()
        self.house.now = max(self.now, until)


class House:
    """A scheduler with a clock moved by hand, whose runs end when they are told to."""

    def __init__(
        self,
        *targets: Target,
        limit: int = 10,
        costs: Mapping[str, float] | None = None,
        engine: Engine | None = None,
        late: Callable[[], float] = float,
    ) -> None:
        self.now = START
        self.runs: list[tuple[str, datetime, Kind]] = []
        self.skips: list[tuple[str, datetime, str]] = []
        self.rows = 0
        self.answer: Callable[[Target], object] = id  # what a run brings
        self.late = late  # by how many seconds the loop is late with a call
        self.broken = False
        self.gate = asyncio.Event()
        self.gate.set()
        if engine:
            engine.house = self
        self.scheduler = Scheduler(
            targets,
            run=self._run,
            skip=self._skip,
            clock=lambda: self.now,
            location="here",
            limit=limit,
            costs=costs,
            engine=engine,
        )

    async def _run(self, target: Target, slot: datetime, kind: Kind) -> None:
        self.runs.append((target.key, slot, kind))
        self.answer(target)
        if self.broken:
            raise ZeroDivisionError
        await self.gate.wait()

    def _skip(self, target: Target, slots: Slots, reason: str) -> None:
        self.rows += 1
        self.skips += [(target.key, slot, reason) for slot in slots]

    def to_next_slot(self, target: Target, *, late: timedelta = timedelta(milliseconds=5)) -> datetime:
        """Move the clock just past the target's next slot; the slot."""
        slot = slot_at(target.key, target.every, self.now) + target.every
        self.now = slot + late
        return slot

    async def settle(self) -> None:
        """Let every task that can go on go on."""
        for _ in range(5):
            await asyncio.sleep(0)


@asynccontextmanager
async def house(
    *targets: Target,
    limit: int = 10,
    costs: Mapping[str, float] | None = None,
    engine: Engine | None = None,
    late: Callable[[], float] = float,
) -> AsyncIterator[House]:
    """A started house that is stopped at the end."""
    made = House(*targets, limit=limit, costs=costs, engine=engine, late=late)
    made.scheduler.start()
    try:
        yield made
    finally:
        made.gate.set()
        await made.scheduler.stop(timedelta(seconds=5))


async def test_a_due_slot_is_run_once_and_told_its_slot() -> None:
    """The engine may call twice for one slot; it is run once, under the slot's own time."""
    one = target()
    async with house(one) as at:
        slot = at.to_next_slot(one)
        await at.scheduler.due(one.key)
        await at.scheduler.due(one.key)
        await at.settle()
        assert at.runs == [(one.key, slot, Kind.SCHEDULED)]
        assert not at.skips


async def test_a_slot_that_comes_too_late_is_a_recorded_gap() -> None:
    """Past the grace a slot is skipped with a reason and never run late."""
    one = target()
    async with house(one) as at:
        slot = at.to_next_slot(one, late=grace(MINUTE) + timedelta(seconds=1))
        await at.scheduler.due(one.key)
        await at.settle()
        assert not at.runs
        assert [(key, when) for key, when, _ in at.skips] == [(one.key, slot)]


async def test_slots_lost_by_the_engine_are_found_by_arithmetic() -> None:
    """Three slots that nobody called for are recorded; the fourth runs."""
    one = target()
    async with house(one) as at:
        first = at.to_next_slot(one)
        for _ in range(3):
            last = at.to_next_slot(one)
        await at.scheduler.due(one.key)
        await at.settle()
        assert [slot for _, slot, _ in at.runs] == [last]
        assert [slot for _, slot, _ in at.skips] == [first, first + MINUTE, first + 2 * MINUTE]


async def test_one_run_per_target_at_a_time() -> None:
    """A slot that comes due while the run before goes on waits within its grace and is then on record."""
    one, engine = target(), Engine()
    async with house(one, engine=engine) as at:
        at.gate.clear()
        first = slot_at(one.key, MINUTE, at.now) + MINUTE
        await engine.drive(first + 2 * MINUTE - TURN, turns=lambda: None)
        assert [slot for _, slot, _ in at.runs] == [first]
        assert [(slot, why) for _, slot, why in at.skips] == [
            (first + MINUTE, "busy: the run before has not ended")
        ]
        await engine.drive(first + 2 * MINUTE + TURN, turns=lambda: None)
        at.gate.set()
        await engine.drive(first + 2 * MINUTE + 2 * TURN, turns=lambda: None)
        assert [slot for _, slot, _ in at.runs] == [first, first + 2 * MINUTE]
        assert len(at.skips) == 1


async def test_a_stuck_target_does_not_keep_another_from_its_slot() -> None:
    """While one run hangs, the other target starts in time."""
    one, other = target("a"), target("b")
    async with house(one, other) as at:
        at.gate.clear()
        at.to_next_slot(one)
        await at.scheduler.due(one.key)
        at.to_next_slot(other)
        await at.scheduler.due(other.key)
        await at.settle()
        assert {key for key, _, _ in at.runs} == {one.key, other.key}


async def test_the_limit_of_all_runs_gives_skips_and_no_queue() -> None:
    """With every place taken a slot is skipped with its reason once its grace is over."""
    one, other, engine = target("a"), target("b"), Engine()
    async with house(one, other, limit=1, engine=engine) as at:
        at.gate.clear()
        await engine.drive(at.now + 2 * MINUTE, turns=lambda: None)
        assert len(at.runs) == 1
        assert {reason.partition(":")[0] for _, _, reason in at.skips} == {"busy", "limit"}


@pytest.mark.parametrize("count", [1, 3])
async def test_a_rate_that_equals_the_quota_loses_no_slot(count: int) -> None:
    """Neither some milliseconds of jitter nor a loop that hangs now and then skips a slot at the quota."""
    some, engine = [target("m", pathway, quota=count) for pathway in ("rest", "realtime", "dual")], Engine()
    chance, late = Random(1), [0.001 * number for number in range(300)] + [5.0]
    async with house(*some[:count], engine=engine, late=lambda: chance.choice(late)) as at:
        await engine.drive(at.now + timedelta(hours=3), turns=lambda: None)
        assert not at.skips
        assert len(at.runs) >= 180 * count - count


async def test_a_jump_of_the_clock_writes_one_row_for_its_slots() -> None:
    """A month of slots that nobody ran is one record, and each slot is in it."""
    one = target(every=timedelta(seconds=20))
    async with house(one) as at:
        first = at.to_next_slot(one)
        at.now += timedelta(days=30)
        await at.scheduler.due(one.key)
        await at.settle()
        assert at.rows <= 2
        assert len(at.skips) + len(at.runs) == 30 * 24 * 180 + 1
        assert {slot for _, slot, _ in [*at.skips, *at.runs]} == {
            first + number * one.every for number in range(30 * 24 * 180 + 1)
        }


async def test_at_the_start_each_target_runs_once_within_the_first_minute() -> None:
    """A thousand targets that were never run, evenly spread; none runs twice before its slot."""
    every = timedelta(hours=1)
    some, engine = [target(f"m{number}", every=every) for number in range(1000)], Engine()
    async with house(*some, engine=engine, limit=2000) as at:
        begun = at.now
        await engine.drive(begun + MINUTE, turns=lambda: None)
        assert {key for key, _, _ in at.runs} == {each.key for each in some}
        first = [slot for _, slot, kind in at.runs if kind is Kind.CONFIRMING]
        assert (
            max(
                sum(begun + second * SECOND <= at < begun + (second + 1) * SECOND for at in first)
                for second in range(60)
            )
            <= 20
        )
        ran = [key for key, _, kind in at.runs if kind is Kind.CONFIRMING]
        assert len(ran) == len(set(ran))
        assert not at.skips


async def test_the_first_runs_wait_for_the_quota() -> None:
    """Seven targets of one deployment that admits three a minute: all have run within three minutes."""
    some = [target("m", f"p{number}", every=timedelta(hours=1)) for number in range(7)]
    engine = Engine()
    async with house(*some, engine=engine) as at:
        begun = at.now
        await engine.drive(begun + 3 * MINUTE, turns=lambda: None)
        assert {key for key, _, _ in at.runs} == {each.key for each in some}
        assert not at.skips


async def test_a_restart_runs_only_what_is_not_known_within_its_interval() -> None:
    """A target that ran lately waits for its slot; one of an hour ago and a new one run at once."""
    every = timedelta(minutes=30)
    some, engine = [target(name, every=every) for name in ("lately", "long ago", "new")], Engine()
    made = House(*some, engine=engine)
    made.scheduler.note_newest(some[0], START - timedelta(minutes=10))
    made.scheduler.note_newest(some[1], START - timedelta(hours=1))
    made.scheduler.start()
    await engine.drive(START + 10 * SECOND, turns=lambda: None)
    assert {key for key, _, _ in made.runs} == {some[1].key, some[2].key}
    await made.scheduler.stop(MINUTE)


async def test_the_quota_counts_all_pathways_of_a_deployment() -> None:
    """Two pathways of one deployment share `max_per_minute`."""
    rest, realtime = target("m", "rest", quota=1), target("m", "realtime", quota=1)
    async with house(rest, realtime) as at:
        later = at.to_next_slot(rest)
        await at.scheduler.due(rest.key)
        await at.settle()
        at.now = max(later, at.to_next_slot(realtime))
        await at.scheduler.due(realtime.key)
        await at.settle()
        started = {key for key, _, _ in at.runs}
        skipped = [(key, reason.partition(":")[0]) for key, _, reason in at.skips]
        assert started == {rest.key}
        assert (realtime.key, "quota") in skipped


async def test_a_first_bad_run_brings_its_neighbours_at_once() -> None:
    """Same model on another pathway and same pathway of another model run; a stranger does not."""
    failing = target("a", "realtime", every=timedelta(minutes=5))
    same_model = target("a", "rest", every=timedelta(minutes=5))
    same_pathway = target("b", "realtime", every=timedelta(minutes=5))
    stranger = target("b", "rest", every=timedelta(minutes=5))
    async with house(failing, same_model, same_pathway, stranger) as at:
        cell = Cell("azure", "a", "realtime", "here")
        at.scheduler.attend([Watching(cell=cell, attention=Attention.CONFIRMING, first_bad=at.now)])
        await at.settle()
        assert {(key, kind) for key, _, kind in at.runs} == {
            (same_model.key, Kind.NEIGHBOUR),
            (same_pathway.key, Kind.NEIGHBOUR),
        }


async def test_what_cannot_be_reached_brings_a_run_of_another_host() -> None:
    """The cheapest one of another address, not of another table of the same one; none beside a fresh run."""
    elsewhere = replace(ENDPOINT, name="openai", url="https://openai.test")
    failing = target("a")
    same_host = replace(target("b"), endpoint=replace(ENDPOINT, name="azure-again"))
    dear, cheap = (replace(target(model), endpoint=elsewhere) for model in ("a", "b"))
    costs = {dear.key: 0.02, cheap.key: 0.01, same_host.key: 0.0}
    async with house(failing, same_host, dear, cheap, costs=costs) as at:
        at.scheduler.run_another_host(failing)
        at.scheduler.run_another_host(failing)
        await at.settle()
        assert [(key, kind) for key, _, kind in at.runs] == [(cheap.key, Kind.NEIGHBOUR)]
        at.now += timedelta(seconds=19)
        at.scheduler.run_another_host(failing)
        await at.settle()
        assert len(at.runs) == 1
        at.now += timedelta(seconds=2)
        at.scheduler.run_another_host(failing)
        await at.settle()
        assert len(at.runs) == 2
        at.now += MINUTE
        cell = Cell("azure", "a", "rest", "here")
        at.scheduler.attend([Watching(cell=cell, attention=Attention.OPEN)])
        at.scheduler.run_another_host(failing)  # it is decided: nothing more is asked for
        await at.settle()
        assert len(at.runs) == 2


async def test_neighbours_are_asked_once_for_a_first_bad_run() -> None:
    """The store says it in every turn, and after a restart, until there is another first bad run."""
    failing = target("a", "realtime", every=timedelta(minutes=5), quota=100)
    beside = target("a", "rest", every=timedelta(minutes=5), quota=100)
    async with house(failing, beside) as at:
        cell = Cell("azure", "a", "realtime", "here")
        suspicious = Watching(cell=cell, attention=Attention.CONFIRMING, first_bad=at.now)
        calm = Watching(cell=cell, attention=Attention.CALM)
        at.now += timedelta(seconds=1)
        for said in (suspicious, suspicious, calm, suspicious):
            at.scheduler.attend([said])
            await at.settle()
        assert [key for key, _, _ in at.runs] == [beside.key]
        at.now += MINUTE
        at.scheduler.attend([calm, replace(suspicious, first_bad=at.now)])
        await at.settle()
        assert [key for key, _, _ in at.runs] == [beside.key, beside.key]
    async with house(failing, beside) as again:
        again.scheduler.note_newest(beside, START + timedelta(seconds=1))
        again.scheduler.attend([suspicious])
        await again.settle()
        assert not again.runs


@pytest.mark.parametrize("every", [timedelta(minutes=5), MINUTE])
@pytest.mark.parametrize("attention", [Attention.CONFIRMING, Attention.CLOSING])
async def test_confirming_runs_come_every_20_seconds_however_often_the_store_is_asked(
    every: timedelta, attention: Attention
) -> None:
    """A turn every 2 s says the same again; five runs span 80 s, and none comes once it is calm."""
    one, engine = target(every=every), Engine()
    async with house(one, engine=engine) as at:
        cell, other = Cell("azure", "m", "rest", "here"), Cell("azure", "m", "rest", "elsewhere")
        said = [Watching(cell=cell, attention=Attention.CALM)]
        first = slot_at(one.key, every, at.now) + every
        await engine.drive(first, turns=lambda: at.scheduler.attend(said))
        assert at.runs[-1] == (one.key, first, Kind.SCHEDULED)
        at.runs[:-1] = []
        said = [
            Watching(cell=cell, attention=attention, first_bad=first),
            Watching(cell=other, attention=Attention.CALM),
        ]
        await engine.drive(first + timedelta(seconds=81), turns=lambda: at.scheduler.attend(said))
        starts = [start - first for _, start, _ in at.runs]
        assert starts == [timedelta(seconds=seconds) for seconds in (0, 20, 40, 60, 80)]
        said = [Watching(cell=cell, attention=Attention.CALM)]
        await engine.drive(first + timedelta(seconds=119), turns=lambda: at.scheduler.attend(said))
        assert len(at.runs) == 5
        assert not at.skips


async def test_what_is_said_of_another_location_changes_nothing_here() -> None:
    """Neither an import of another location's lines nor its own monitor in the same database."""
    one, beside, engine = (
        target(every=timedelta(minutes=5)),
        target("n", every=timedelta(minutes=5)),
        Engine(),
    )
    async with house(one, beside, engine=engine) as at:
        cell = Cell("azure", "m", "rest", "elsewhere")
        for attention in (Attention.CONFIRMING, Attention.OPEN, Attention.CLOSING):
            said = [Watching(cell=cell, attention=attention, first_bad=at.now)]
            at.scheduler.attend(said)
            await engine.drive(at.now + MINUTE, turns=partial(at.scheduler.attend, said))
        assert sorted(key for key, _, kind in at.runs if kind is not Kind.SCHEDULED) == [one.key, beside.key]
        assert len(at.runs) <= 4  # the first run of each and at most one slot


async def test_confirming_runs_leave_the_scheduled_ones_their_share() -> None:
    """With the quota needed by the coming slots no confirming run starts; with room it does."""
    tight = target("a", "rest", quota=1)
    roomy = target("b", "rest", every=timedelta(minutes=5), quota=3)
    async with house(tight, roomy) as at:
        cells = [Cell("azure", model, "rest", "here") for model in ("a", "b")]
        at.scheduler.attend([Watching(cell=cell, attention=Attention.CONFIRMING) for cell in cells])
        for key in (tight.key, roomy.key):
            await at.scheduler.confirm(key)
        await at.settle()
        assert [(key, kind) for key, _, kind in at.runs] == [(roomy.key, Kind.CONFIRMING)]


async def test_a_settled_target_gets_no_confirming_run() -> None:
    """A confirming run that was planned is dropped once the look-back is settled."""
    one = target(every=timedelta(minutes=5))
    async with house(one) as at:
        await at.scheduler.confirm(one.key)
        await at.settle()
        assert not at.runs


async def test_an_open_window_brings_the_interval_down_to_a_minute() -> None:
    """While a window is open the slots are a minute apart, and all of them count."""
    one = target(every=timedelta(minutes=5))
    cell = Cell("azure", "m", "rest", "here")
    async with house(one) as at:
        at.scheduler.attend([Watching(cell=cell, attention=Attention.OPEN)])
        for _ in range(3):
            slot = slot_at(one.key, MINUTE, at.now) + MINUTE
            at.now = slot
            await at.scheduler.due(one.key)
            await at.settle()
        assert len(at.runs) == 3
        assert not at.skips


async def test_stopping_lets_runs_end_and_cancels_those_that_do_not() -> None:
    """A run that goes on past the drain's deadline is cancelled; nothing is left behind."""
    one = target()
    async with house(one) as at:
        at.gate.clear()
        at.to_next_slot(one)
        await at.scheduler.due(one.key)
        await at.settle()
        await at.scheduler.stop(timedelta(milliseconds=1))
        assert at.scheduler.in_flight() == 0
        assert not at.scheduler.is_running()
        assert [reason.partition(":")[0] for _, _, reason in at.skips] == ["stopped"]


async def test_a_run_that_raises_is_a_recorded_gap() -> None:
    """What nobody foresaw loses one slot, with its reason, and the target goes on."""
    one = target()
    async with house(one) as at:
        at.broken = True
        slot = at.to_next_slot(one)
        await at.scheduler.due(one.key)
        await at.settle()
        assert at.skips == [(one.key, slot, "lost: the run failed on our side, ZeroDivisionError")]
        at.broken = False
        at.to_next_slot(one)
        await at.scheduler.due(one.key)
        await at.settle()
        assert len(at.runs) == 2
        assert len(at.skips) == 1


async def test_a_slot_due_while_the_interval_changes_is_not_forgotten() -> None:
    """The last slot of the old interval runs though the store's word came before the engine's call."""
    one = target(every=timedelta(minutes=5))
    cell = Cell("azure", "m", "rest", "here")
    async with house(one) as at:
        slot = at.to_next_slot(one)
        at.scheduler.attend([Watching(cell=cell, attention=Attention.OPEN)])
        await at.scheduler.due(one.key)
        await at.settle()
        assert at.runs == [(one.key, slot, Kind.SCHEDULED)]
        last = at.to_next_slot(one)
        at.scheduler.attend([Watching(cell=cell, attention=Attention.CALM)])
        await at.scheduler.due(one.key)
        await at.settle()
        due = {slot + MINUTE * minutes for minutes in range(1, 6)}
        assert last in due
        had = {when for _, when, _ in at.runs[1:]} | {when for _, when, _ in at.skips}
        assert had == due


async def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    """Two runs of a deployment may be told different times; the later one holds."""
    one = target()
    async with house(one) as at:
        at.scheduler.limits.pause(one, at.now + timedelta(minutes=10), at.now)
        at.scheduler.limits.pause(one, at.now + timedelta(seconds=1), at.now)
        at.to_next_slot(one)
        await at.scheduler.due(one.key)
        await at.settle()
        assert not at.runs


async def test_what_the_store_says_of_an_unknown_target_is_passed_over() -> None:
    """A cell that is stored but no longer configured starts nothing."""
    async with house(target()) as at:
        cell = Cell("gone", "m", "rest", "here")
        at.scheduler.attend([Watching(cell=cell, attention=Attention.OPEN, first_bad=START)])
        await at.settle()
        assert not at.runs


async def test_a_clock_set_back_repeats_slots_as_confirming_runs() -> None:
    """The monitor goes on at once; a slot that was had before is not stored twice, a new one is."""
    one = target(quota=100)
    async with house(one) as at:
        for _ in range(3):
            at.to_next_slot(one)
            await at.scheduler.due(one.key)
            await at.settle()
        at.now -= 2 * MINUTE
        at.scheduler.realign()
        for _ in range(3):
            at.to_next_slot(one)
            await at.scheduler.due(one.key)
            await at.settle()
        kinds = [kind for _, _, kind in at.runs]
        assert kinds == [Kind.SCHEDULED] * 3 + [Kind.CONFIRMING] * 2 + [Kind.SCHEDULED]
        assert not at.skips


async def test_a_clock_set_back_does_not_hold_the_quota_of_the_future() -> None:
    """Runs that seem to lie ahead count as having started now, and are over a minute later."""
    one = target(quota=1)
    async with house(one) as at:
        at.to_next_slot(one)
        await at.scheduler.due(one.key)
        await at.settle()
        at.now -= timedelta(hours=1)
        at.scheduler.realign()
        assert not at.scheduler.limits.quota.admits(one, at.now)
        assert at.scheduler.limits.quota.admits(one, at.now + MINUTE)


async def test_a_clock_set_forward_leaves_the_lost_slots_on_record() -> None:
    """What lay in between is skipped with its reason, and the next slot runs as usual."""
    one = target()
    async with house(one) as at:
        at.now += timedelta(minutes=10)
        at.scheduler.realign()
        at.to_next_slot(one)
        await at.scheduler.due(one.key)
        await at.settle()
        assert [kind for _, _, kind in at.runs] == [Kind.SCHEDULED]
        assert len(at.skips) == 10


def paid(model: str = "m") -> Target:
    """A target whose endpoint may cost a dollar a day, three tenths of it in reserve."""
    one = target(model, quota=1000)
    return replace(one, endpoint=replace(ENDPOINT, daily_budget=1.0))


async def slots(at: House, one: Target, count: int) -> None:
    """So many slots come due."""
    for _ in range(count):
        at.to_next_slot(one)
        await at.scheduler.due(one.key)
        await at.settle()


async def test_a_spent_budget_is_a_recorded_gap() -> None:
    """Runs stop below the reserve, every further slot is on record with its reason, tomorrow they go on."""
    one = paid()
    async with house(one, costs={one.key: 0.25}) as at:
        await slots(at, one, 5)
        assert len(at.runs) == 2
        assert {reason for _, _, reason in at.skips} == {
            "budget: $0.5000 of $1.00 is spent today (UTC), $0.3000 is kept for an open incident"
        }
        at.now = START + timedelta(days=1)
        at.scheduler.realign()
        before = len(at.runs)
        await slots(at, one, 1)
        assert len(at.runs) == before + 1


async def test_the_reserve_is_for_the_time_an_incident_is_open() -> None:
    """For every target of the endpoint, and never beyond the whole budget."""
    one, other = paid(), paid("n")
    async with house(one, other, costs={one.key: 0.25, other.key: 0.25}) as at:
        at.scheduler.limits.daily_budget.add("azure", 0.5, at.now)
        cell = Cell("azure", "n", "rest", "here")
        at.scheduler.attend([Watching(cell=cell, attention=Attention.OPEN)])
        await slots(at, one, 4)
        assert [key for key, _, _ in at.runs].count(one.key) == 2
        assert at.skips[-1][2] == "budget: $1.00 of $1.00 is spent today (UTC)"


async def test_what_was_spent_before_the_start_counts() -> None:
    """Money does not come back with a new process."""
    one = paid()
    async with house(one, costs={one.key: 0.25}) as at:
        at.scheduler.limits.daily_budget.add("azure", 0.7, at.now)
        await slots(at, one, 1)
        assert not at.runs


async def test_a_provider_that_asks_for_a_pause_gets_it() -> None:
    """The whole deployment rests, its slots are on record; an absurd pause is not obeyed for ever."""
    one, other, free = target(), target(pathway="realtime"), target("n")
    async with house(one, other, free) as at:
        at.scheduler.limits.pause(one, at.now + timedelta(minutes=2, seconds=30), at.now)
        for each in (one, other, free):
            at.to_next_slot(each)
            await at.scheduler.due(each.key)
        await at.settle()
        assert {key for key, _, _ in at.runs} == {free.key}
        told = {reason.partition(":")[0] for _, _, reason in at.skips}
        assert told - {"missed"} == {"retry-after"}
        at.now += timedelta(minutes=3)
        await at.scheduler.due(one.key)
        at.to_next_slot(one)
        await at.scheduler.due(one.key)
        await at.settle()
        assert one.key in {key for key, _, _ in at.runs}


async def test_under_a_pause_that_is_asked_for_again_and_again_each_target_is_still_asked() -> None:
    """Every answer asks for an hour: one run a quarter of an hour, every other slot on record."""
    every = timedelta(minutes=5)
    one, other, engine = target("m", every=every), target("m", "realtime", every=every), Engine()
    async with house(one, other, engine=engine) as at:
        at.answer = lambda target: at.scheduler.limits.pause(target, at.now + timedelta(hours=1), at.now)
        begun = at.now
        await engine.drive(begun + timedelta(hours=2), turns=lambda: None)
        for each in (one, other):
            starts = [slot for key, slot, _ in at.runs if key == each.key]
            assert 7 <= len(starts) <= 9
            assert all(b - a >= timedelta(minutes=14) for a, b in pairwise(starts))
            due = slots_between(each.key, every, begun, begun + timedelta(hours=2))
            had = [slot for key, slot, kind in at.runs if key == each.key and kind is Kind.SCHEDULED]
            assert sorted([*had, *(slot for key, slot, _ in at.skips if key == each.key)]) == list(due)


async def test_no_confirming_run_breaks_a_pause_or_the_budget() -> None:
    """It waits until there is room."""
    one = paid()
    async with house(one, costs={one.key: 0.25}) as at:
        cell = Cell("azure", "m", "rest", "here")
        at.scheduler.attend([Watching(cell=cell, attention=Attention.CONFIRMING)])
        at.scheduler.limits.pause(one, at.now + timedelta(minutes=2), at.now)
        await at.scheduler.confirm(one.key)
        at.now += timedelta(minutes=3)
        at.scheduler.limits.daily_budget.add("azure", 0.8, at.now)
        await at.scheduler.confirm(one.key)
        await at.settle()
        assert not at.runs
