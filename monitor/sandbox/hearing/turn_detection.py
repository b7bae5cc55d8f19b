"""The audio a session has received, and where in it somebody speaks.

Positions are milliseconds since the first sample of the session. Nothing here is sent or recognised.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from monitor.sandbox.hearing.audio import BYTES_PER_MS

FRAME_MS = 20
_FRAME_BYTES = FRAME_MS * BYTES_PER_MS
_SPEECH_MS = 40  # shorter noises are no speech
_EAGERNESS_MS = {"low": 1600, "medium": 800, "high": 400, "auto": 800}


class Turn(NamedTuple):
    """Speech has begun or ended at a position."""

    event: Literal["started", "stopped"]
    at_ms: int
    begun_ms: int  # where the speech began, with the padding before the first sound


class AudioBuffer:
    """The audio since the last commit, in the pieces in which it came."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._base = 0  # bytes of the session before the first chunk

    def append(self, pcm: bytes) -> None:
        """Adds 24 kHz samples."""
        self._chunks.append(pcm)
        self._size += len(pcm)

    @property
    def milliseconds(self) -> float:
        """How much audio waits for a commit."""
        return self._size / BYTES_PER_MS

    @property
    def chunks(self) -> tuple[bytes, ...]:
        """The waiting audio."""
        return tuple(self._chunks)

    def take(self) -> tuple[bytes, ...]:
        """Hands over all waiting audio and forgets it."""
        taken, self._chunks = tuple(self._chunks), deque()
        self._base, self._size = self._base + self._size, 0
        return taken

    def keep(self, milliseconds: int) -> None:
        """Forgets all but the newest audio."""
        while self._chunks and self._size - len(self._chunks[0]) >= milliseconds * BYTES_PER_MS:
            oldest = len(self._chunks.popleft())
            self._base, self._size = self._base + oldest, self._size - oldest

    def take_span(self, begin_ms: int, end_ms: int) -> tuple[bytes, ...]:
        """Hands over the audio between two positions; what is older is dropped, what is newer waits on."""
        whole = b"".join(self._chunks)
        begin = max(0, begin_ms * BYTES_PER_MS - self._base)
        end = max(begin, end_ms * BYTES_PER_MS - self._base)
        taken, rest = whole[begin:end], whole[end:]
        self._chunks = deque([rest] if rest else [])
        self._base, self._size = self._base + len(whole) - len(rest), len(rest)
        return (taken,)


class TurnDetector:
    """Energy-based detection of speech, with the settings of `turn_detection`."""

    def __init__(self, settings: Mapping[str, Any], *, heard_ms: int = 0) -> None:
        threshold = float(settings.get("threshold", 0.5))
        self._loud = 32768 * 10 ** ((30 * threshold - 55) / 20)  # 0.5 is -40 dB below full scale
        eagerness = _EAGERNESS_MS[str(settings.get("eagerness", "auto"))]
        self._silence_ms = int(settings.get("silence_duration_ms", eagerness))
        self._padding_ms = int(settings.get("prefix_padding_ms", 300))
        self._rest = b""
        self._now_ms = heard_ms
        self._begun_ms = heard_ms
        self._loud_ms = 0
        self._quiet_ms = 0
        self._speaking_since: int | None = None

    def feed(self, pcm: bytes) -> list[Turn]:
        """The turns that begin or end in *pcm*."""
        data = self._rest + pcm
        whole = len(data) // _FRAME_BYTES * _FRAME_BYTES
        self._rest = data[whole:]
        if not whole:
            return []
        frames = np.frombuffer(data[:whole], "<i2").reshape(-1, _FRAME_BYTES // 2).astype(np.float32)
        loud = np.sqrt(np.einsum("ij,ij->i", frames, frames) / frames.shape[1]) > self._loud
        return [turn for is_loud in loud.tolist() if (turn := self._step(is_loud=is_loud))]

    def _step(self, *, is_loud: bool) -> Turn | None:
        self._now_ms += FRAME_MS
        self._loud_ms = self._loud_ms + FRAME_MS if is_loud else 0
        self._quiet_ms = 0 if is_loud else self._quiet_ms + FRAME_MS
        if self._speaking_since is None and self._loud_ms >= _SPEECH_MS:
            self._speaking_since = max(self._begun_ms, self._now_ms - self._loud_ms - self._padding_ms)
            return Turn("started", self._speaking_since, self._speaking_since)
        if self._speaking_since is not None and self._quiet_ms >= max(FRAME_MS, self._silence_ms):
            return Turn("stopped", self._now_ms, self.restart())
        return None

    @property
    def is_speaking(self) -> bool:
        """Whether a turn is in progress."""
        return self._speaking_since is not None

    def restart(self) -> int:
        """Forgets the turn in progress, as after a commit; returns where it began."""
        begin = self._speaking_since or 0
        self._speaking_since, self._begun_ms = None, self._now_ms
        return begin
