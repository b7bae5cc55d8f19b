"""The queue between runs and the store: one commit for many, nothing lost while the database is away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from structlog.testing import capture_logs

from monitor.core.errors import DatabaseBusy
from monitor.pipeline.writer import MOST_AT_ONCE, BatchWriter
from tests.support.fakes import FakeClock
from tests.support.scripted_transport import until


class Store:
    """Takes batches on the recorder's thread; away while it is told so, held while the gate is closed."""

    def __init__(self) -> None:
        self.batches: list[Sequence[int]] = []
        self.done: list[int] = []
        self.attempts = 0
        self.away = False
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, batch: Sequence[int]) -> int:
        assert threading.current_thread().name.startswith("store")
        self.gate.wait(10)
        self.attempts += 1
        if self.away:
            raise DatabaseBusy("database x is locked by another process: stop it, or try again")
        self.batches.append(list(batch))
        return len(batch)

    @property
    def stored(self) -> list[int]:
        """Every item in the order of its commit."""
        return [item for batch in self.batches for item in batch]


@asynccontextmanager
async def recording(
    store: Store, *, buffer: int = 20_000, clock: FakeClock | None = None, grace_s: float = 0.0
) -> AsyncIterator[BatchWriter[int, int]]:
    """A recorder that is closed, and has ended, after the block."""
    recorder: BatchWriter[int, int] = BatchWriter(
        store,
        store.done.append,
        clock=clock or FakeClock(),
        buffer=buffer,
        patience_s=0.0,
        grace_s=grace_s,
    )
    task = asyncio.create_task(recorder.run())
    try:
        yield recorder
    finally:
        store.gate.set()
        recorder.close()
        await task


async def test_what_finishes_together_shares_a_commit() -> None:
    """While one commit is under way the rest gathers, and goes in one batch, in order."""
    store = Store()
    store.gate.clear()
    async with recording(store) as recorder:
        recorder.put(0)
        await until(lambda: not recorder.backlog().waiting)
        for item in range(1, 50):
            recorder.put(item)
        store.gate.set()
        await until(lambda: len(store.done) == 2)
    assert store.batches == [[0], list(range(1, 50))]
    assert store.done == [1, 49]


async def test_a_batch_is_bounded() -> None:
    """However much waits, a transaction stays short."""
    store = Store()
    async with recording(store) as recorder:
        for item in range(2 * MOST_AT_ONCE + 1):
            recorder.put(item)
        await until(lambda: sum(store.done) == 2 * MOST_AT_ONCE + 1)
    assert [len(batch) for batch in store.batches] == [MOST_AT_ONCE, MOST_AT_ONCE, 1]


async def test_while_the_database_is_away_everything_waits_in_order() -> None:
    """A failed batch is put back before what came later; once it is back all is stored, once each."""
    store = Store()
    store.away = True
    async with recording(store) as recorder:
        for item in range(5):
            recorder.put(item)
        await until(lambda: store.attempts >= 2)
        recorder.put(5)
        assert recorder.backlog().failing_since is not None
        assert store.stored == []
        store.away = False
        await until(lambda: len(store.stored) == 6)
        await until(lambda: recorder.backlog().failing_since is None)
    assert store.stored == list(range(6))


async def test_a_full_buffer_drops_the_oldest_and_counts_it() -> None:
    """Memory is bounded, and what was lost is said."""
    store = Store()
    store.gate.clear()
    async with recording(store, buffer=10) as recorder:
        recorder.put(-1)
        await until(lambda: not recorder.backlog().waiting)
        for item in range(14):
            recorder.put(item)
        assert recorder.backlog().waiting == 10
        assert recorder.backlog().dropped == 4
        store.gate.set()
        await until(lambda: len(store.stored) == 11)
    assert store.stored == [-1, *range(4, 14)]


async def test_nothing_is_dropped_to_make_room_for_what_is_minor() -> None:
    """However many skips wait while the database is away, every outcome is stored, and first."""
    store = Store()
    store.away = True
    async with recording(store, buffer=10) as recorder:
        for item in range(10):
            recorder.put(item)
        for item in range(100, 150):
            recorder.put(item, minor=True)
        await until(lambda: store.attempts >= 2)
        assert recorder.backlog().dropped == 40
        store.away = False
        await until(lambda: len(store.stored) == 20)
    assert store.stored == [*range(10), *range(140, 150)]


async def test_a_failed_batch_never_makes_the_buffer_outgrow_its_bound() -> None:
    """What comes back from a failed commit counts against the bound too; the oldest goes first."""
    store = Store()
    store.away = True
    store.gate.clear()
    async with recording(store, buffer=10) as recorder:
        for item in range(10):
            recorder.put(item)
        await until(lambda: not recorder.backlog().waiting)
        for item in range(10, 20):
            recorder.put(item)
        store.gate.set()
        await until(lambda: store.attempts >= 2)
        assert recorder.backlog().waiting <= 10
        store.away = False
        await until(lambda: store.stored)
    assert store.stored == list(range(10, 20))
    assert recorder.backlog().dropped == 10


