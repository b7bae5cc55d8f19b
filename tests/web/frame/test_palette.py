"""The colours of the states stay apart for every kind of sight, in the light and in the dark."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from monitor.resources import data_folder

STATES = ("up", "degraded", "down", "paused")
LEAST = 32  # CIE76; the usual green, yellow and red reach 22
Colour = npt.NDArray[np.float64]

# Full colour blindness, from Machado, Oliveira and Fernandes (2009), for linear RGB.
SIGHTS: dict[str, Colour] = {
    "normal": np.eye(3),
    "red-blind": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "green-blind": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "blue-blind": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])


def linear(colour: str) -> Colour:
    parts = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.asarray(np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4))


def lab(colour: Colour) -> Colour:
    xyz = TO_XYZ @ np.clip(colour, 0, 1) / WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def palettes() -> dict[str, list[str]]:
    """The colours of the four states as the style sheet names them, first for light, then for dark."""
    css = (data_folder("static") / "site.css").read_text()
    light, dark = zip(*(re.findall(rf"--{state}: (#[0-9a-f]{{6}});", css) for state in STATES), strict=True)
    return {"light": list(light), "dark": list(dark)}


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_any_two_states_can_be_told_apart(scheme: str, sight: str) -> None:
    """The least difference between two states is at least 32."""
    seen = [lab(SIGHTS[sight] @ linear(colour)) for colour in palettes()[scheme]]
    assert min(float(np.linalg.norm(one - two)) for one, two in combinations(seen, 2)) >= LEAST - 0.5
