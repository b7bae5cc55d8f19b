"""Hours of runs in which everything occurs: outages, gaps, stretches that reached or measured nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any

from monitor.core.model import Blame, Failure, Outcome, Verdict
from tests.support.stored_outcomes import DAY, MINUTE, make

CELLS = (
    ("sweden", "realtime", "berlin", 1),
    ("sweden", "rest", "berlin", 1),
    ("openai", "rest", "berlin", 3),
    ("openai", "rest", "oslo", 1),
)
_TROUBLE: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "server": {"verdict": Verdict.FAILED},
    "slow": {"verdict": Verdict.DEGRADED},
    "unreachable": {"verdict": Verdict.FAILED, "failure": Failure.CONNECT, "blame": Blame.UNKNOWN},
    "unmeasured": {"verdict": Verdict.INCONCLUSIVE, "failure": Failure.MONITOR},
}


def random_runs(seed: int, minutes: int = 200) -> list[Outcome]:
    """The runs of four cells, one of them every three minutes, one of another location."""
    random = Random(seed)
    shared = _story(random, minutes)  # of the location: its network, its clock
    found: list[Outcome] = []
    for number, (endpoint, pathway, location, every) in enumerate(CELLS):
        own = _story(random, minutes)
        for minute in range(random.randrange(5), minutes, every):
            trouble = shared[minute] if location == "berlin" and shared[minute] != "none" else own[minute]
            if trouble == "off":
                continue
            changes = dict(_TROUBLE[trouble])
            verdict = changes.pop("verdict", Verdict.PASSED)
            found.append(
                make(
                    minute,
                    verdict,
                    id=f"{number}-{minute}",
                    endpoint=endpoint,
                    pathway=pathway,
                    location=location,
                    every_s=60.0 * every,
                    slot=DAY + minute * MINUTE + timedelta(seconds=7 * number),
                    timings_ms={"final": 100 + random.randrange(3000)},
                    **changes,
                )
            )
    return found


def _story(random: Random, minutes: int) -> list[str]:
    """What happened minute by minute: mostly nothing, and now and then something for a while."""
    kinds = ["none", "none", "none", *_TROUBLE, "off"]
    told: list[str] = []
    while len(told) < minutes:
        told += [random.choice(kinds)] * random.choice((1, 2, 3, 5, 9, 20))
    return told[:minutes]
