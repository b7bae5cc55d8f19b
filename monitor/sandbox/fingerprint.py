"""What a stretch of speech looks like whatever its level: the shape of its spectrum, frame by frame.

Only arithmetic on samples; which words belong to which frames is no business of this file.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RATE = 24_000
HOP = 480  # 20 ms
WINDOW = 1024
BANDS = 20
LOWEST_HZ, HIGHEST_HZ = 150.0, 3600.0  # telephone speech (8 kHz G.711) must still be recognised
QUIET = -12.0  # mean log energy of a frame below which there is nothing but rounding noise


def _filters() -> Floats:
    edges = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 2)
    bins = np.fft.rfftfreq(WINDOW, 1 / RATE)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bank = np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)
    return np.ascontiguousarray(bank[: int(np.nonzero(bank.any(axis=1))[0].max()) + 1])


_BANK = _filters()
_TAPER = np.hanning(WINDOW).astype(np.float32)


def log_energies(samples: Floats) -> Floats:
    """The log energy of each band, one row for each 20 ms of samples (24 kHz, full scale 1.0)."""
    padded = np.concatenate([np.zeros(WINDOW // 2, np.float32), samples, np.zeros(WINDOW // 2, np.float32)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP] * _TAPER
    spectrum = np.fft.rfft(frames, axis=1)[:, : len(_BANK)]
    power = spectrum.real**2 + spectrum.imag**2
    return np.log(power @ _BANK + np.float32(1e-7)).astype(np.float32, copy=False)


def shapes(energies: Floats, average: Floats) -> Floats:
    """Unit vectors that say how each frame differs from average speech; quiet frames are all zero.

    The level of the recording is taken out, so that any gain gives the same rows.
    """
    level = energies.mean(axis=-1, keepdims=True)
    rows: Floats = energies - level - average
    rows /= np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), np.float32(1e-6))
    rows[level[..., 0] < QUIET] = 0
    return rows


def average_shape(recordings: list[Floats]) -> Floats:
    """The mean spectrum of the louder frames of *recordings* (log energies), without its level."""
    frames = np.concatenate(recordings)
    level = frames.mean(axis=1)
    mean = frames[level > np.percentile(level, 40)].mean(axis=0)
    centred: Floats = mean - mean.mean()
    return centred
