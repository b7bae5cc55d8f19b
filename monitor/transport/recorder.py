"""The recording of one run while it lasts: as cheap as can be, made into evidence afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitor.core.conversation import Headers
from monitor.core.model import Stage
from monitor.transport.limits import Limits
from monitor.transport.scrub import Scrubber

CORRELATION = frozenset({"x-client-request-id", "x-ms-client-request-id", "x-connectionid"})


@dataclass(slots=True)
class RecordedFrame:
    """One frame, or a stretch of audio frames; times in seconds since the start of the run."""

    at: float
    direction: str  # out | in
    kind: str  # text | binary | audio | http
    size: int
    body: str = ""
    type: str | None = None
    truncated: bool = False
    frames: int = 1
    until: float = 0.0

    def add(self, at: float, size: int) -> None:
        """One more audio frame, written at *at*."""
        if not self.frames:
            self.at = at
        self.frames += 1
        self.size += size
        self.until = at


@dataclass(slots=True)
class Recorder:
    """What a run has seen so far; `now` is the event loop's clock, `zero` its reading at the start."""

    now: Callable[[], float]
    zero: float
    limits: Limits
    scrub: Scrubber = field(default_factory=Scrubber)
    stage: Stage = Stage.RESOLVE
    steps: list[tuple[Stage, float]] = field(default_factory=list)
    entries: list[RecordedFrame] = field(default_factory=list)
    urls: list[tuple[str, str]] = field(default_factory=list)  # method, URL
    request_headers: Headers = ()
    credential: str | None = None
    response_status: int | None = None
    response_headers: Sequence[tuple[str, str]] = ()
    peer: str | None = None
    tls: str | None = None
    connected: float | None = None
    close: dict[str, Any] | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    notes: list[str] = field(default_factory=list)
    proxy: str | None = None  # this run's own: "none", a reference or a URL
    minted: str | None = None  # a secret that the peer made in this run
    started: float = 0.0  # seconds since the epoch at the start of the run

    def at(self) -> float:
        """Seconds since the start of the run."""
        return self.now() - self.zero

    def enter(self, stage: Stage) -> None:
        """The run is in *stage* from now on."""
        self.stage = stage
        self.steps.append((stage, self.at()))

    def request(self, method: str, url: str, headers: Headers, credential: str | None) -> None:
        """What is about to be asked for; the value of the credential is not taken."""
        self.urls.append((method, url))
        self.request_headers = headers
        self.credential = credential

    def response(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """The head of the answer, scrubbed."""
        self.response_status = status
        self.response_headers = headers

    def text(self, at: float, direction: str, text: str, size: int) -> None:
        """A text frame of *size* bytes; of a long one the beginning is kept."""
        if len(text) > self.limits.body:
            entry = RecordedFrame(at, direction, "text", size, text[: self.limits.body], truncated=True)
        else:
            entry = RecordedFrame(at, direction, "text", size, text)
        self.entries.append(entry)

    def binary(self, at: float, direction: str, data: bytes) -> None:
        """A binary frame, kept as hexadecimal digits."""
        kept = data[: self.limits.body // 2]
        cut = len(kept) < len(data)
        self.entries.append(RecordedFrame(at, direction, "binary", len(data), kept.hex(), truncated=cut))

    def audio(self) -> RecordedFrame:
        """The entry that all audio frames of one sending go into."""
        now = self.at()
        entry = RecordedFrame(now, "out", "audio", 0, frames=0, until=now)
        self.entries.append(entry)
        return entry

    def http(self, direction: str, kind: str, size: int, body: str) -> None:
        """A whole HTTP body; *kind* is the method or the status."""
        kept = body[: self.limits.body]
        self.entries.append(
            RecordedFrame(self.at(), direction, "http", size, kept, kind, truncated=len(kept) < len(body))
        )
