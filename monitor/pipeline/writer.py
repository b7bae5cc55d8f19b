"""Outcomes that finish together share a commit: the queue between runs and the one writing thread."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog

from monitor.core.errors import DatabaseError

log = structlog.get_logger("record")

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_AT_ONCE = 200
BUFFER = 20_000
PATIENCE_S = 2.0
GRACE_S = 10.0  # how long a stop goes on trying to store what is left
REMIND = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits to be stored, since when storing fails, and what had to be dropped."""

    waiting: int
    failing_since: datetime | None
    dropped: int
    reason: str | None = None


class BatchWriter(Generic[Item, Result]):
    """Takes items as they come and stores them in order, many per commit, on one worker thread.

    *store* is called in the thread with a batch (possibly empty: the turn of the clock) and returns
    what *done* is told on the loop. While the database is away the items wait, at most `BUFFER` of
    them; beyond that the oldest is dropped and counted, since the newest says what is true now. Minor
    items have a buffer of their own: no other is dropped for them. *left* is told what could not be stored
    when it is closed, *refused* each item that *store* cannot take (any error but DatabaseError), and why:
    the rest of its batch is stored.
    """

    def __init__(
        self,
        store: Callable[[Sequence[Item]], Result],
        done: Callable[[Result], None],
        *,
        clock: Callable[[], datetime],
        buffer: int = BUFFER,
        patience_s: float = PATIENCE_S,
        grace_s: float = GRACE_S,
        left: Callable[[Sequence[Item]], None] = lambda _items: None,
        refused: Callable[[Item, Exception], None] = lambda _item, _error: None,
    ) -> None:
        self._store, self._done, self._clock = store, done, clock
        self._buffer, self._patience_s, self._grace_s = buffer, patience_s, grace_s
        self._left, self._refused = left, refused
        self._waiting: deque[Item] = deque()
        self._minor: deque[Item] = deque()
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._failing_since: datetime | None = None
        self._reason: str | None = None
        self._told_at: datetime | None = None
        self._give_up_at = 0.0
        self._dropped = 0
        self._due = False
        self._closing = False

    def put(self, item: Item, *, minor: bool = False) -> None:
        """Hand over one item; returns at once. A *minor* one is stored after what else waits."""
        (self._minor if minor else self._waiting).append(item)
        self._drop_excess()
        self._wake.set()

    def turn(self) -> None:
        """Ask for a pass even without items, so that what only time changes is noticed."""
        self._due = True
        self._wake.set()

    def backlog(self) -> Backlog:
        """How storing is doing."""
        return Backlog(
            waiting=self._count(),
            failing_since=self._failing_since,
            dropped=self._dropped,
            reason=self._reason,
        )

    async def run(self) -> None:
        """Store until closed; then store what is left and return."""
        while not (self._closing and not self._count()):
            await self._wake.wait()
            self._wake.clear()
            while self._count() or self._due:
                if not await self._store_some():
                    if self._gives_up():
                        return
                    await asyncio.sleep(self._patience_s)

    def close(self) -> None:
        """Let `run` return once everything is stored, or could not be for a while."""
        self._closing = True
        self._give_up_at = asyncio.get_running_loop().time() + self._grace_s
        self._wake.set()

    def _gives_up(self) -> bool:
        if not self._closing or (self._count() and asyncio.get_running_loop().time() < self._give_up_at):
            return False
        if self._count():
            log.error("not everything could be stored before the end", left=self._count())
            self._left([*self._waiting, *self._minor])
        return True

    def _drop_excess(self) -> None:
        for queue in (self._waiting, self._minor):
            while len(queue) > self._buffer:
                queue.popleft()
                self._dropped += 1

    def _count(self) -> int:
        return len(self._waiting) + len(self._minor)

    async def _store_some(self) -> bool:
        self._due = False
        batch = [self._waiting.popleft() for _ in range(min(MOST_AT_ONCE, len(self._waiting)))]
        room = MOST_AT_ONCE - len(batch)
        minor = [self._minor.popleft() for _ in range(min(room, len(self._minor)))]
        # Halves of a batch that holds something that cannot be stored, the earlier ones first: [a b c d] is
        # tried as [a b], then [c d], and whichever of them fails as two single items.
        parts = [[*batch, *minor]]
        while parts:
            part = parts.pop()
            try:
                result = await self._attempt(part)
            except DatabaseError as error:
                left = {id(item) for each in (part, *parts) for item in each}
                self._waiting.extendleft(item for item in reversed(batch) if id(item) in left)
                self._minor.extendleft(item for item in reversed(minor) if id(item) in left)
                self._drop_excess()
                self._complain(error)
                return False
            except Exception as error:  # noqa: BLE001 - one item: the rest must be stored, whatever this one holds
                if len(part) > 1:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
                else:
                    self._set_aside(part, error)
            else:
                self._succeed(result)
        return True

    def _set_aside(self, part: Sequence[Item], error: Exception) -> None:
        log.error("something could not be stored and is set aside", items=len(part), exc_info=error)
        for item in part:
            self._refused(item, error)

    async def _attempt(self, part: Sequence[Item]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._store, part)

    def _succeed(self, result: Result) -> None:
        if self._failing_since is not None:
            since = self._failing_since.isoformat()
            log.info("outcomes are stored again", since=since, dropped=self._dropped)
            self._failing_since = self._told_at = self._reason = None
        self._done(result)

    def _complain(self, error: DatabaseError) -> None:
        """Say it at once, and again while it lasts: what waits, and what is lost already."""
        now = self._clock()
        self._failing_since = self._failing_since or now
        self._reason = str(error)
        if self._told_at is None or now - self._told_at >= REMIND:
            self._told_at = now
            log.warning(
                "outcomes cannot be stored, they wait",
                error=str(error),
                waiting=self._count(),
                dropped=self._dropped,
            )
