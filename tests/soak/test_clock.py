"""The driven loop: time jumps, threads are waited for, the dead do nothing more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from tests.soak.clock import DrivenLoop, followed_by_the_engine, new_life

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def drive(scene: Callable[[DrivenLoop], Awaitable[None]]) -> None:
    """Run a scene on a driven loop."""
    loop = DrivenLoop(START)

    async def held() -> None:
        await scene(loop)

    with followed_by_the_engine(loop), asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(held())


def test_a_month_of_sleep_takes_no_time_and_keeps_the_order() -> None:
    """Sleepers wake in the order of their times, each at its time, on both clocks."""
    woken: list[tuple[str, timedelta]] = []

    async def scene(loop: DrivenLoop) -> None:
        async def sleep(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            woken.append((name, loop.wall() - START))

        await asyncio.gather(sleep("month", 30 * 86_400), sleep("second", 1), sleep("hour", 3600))

    drive(scene)
    assert woken == [
        ("second", timedelta(seconds=1)),
        ("hour", timedelta(hours=1)),
        ("month", timedelta(days=30)),
    ]


def test_work_for_threads_takes_no_time_and_its_error_arrives() -> None:
    """What `to_thread` does is done before time moves on, and its error is raised where it is awaited."""

    async def scene(loop: DrivenLoop) -> None:
        assert await asyncio.to_thread(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        assert loop.wall() == START

    drive(scene)


def test_a_wakeup_from_a_real_thread_is_not_lost() -> None:
    """While time stands still a thread's call arrives, though a timer is due sooner than any thread is."""

    async def scene(loop: DrivenLoop) -> None:
        arrived = asyncio.Event()
        loop.call_later(0.001, lambda: None)
        with loop.standing_still():
            thread = threading.Thread(target=lambda: loop.call_soon_threadsafe(arrived.set))
            thread.start()
            await arrived.wait()
        thread.join()
        assert loop.wall() == START

    drive(scene)


def test_the_engine_follows_the_clock() -> None:
    """APScheduler starts its jobs at the driven times, also after the wall clock was set back."""
    at: list[datetime] = []

    async def scene(loop: DrivenLoop) -> None:
        async def job() -> None:
            at.append(loop.wall())

        engine = AsyncIOScheduler(timezone=UTC)
        engine.add_job(job, IntervalTrigger(minutes=5, start_date=START, timezone=UTC), misfire_grace_time=1)
        engine.start()
        await asyncio.sleep(660)
        engine.shutdown(wait=False)
        await asyncio.sleep(0)

    drive(scene)
    assert at == [START, START + timedelta(minutes=5), START + timedelta(minutes=10)]


def test_the_dead_do_nothing_more() -> None:
    """Nothing that a killed life had begun goes on: no timer, no task, no word of farewell."""
    done: list[str] = []

    async def scene(loop: DrivenLoop) -> None:
        async def inner() -> None:
            await asyncio.sleep(1)
            done.append("inner")

        async def live() -> None:
            task = asyncio.create_task(inner())
            loop.call_later(2, done.append, "timer")
            try:
                await asyncio.sleep(3)
                await task
            finally:
                done.append("farewell")

        life: Any = new_life(1)
        loop.create_task(life.run(live), context=life)
        await asyncio.sleep(0.5)
        loop.kill(1)
        await asyncio.sleep(10)

    drive(scene)
    assert done == []


def test_a_suspend_moves_the_wall_clock_alone() -> None:
    """A suspend, a step and a standstill each show on the clocks as they do on Linux."""

    async def scene(loop: DrivenLoop) -> None:
        loop.suspend(timedelta(hours=1))
        loop.step(timedelta(minutes=-5))
        loop.advance(7)
        clocks = loop.clocks()
        assert loop.wall() == START + timedelta(minutes=55, seconds=7)
        assert (clocks.steady, clocks.awake_or_not) == (7, 3607)
        await asyncio.sleep(0)

    drive(scene)
