"""A driven clock: an event loop whose time jumps to the next timer whenever nothing is ready.

Work for threads (`run_in_executor`, `asyncio.to_thread`) is done on the loop, in the order in which it was
asked for, so that a run is the same each time. Only libraries with threads of their own (the page's) need
`standing_still`: no time passes in it, and the loop waits for what really happens.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import selectors
from collections.abc import Callable, Iterator
from contextvars import Context, ContextVar, copy_context
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from weakref import WeakSet

import apscheduler.executors.base
import apscheduler.schedulers.base

from monitor.service.self_check import Clocks

LIFE: ContextVar[int] = ContextVar("life", default=0)
REAL_WAIT_S = 20.0  # how long a thread of a library may really take

# What a killed process leaves half done is never finished, also not by the garbage collector.
_HALF_DONE: list[object] = []
ctypes.pythonapi.Py_IncRef(ctypes.py_object(_HALF_DONE))


class _Jumping(selectors.DefaultSelector):
    """In place of waiting for a timer, time moves on to it."""

    loop: DrivenLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.loop.stands_still or timeout is None:
            ready = super().select(REAL_WAIT_S)
            if not ready:
                raise RuntimeError("nothing is left that could ever happen, or a thread hangs")
            return ready
        self.loop.advance(timeout + self.loop.late())
        return []


class DrivenLoop(asyncio.SelectorEventLoop):
    """The loop, and the clocks that go with it; *start* is the time of day at its beginning.

    *late* says by how many seconds the next timer is late, as timers of a real loop are.
    """

    def __init__(self, start: datetime, late: Callable[[], float] = float) -> None:
        self.late = late
        self._steady = 0.0
        self._wall_offset = timedelta(0)
        self._slept = 0.0
        self._start = start
        self._dead: set[int] = set()
        self._born: dict[int, WeakSet[asyncio.Task[Any]]] = {}
        self.stands_still = 0
        selector = _Jumping()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """The monotonic clock, in seconds."""
        return self._steady

    def wall(self) -> datetime:
        """The time of day, as the machine's clock shows it."""
        return self._start + timedelta(seconds=self._steady) + self._wall_offset

    def clocks(self) -> Clocks:
        """The clocks as the self-check reads them."""
        steady = self._steady
        return Clocks(wall=self.wall().timestamp(), steady=steady, awake_or_not=steady + self._slept)

    def advance(self, seconds: float) -> None:
        """Let time pass without anything running: for more than a timer, a process that stood still."""
        self._steady += seconds

    def suspend(self, length: timedelta) -> None:
        """The machine sleeps: the wall clock goes on, the monotonic one does not (Linux)."""
        self._wall_offset += length
        self._slept += length.total_seconds()

    def step(self, by: timedelta) -> None:
        """Somebody sets the wall clock."""
        self._wall_offset += by

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        """No time passes meanwhile."""
        self.stands_still += 1
        try:
            yield
        finally:
            self.stands_still -= 1

    # One life of a process ---------------------------------------------------------------------------

    def kill(self, life: int) -> None:
        """Whatever was begun in a context of that life stops where it is: nothing of it is wound up."""
        self._dead.add(life)
        for handle in [*self._ready, *self._scheduled]:  # type: ignore[attr-defined]
            self._forget_dead(handle)
        for task in self._born.pop(life, ()):
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                asyncio.tasks._unregister_task(task)
                _HALF_DONE.append(task)

    def _forget_dead(self, handle: Any) -> None:
        if self._dead and handle._context.get(LIFE, 0) in self._dead:
            handle.cancel()

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """As usual, but nothing for the dead."""
        handle = super().call_soon(callback, *args, context=context)
        self._forget_dead(handle)
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As usual, but nothing for the dead."""
        handle = super().call_at(when, callback, *args, context=context)
        self._forget_dead(handle)
        return handle

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """As usual; it is known which life it belongs to."""
        task = super().create_task(coro, **options)
        context = options.get("context")
        life = LIFE.get() if context is None else context.get(LIFE, 0)
        self._born.setdefault(life, WeakSet()).add(task)
        return task

    def run_in_executor(  # type: ignore[override]
        self, _executor: object, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Do it on the loop, a little later, as a thread would."""
        future = self.create_future()
        self.call_soon(self._carry_out, future, func, args)
        return future

    @staticmethod
    def _carry_out(future: asyncio.Future[Any], func: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if future.cancelled():
            return
        try:
            result = func(*args)
        except Exception as error:  # noqa: BLE001 - it is whoever awaits it who is told
            future.set_exception(error)
        else:
            future.set_result(result)


@contextlib.contextmanager
def followed_by_the_engine(loop: DrivenLoop) -> Iterator[None]:
    """APScheduler asks `datetime.now` and takes no clock: its two modules that do are given one here."""

    class Driven(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return loop.wall().astimezone(tz or UTC)

    modules: Any = (apscheduler.schedulers.base, apscheduler.executors.base)
    try:
        for module in modules:
            module.datetime = Driven
        yield
    finally:
        for module in modules:
            module.datetime = datetime


def new_life(number: int) -> Context:
    """A context whose tasks and timers belong to that life."""
    context = copy_context()
    context.run(LIFE.set, number)
    return context
