"""Identifiers in the form the real services use, drawn from a clock and a generator that are handed in."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

_ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits
_LENGTH = 21  # `event_`, `item_`, `sess_` … are followed by 21 of [A-Za-z0-9]


class Identifiers:
    """Draws identifiers; their first letters grow with the clock, as those of the live services do."""

    def __init__(self, clock: Callable[[], datetime], rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self._second = -1
        self._prefix = ""

    def draw(self, kind: str) -> str:
        """A new identifier such as ``item_`` and 21 letters."""
        second = int(self._clock().timestamp())
        if second != self._second:
            self._second, self._prefix = second, _letters(second)
        return f"{kind}_{self._prefix}{''.join(self._rng.choices(_ALPHABET, k=_LENGTH - len(self._prefix)))}"

    def uuid(self) -> str:
        """A random UUID, as Azure's request identifiers are."""
        return str(UUID(int=self._rng.getrandbits(128), version=4))

    def hexadecimal(self, digits: int) -> str:
        """So many random hexadecimal digits."""
        return f"{self._rng.getrandbits(4 * digits):0{digits}x}"

    def padding(self) -> str:
        """The random letters by which `obfuscation` hides the length of a delta."""
        return "".join(self._rng.choices(_ALPHABET, k=self._rng.randint(4, 16)))


def _letters(number: int) -> str:
    letters = ""
    while number > 0:
        number, rest = divmod(number, len(_ALPHABET))
        letters = _ALPHABET[rest] + letters
    return letters
