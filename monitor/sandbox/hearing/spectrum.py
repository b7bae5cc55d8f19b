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
_BLOCK = 32  # frames whose spectra stay in the processor's cache
_ONE_THREAD = 200_000  # OpenBLAS uses one thread up to 262,144 multiplications
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
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    blocks = [_block_energies(frames[at : at + _BLOCK]) for at in range(0, len(frames), _BLOCK)]
    return np.concatenate(blocks)


def _block_energies(frames: Floats) -> Floats:
    spectrum = np.fft.rfft(frames * _TAPER, axis=1)[:, : len(_BANK)]
    power: Floats = np.square(spectrum.real) + np.square(spectrum.imag)
    energies: Floats = np.log(product(power, _BANK) + np.float32(1e-7))
    return energies


def product(left: Floats, right: Floats) -> Floats:
    """The matrix product, worked out in blocks of rows.

    OpenBLAS hands larger products to all cores at once, and on a busy machine its threads then spend
    ten times the work on waiting for each other.
    """
    rows = max(1, _ONE_THREAD // right.size)
    blocks = [left[at : at + rows] @ right for at in range(0, len(left), rows)]
    return np.concatenate(blocks) if blocks else np.zeros((0, right.shape[1]), np.float32)


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
