"""Questions to the ear: short audio is heard at once, long audio beside the event loop.

Who speaks for long makes nobody else wait. What is heard is the ear's business.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from monitor.sandbox.hearing.recogniser import Heard

QUICK_BYTES = 12 * 48_000  # twelve seconds are heard in some ten milliseconds
MOST_WAITING = 96 * 1024 * 1024  # bytes of audio that one connection may have waiting
Then = Callable[[Heard], None]


class Hears(Protocol):
    """An ear."""

    def hear(self, chunks: Sequence[bytes]) -> Heard:
        """The words in *chunks*."""


class Asking(Protocol):
    """The connection of whoever asks."""

    def resume(self, step: Callable[[], None]) -> None:
        """Does *step* now, on behalf of work that went on elsewhere; never once the connection is closed."""

    def cut(self) -> None:
        """Ends the connection without a close frame."""


class RecognitionQueue:
    """Where one ear is asked: at once for audio of up to *quick* bytes, else on one of *threads*."""

    def __init__(self, ear: Hears, *, quick: int, threads: int) -> None:
        self._ear = ear
        self._quick = quick
        self._threads = ThreadPoolExecutor(threads, "ear")  # starts none before it is needed

    def at_once(self, chunks: tuple[bytes, ...]) -> Heard | None:
        """What is heard in *chunks*; None where that would take long."""
        is_quick = self._quick > 0 and sum(map(len, chunks)) <= self._quick
        return self._ear.hear(chunks) if is_quick else None

    def later(self, chunks: tuple[bytes, ...]) -> Future[Heard]:
        """What is heard in *chunks*, beside the event loop."""
        return self._threads.submit(self._ear.hear, chunks)

    def close(self) -> None:
        """Ends the work; what nobody waits for any more is dropped."""
        self._threads.shutdown(wait=True, cancel_futures=True)


class ConnectionQueue:
    """The questions of one connection; answers come in the order of the questions."""

    def __init__(self, desk: Callable[[], RecognitionQueue], line: Asking) -> None:
        self._desk = desk
        self._line = line
        self._waiting: deque[tuple[tuple[bytes, ...], Then]] = deque()
        self._bytes = 0

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still owed."""
        return bool(self._waiting)

    def ask(self, chunks: Sequence[bytes], then: Then) -> None:
        """Tells *then* what is heard in *chunks*: at once, or through `resume` where hearing takes long."""
        kept = tuple(chunks)
        heard = None if self._waiting else self._desk().at_once(kept)
        if heard is not None:
            then(heard)
            return
        self._waiting.append((kept, then))
        self._bytes += sum(map(len, kept))
        if self._bytes > MOST_WAITING:
            self._line.cut()
        elif len(self._waiting) == 1:
            self._begin()

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        work = self._desk().later(self._waiting[0][0])
        work.add_done_callback(lambda done: loop.call_soon_threadsafe(self._end, done))

    def _end(self, work: Future[Heard]) -> None:
        chunks, then = self._waiting.popleft()
        self._bytes -= sum(map(len, chunks))
        told: list[Heard] = []

        def tell() -> None:
            told.append(work.result())
            then(told[0])

        if not work.cancelled():
            self._line.resume(tell)
        if not told:  # nobody is there any more
            self._waiting.clear()
        elif self._waiting:
            self._begin()
