"""The running sandbox: what it serves, what it hears, which faults are in force."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from monitor import clips
from monitor.sandbox.evidence import EvidenceHeaders
from monitor.sandbox.faults import Fault, Faults
from monitor.sandbox.hearing import Ear, Heard, Reference, shipped_ear
from monitor.sandbox.identifiers import Identifiers
from monitor.sandbox.script import Script
from monitor.sandbox.secret_store import SecretStore
from monitor.sandbox.transcripts import altered

if TYPE_CHECKING:
    from monitor.sandbox.whispering import WhisperEar


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
        self.evidence = EvidenceHeaders(clock, self.ids)
        self._before: tuple[str, ...] = ()
        self.secrets = SecretStore(clock, self.ids)
        hosts = {name: frozenset(endpoint.hosts) for name, endpoint in script.endpoints.items()}
        names = {name: endpoint.names for name, endpoint in script.endpoints.items()}
        self.faults = Faults(clock, hosts, names)
        for fault in script.faults:
            self.faults.add(fault)

    def listen(
        self,
        chunks: Sequence[bytes],
        then: Callable[[Heard], None],
        resume: Callable[[Callable[[], None]], None],
    ) -> None:
        """Tells *then* what is heard in *chunks*: at once, or through *resume* where hearing takes long.

        Answers come in the order of the questions.
        """
        ear = self.ear
        if isinstance(ear, Ear):
            then(ear.hear(chunks))
            return
        loop, kept = asyncio.get_running_loop(), tuple(chunks)
        work = self._thread.submit(ear.hear, kept)
        work.add_done_callback(lambda done: loop.call_soon_threadsafe(resume, lambda: then(done.result())))

    def answer(self, words: tuple[str, ...], fault: Fault | None, prompt: str = "") -> tuple[str, ...]:
        """The words to answer with; what was heard is kept for a fault that shows it the next time."""
        before, self._before = self._before, words or self._before
        return altered(words, fault, prompt=prompt, before=before)

    async def hear(self, chunks: Sequence[bytes]) -> Heard:
        """What is heard in *chunks*."""
        ear = self.ear
        if isinstance(ear, Ear):
            return ear.hear(chunks)
        return await asyncio.get_running_loop().run_in_executor(self._thread, ear.hear, tuple(chunks))

    def close(self) -> None:
        """Ends the work that goes on beside the event loop; what nobody waits for any more is dropped."""
        if "_thread" in self.__dict__:
            self._thread.shutdown(wait=True, cancel_futures=True)

    @cached_property
    def _thread(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, "whisper")

    @cached_property
    def ear(self) -> Ear | WhisperEar:
        """Knows the shipped recordings and those the script names; any speech where it names a model.

        Raises ConfigurationError where that model cannot be had.
        """
        if self.script.whisper is not None:
            from monitor.sandbox.whispering import WhisperEar  # noqa: PLC0415  seldom asked for

            return WhisperEar(self.script.whisper)
        if not self.script.clips:
            return shipped_ear()
        known = [clips.load_clip(name) for name in (*clips.names(), *self.script.clips)]
        return Ear([Reference(name=clip.name, text=clip.text, pcm=clip.pcm) for clip in known])
