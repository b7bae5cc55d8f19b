"""The lag sampler on real loops: what it sees of a loop that stands still, and of a machine that does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from monitor.transport.loop_lag import PERIOD, LagSampler


class Hesitant(asyncio.SelectorEventLoop):
    """A loop whose machine stands still before a timer is set, which uvloop answers as this one does."""

    def call_at(  # type: ignore[override]  # typeshed ties the arguments to the callback
        self, when: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> Any:
        """A plain handle, as uvloop gives for a time that is past."""
        if callback.__name__ != "_tick":
            return super().call_at(when, callback, *args, context=context)
        time.sleep(2 * PERIOD)
        return self.call_soon(callback, *args, context=context)


async def blocked(seconds: float) -> float:
    """What a watch saw of a loop that was blocked once for that long."""
    sampler = LagSampler()
    watch = sampler.start()
    await asyncio.sleep(0)
    time.sleep(seconds)  # noqa: ASYNC251 - a blocked loop is what is tested
    sampler.stop(watch)
    return watch.worst


async def test_a_blocked_loop_is_seen_by_the_run_that_it_delayed() -> None:
    """What stood still longer than a period counts, also where the tick has not come yet."""
    assert await blocked(3 * PERIOD) >= PERIOD


def test_a_machine_that_stands_still_while_the_timer_is_set_breaks_no_run() -> None:
    """The run goes on, and the standstill is its lag."""
    with asyncio.Runner(loop_factory=Hesitant) as runner:
        assert runner.run(blocked(0)) >= PERIOD / 2
