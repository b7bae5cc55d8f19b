"""Who asks the ear is answered in order, and nobody waits for the long audio of another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

from monitor.sandbox.hearing.queue import MOST_WAITING, QUICK_BYTES, ConnectionQueue, RecognitionQueue
from monitor.sandbox.hearing.recogniser import Heard

LONG = b"l" * (QUICK_BYTES + 1)


class GatedEar:
    """Hears the first letter; long audio only once the gate is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.threads: set[str] = set()

    def hear(self, chunks: Sequence[bytes]) -> Heard:
        if sum(map(len, chunks)) > QUICK_BYTES:
            self.gate.wait(10)
        self.threads.add(threading.current_thread().name)
        return Heard(words=(chunks[0][:1].decode(),))


class Peer:
    """A connection that may be closed; *turned* is set once it was given so many answers."""

    def __init__(self, answers: int = 1) -> None:
        self.is_open = True
        self.turned = asyncio.Event()
        self._left = answers

    def resume(self, step: Callable[[], None]) -> None:
        if self.is_open:
            step()
        self._left -= 1
        if self._left == 0:
            self.turned.set()

    def cut(self) -> None:
        self.is_open = False


async def test_long_audio_of_one_makes_no_other_wait() -> None:
    """While one connection's long audio is being heard, short audio of another is answered at once."""
    ear, told = GatedEar(), list[str]()
    desk = RecognitionQueue(ear, quick=QUICK_BYTES, threads=1)
    peer = Peer()
    slow, quick = ConnectionQueue(lambda: desk, peer), ConnectionQueue(lambda: desk, Peer())
    slow.ask([LONG], lambda heard: told.append(heard.text))
    assert slow.is_busy
    quick.ask([b"q"], lambda heard: told.append(heard.text))
    assert told == ["q"]
    ear.gate.set()
    await asyncio.wait_for(peer.turned.wait(), 5)
    assert told == ["q", "l"]
    desk.close()


async def test_answers_keep_the_order_of_the_questions() -> None:
    """Short audio asked for after long audio of the same connection is answered after it."""
    ear, told = GatedEar(), list[str]()
    desk, peer = RecognitionQueue(ear, quick=QUICK_BYTES, threads=2), Peer(answers=5)
    listener = ConnectionQueue(lambda: desk, peer)
    for chunk in (LONG, b"a", b"b", LONG, b"c"):
        listener.ask([chunk], lambda heard: told.append(heard.text))
    assert told == []
    ear.gate.set()
    await asyncio.wait_for(peer.turned.wait(), 5)
    assert told == ["l", "a", "b", "l", "c"]
    desk.close()


async def test_nobody_listens_on_behalf_of_who_has_gone() -> None:
    """What a closed connection still had waiting is dropped after the piece in work."""
    ear, told = GatedEar(), list[str]()
    desk, peer = RecognitionQueue(ear, quick=QUICK_BYTES, threads=1), Peer()
    listener = ConnectionQueue(lambda: desk, peer)
    for chunk in (LONG, b"a", b"b"):
        listener.ask([chunk], lambda heard: told.append(heard.text))
    peer.is_open = False
    ear.gate.set()
    await asyncio.wait_for(peer.turned.wait(), 5)
    assert (told, listener.is_busy) == ([], False)
    desk.close()


async def test_who_asks_without_end_is_cut_off() -> None:
    """The audio that one connection has waiting is bounded."""
    ear, peer = GatedEar(), Peer()
    desk = RecognitionQueue(ear, quick=QUICK_BYTES, threads=1)
    listener, piece = ConnectionQueue(lambda: desk, peer), bytes(MOST_WAITING // 4)
    for _ in range(4):
        listener.ask([piece], lambda _heard: None)
    was_open = peer.is_open
    listener.ask([b"x"], lambda _heard: None)
    assert (was_open, peer.is_open) == (True, False)
    ear.gate.set()
    await asyncio.wait_for(peer.turned.wait(), 5)
    desk.close()
