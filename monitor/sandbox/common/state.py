"""The running sandbox: what it serves, what it hears, which faults are in force."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from monitor import clips
from monitor.sandbox.common.identifiers import Identifiers
from monitor.sandbox.common.script import Script
from monitor.sandbox.common.secret_store import SecretStore
from monitor.sandbox.common.trace_headers import TraceHeaders
from monitor.sandbox.common.transcripts import altered
from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.hearing.queue import QUICK_BYTES, Asking, ConnectionQueue, RecognitionQueue
from monitor.sandbox.hearing.recogniser import Heard, Recogniser, Reference, shipped_recogniser

if TYPE_CHECKING:
    from monitor.sandbox.hearing.whisper import WhisperRecogniser


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class Sandbox:
    """Everything the HTTP side and the sessions of one sandbox share."""

    def __init__(
        self,
        script: Script,
        *,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self.script = script
        self.clock = clock
        self.sleep = sleep
        self.ids = Identifiers(clock, rng or random.Random())
        self.evidence = TraceHeaders(clock, self.ids)
        self._before: tuple[str, ...] = ()
        self.secrets = SecretStore(clock, self.ids)
        self.faults = script.board(clock)
        for fault in script.faults:
            self.faults.add(fault)

    def listener(self, line: Asking) -> ConnectionQueue:
        """The way in which one connection asks what is heard."""
        return ConnectionQueue(lambda: self._desk, line)

    def answer(self, words: tuple[str, ...], fault: ActiveFault | None, prompt: str = "") -> tuple[str, ...]:
        """The words to answer with; what was heard is kept for a fault that shows it the next time."""
        before, self._before = self._before, words or self._before
        return altered(words, fault, prompt=prompt, before=before)

    async def hear(self, chunks: Sequence[bytes]) -> Heard:
        """What is heard in *chunks*."""
        kept = tuple(chunks)
        heard = self._desk.at_once(kept)
        return heard if heard is not None else await asyncio.wrap_future(self._desk.later(kept))

    def close(self) -> None:
        """Ends the work that goes on beside the event loop; what nobody waits for any more is dropped."""
        if "_desk" in self.__dict__:
            self._desk.close()

    @cached_property
    def _desk(self) -> RecognitionQueue:
        ear = self.ear
        if isinstance(ear, Recogniser):
            return RecognitionQueue(ear, quick=QUICK_BYTES, threads=2)
        return RecognitionQueue(ear, quick=0, threads=1)

    @cached_property
    def ear(self) -> Recogniser | WhisperRecogniser:
        """Knows the shipped recordings and those the script names; any speech where it names a model.

        Raises ConfigurationError where that model cannot be had.
        """
        if self.script.whisper is not None:
            from monitor.sandbox.hearing.whisper import WhisperRecogniser  # noqa: PLC0415  seldom asked for

            return WhisperRecogniser(self.script.whisper)
        if not self.script.clips:
            return shipped_recogniser()
        known = [clips.load_clip(name) for name in (*clips.names(), *self.script.clips)]
        return Recogniser([Reference(name=clip.name, text=clip.text, pcm=clip.pcm) for clip in known])
