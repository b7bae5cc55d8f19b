"""Which event loop the service runs on."""

from __future__ import annotations

import asyncio

from monitor.service.event_loop import loop_factory


def test_the_loop_runs_what_it_is_given() -> None:
    """Whatever loop is chosen, it runs a coroutine to its end."""

    async def answer() -> int:
        await asyncio.sleep(0)
        return 42

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        assert runner.run(answer()) == 42
