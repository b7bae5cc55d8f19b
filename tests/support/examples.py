"""How many examples a property is shown: all of them, or a fifth where a quick answer is wanted."""

from __future__ import annotations

import os

QUICK = os.environ.get("HYPOTHESIS_PROFILE") == "quick"


def examples(number: int) -> int:
    """Return the number of examples to try of *number*."""
    return max(10, number // 5) if QUICK else number