async def test_a_turn_without_items_stores_an_empty_batch() -> None:
    """What only time brings is looked at even where nothing is measured."""
    store = Store()
    async with recording(store) as recorder:
        recorder.turn()
        await until(lambda: store.done)
    assert store.batches[0] == []


async def test_closing_stores_what_is_left() -> None:
    """A stop loses nothing that was measured."""
    store = Store()
    store.gate.clear()
    async with recording(store) as recorder:
        for item in range(3):
            recorder.put(item)
    assert store.stored == [0, 1, 2]


async def test_closing_with_the_database_away_ends_all_the_same() -> None:
    """A stop does not hang on a database that does not come back."""
    store = Store()
    store.away = True
    async with recording(store) as recorder:
        recorder.put(1)
    assert store.attempts >= 1
    assert recorder.backlog().waiting == 1


async def test_what_cannot_be_stored_before_the_end_is_handed_back() -> None:
    """In order, so that it can be kept elsewhere."""
    store = Store()
    left: list[int] = []
    store.away = True
    recorder: BatchWriter[int, int] = BatchWriter(
        store, store.done.append, clock=FakeClock(), patience_s=0, grace_s=0, left=left.extend
    )
    recorder.put(1)
    recorder.put(2)
    recorder.close()
    await recorder.run()
    assert left == [1, 2]


async def test_a_stop_waits_a_while_for_a_database_that_is_away() -> None:
    """What is locked for a moment, as by a backup, costs no outcome."""
    store = Store()
    store.away = True
    async with recording(store, grace_s=60.0) as recorder:
        recorder.put(1)
        await until(lambda: store.attempts)
        recorder.close()
        tried = store.attempts
        await until(lambda: store.attempts >= tried + 2)
        store.away = False
    assert store.stored == [1]


async def test_trouble_is_told_at_once_and_every_minute() -> None:
    """With what waits and what is lost; a long one does not fill the log, its end is told."""
    store, clock = Store(), FakeClock()
    store.away = True
    with capture_logs() as said:
        async with recording(store, buffer=3, clock=clock) as recorder:
            for item in range(5):
                recorder.put(item)
            await until(lambda: store.attempts >= 3)
            clock.advance(seconds=60)
            tried = store.attempts
            await until(lambda: store.attempts >= tried + 3)
            store.away = False
            await until(lambda: store.stored)
    told = [(line["event"], line.get("waiting"), line["dropped"]) for line in said]
    assert told == [
        ("outcomes cannot be stored, they wait", 3, 2),
        ("outcomes cannot be stored, they wait", 3, 2),
        ("outcomes are stored again", None, 2),
    ]


class Picky(Store):
    """Refuses every batch that holds one of these items, as a database refuses a row."""

    def __init__(self, *poisoned: int) -> None:
        super().__init__()
        self.poisoned = set(poisoned)

    def __call__(self, batch: Sequence[int]) -> int:
        if bad := self.poisoned & set(batch):
            self.attempts += 1
            raise ValueError(f"{bad} cannot be stored")
        return super().__call__(batch)


async def test_a_poisoned_item_is_set_aside_and_the_rest_is_stored_in_order() -> None:
    """Whatever the error, the recorder goes on: what cannot be stored is handed back by itself."""
    store = Picky(3, 7, 100)
    refused: list[tuple[int, str]] = []
    store.gate.clear()
    recorder: BatchWriter[int, int] = BatchWriter(
        store,
        store.done.append,
        clock=FakeClock(),
        patience_s=0.0,
        grace_s=0.0,
        refused=lambda item, error: refused.append((item, type(error).__name__)),
    )
    with capture_logs() as logs:
        task = asyncio.create_task(recorder.run())
        for item in range(10):
            recorder.put(item)
        recorder.put(100, minor=True)
        store.gate.set()
        recorder.close()
        await task
    assert refused == [(3, "ValueError"), (7, "ValueError"), (100, "ValueError")]
    assert store.stored == [0, 1, 2, 4, 5, 6, 8, 9]
    assert [entry["log_level"] for entry in logs] == ["error"] * 3


async def test_a_database_that_goes_away_while_a_batch_is_taken_apart_loses_nothing() -> None:
    """What of the batch is not stored yet waits, once each and in order."""
    store = Picky(0)
    first = True

    def away_after_the_first(batch: Sequence[int]) -> int:
        nonlocal first
        if 0 not in batch and first:
            first = False
            raise DatabaseBusy("database x is locked by another process: stop it, or try again")
        return store(batch)

    recorder: BatchWriter[int, int] = BatchWriter(
        away_after_the_first, store.done.append, clock=FakeClock(), patience_s=0.0, grace_s=5.0
    )
    for item in range(4):
        recorder.put(item)
    recorder.close()
    await recorder.run()
    assert store.stored == [1, 2, 3]
