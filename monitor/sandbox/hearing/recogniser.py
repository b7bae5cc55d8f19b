"""What the sandbox hears: the words of the known recordings that are found in the samples it received.

It is told nothing about the audio but the audio. It knows no session, no model and no fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.sandbox.hearing.spectrum import HOP, RATE, Floats, average_shape, log_energies, product, shapes

SIMILAR = 0.6  # cosine above which two frames speak for the same sound
ENOUGH = 8.0  # score of half a second of matching speech; other speech and noise stay below 5.5
ACTIVE_BELOW_PEAK = 6.5  # natural-log units (28 dB): frames of a recording that carry speech
PHASES = 4  # a recording may begin anywhere inside a frame
KEPT = 128
KEPT_BYTES = 20 * 48_000  # longer recordings are heard anew each time
_BLOCK = 2048  # rows whose similarities are in memory at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A recording that can be recognised, 24 kHz mono samples as signed 16-bit little-endian bytes."""

    name: str
    text: str
    pcm: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What was recognised in a piece of audio."""

    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """The words as one line; empty when nothing known was heard."""
        return " ".join(self.words)


class _Learned(NamedTuple):
    shapes: Floats  # phase, frame, band
    active: Floats
    words: tuple[str, ...]
    middles: NDArray[np.float64]  # the frame in the middle of each word


class _Match(NamedTuple):
    score: float
    begin: int  # received frames, end exclusive
    end: int
    learned: _Learned
    lag: int  # received frame less recorded frame


class Recogniser:
    """Recognises a fixed set of recordings; answers are kept, since a monitor sends the same clip all day."""

    def __init__(self, references: Sequence[Reference]) -> None:
        energies = [_phases(_samples(reference.pcm)) for reference in references]
        self._average = average_shape([phases[0] for phases in energies])
        self._learned = [
            _learn(reference.text, phases, self._average)
            for reference, phases in zip(references, energies, strict=True)
        ]
        self._recall = lru_cache(maxsize=KEPT)(self._recognise)

    def hear(self, chunks: Sequence[bytes]) -> Heard:
        """The words in *chunks*: 24 kHz mono signed 16-bit little-endian, in order, cut anywhere."""
        kept = tuple(chunks)
        return self._recall(kept) if sum(map(len, kept)) <= KEPT_BYTES else self._recognise(kept)

    def _recognise(self, chunks: tuple[bytes, ...]) -> Heard:
        rows = shapes(log_energies(_samples(b"".join(chunks))), self._average)
        found = sorted(self._matches(rows), key=lambda match: match.begin)
        return Heard(words=tuple(word for match in found for word in _words(match)))

    def _matches(self, rows: Floats) -> Iterator[_Match]:
        free: NDArray[np.bool_] = np.any(rows != 0, axis=1)
        searches = [_Search(rows, free, learned) for learned in self._learned]
        while free.sum() * (1 - SIMILAR) >= ENOUGH:
            best = max((search.best() for search in searches), key=_score)
            if best.score < ENOUGH:
                return
            yield best
            begin, end = _extent(best)
            if (free.sum() - free[begin:end].sum()) * (1 - SIMILAR) < ENOUGH:
                return
            for search in searches:
                search.leave_out(begin, end)
            free[begin:end] = False


class _Search:
    """Looks for one recording in what was received; *free* says which rows are still to be explained.

    The work grows with the rows alone, however often the recording is found: only what a match takes away is
    reckoned again.
    """

    def __init__(self, rows: Floats, free: NDArray[np.bool_], learned: _Learned) -> None:
        self._rows = rows
        self._free = free
        self._learned = learned
        self._sums = np.zeros(len(rows) + learned.shapes.shape[1] - 1, np.float32)
        self._add(0, len(rows), 1)

    def _add(self, begin: int, end: int, sign: int) -> None:
        columns = self._learned.shapes.shape[1]
        for first in range(begin, end, _BLOCK):
            last = min(end, first + _BLOCK)
            similarity = product(self._rows[first:last], self._learned.shapes[0].T)
            evidence = _evidence(similarity, self._free[first:last], self._learned.active)
            self._sums[first : last + columns - 1] += sign * _diagonal_sums(np.maximum(evidence, 0))

    def leave_out(self, begin: int, end: int) -> None:
        """Forgets the rows of a match, which must still be free."""
        self._add(begin, min(end, len(self._rows)), -1)

    def best(self) -> _Match:
        """The stretch longest in step with the recording, found coarsely and then to a quarter frame."""
        columns = self._learned.shapes.shape[1]
        lags = (int(at) - columns + 1 for at in _two_largest(self._sums))
        return max(
            (
                _along(self._rows, self._free, self._learned, phase, lag)
                for lag in lags
                for phase in range(PHASES)
            ),
            key=_score,
        )


def _two_largest(sums: Floats) -> NDArray[np.intp]:
    return np.argpartition(sums, -2)[-2:] if len(sums) > 2 else np.arange(len(sums))


def _extent(match: _Match) -> tuple[int, int]:
    """The received frames a match accounts for, the recording's own silence around its speech included."""
    spoken = np.nonzero(match.learned.active)[0]
    begin = match.lag if match.begin - match.lag <= spoken[0] else match.begin
    end = match.lag + len(match.learned.active) if match.end - match.lag > spoken[-1] else match.end
    return max(0, begin), end


def _score(match: _Match) -> float:
    return match.score


def _samples(pcm: bytes) -> Floats:
    whole = pcm[: len(pcm) // 2 * 2]
    return np.frombuffer(whole, "<i2").astype(np.float32) / np.float32(32768)


def _phases(samples: Floats) -> Floats:
    shifted = [log_energies(samples[phase * HOP // PHASES :]) for phase in range(PHASES)]
    frames = min(map(len, shifted))
    return np.stack([energies[:frames] for energies in shifted])


def _learn(text: str, phases: Floats, average: Floats) -> _Learned:
    level = phases[0].mean(axis=1)
    active = (level > np.percentile(level, 97) - ACTIVE_BELOW_PEAK).astype(np.float32)
    words = tuple(text.split())
    return _Learned(shapes(phases, average), active, words, _middles(words, active))


def _middles(words: tuple[str, ...], active: Floats) -> NDArray[np.float64]:
    """The middle of each word in frames: speech time shared out by the length of the words."""
    weights = np.array([sum(map(str.isalnum, word)) + 2 for word in words], dtype=np.float64)
    ends = np.cumsum(weights) / weights.sum()
    spoken = np.cumsum(active) / active.sum()
    middles: NDArray[np.float64] = np.interp(
        ends - weights / weights.sum() / 2, spoken, np.arange(len(active))
    )
    return middles


def _evidence(similarity: Floats, free: NDArray[np.bool_], active: Floats) -> Floats:
    evidence: Floats = (np.where(free[:, None], similarity, 0) - np.float32(SIMILAR)) * active
    return evidence


def _diagonal_sums(matrix: Floats) -> Floats:
    """The sum along each diagonal; a row and a column meet at index row - column + columns - 1."""
    rows, columns = matrix.shape
    skewed = np.zeros((columns, rows + columns), np.float32)
    skewed[:, :rows] = matrix.T[::-1]
    sums: Floats = (
        skewed.reshape(-1)[: columns * (rows + columns - 1)].reshape(columns, rows + columns - 1).sum(axis=0)
    )
    return sums


def _along(rows: Floats, free: NDArray[np.bool_], learned: _Learned, phase: int, lag: int) -> _Match:
    first, last = max(0, lag), min(len(rows), learned.shapes.shape[1] + lag)
    similarity = np.einsum("ib,ib->i", rows[first:last], learned.shapes[phase, first - lag : last - lag])
    evidence = (np.where(free[first:last], similarity, 0) - SIMILAR) * learned.active[
        first - lag : last - lag
    ]
    score, begin, end = _heaviest_run(evidence)
    return _Match(score, first + begin, first + end, learned, lag)


def _heaviest_run(evidence: NDArray[np.floating]) -> tuple[float, int, int]:
    """The contiguous stretch with the largest sum (Kadane): its sum, begin and end."""
    sums = np.concatenate([[0.0], np.cumsum(evidence)])
    gains = sums - np.minimum.accumulate(sums)
    end = int(gains.argmax())
    begin = int(sums[: end + 1].argmin())
    return float(gains[end]), begin, end


def _words(match: _Match) -> tuple[str, ...]:
    begin, end = match.begin - match.lag, match.end - match.lag
    middles = match.learned.middles
    return tuple(
        word for word, middle in zip(match.learned.words, middles, strict=True) if begin <= middle < end
    )


@lru_cache(maxsize=1)
def shipped_recogniser() -> Recogniser:
    """The ear that knows the recordings this project ships; taught once per process."""
    from monitor import clips  # noqa: PLC0415  reading the recordings is put off until somebody listens

    known: Mapping[str, clips.Clip] = {name: clips.load_clip(name) for name in clips.names()}
    return Recogniser([Reference(name=name, text=clip.text, pcm=clip.pcm) for name, clip in known.items()])


__all__ = ["RATE", "Heard", "Recogniser", "Reference", "shipped_recogniser"]
