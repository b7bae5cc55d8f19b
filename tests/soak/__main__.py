"""``python -m tests.soak``: days of the real service in minutes; exits 1 where anything is not as planned."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.soak import soak


def main() -> int:
    """Play every seed that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--seeds", default="1", help="numbers, such as 1,2,3 or 1-10")
    parser.add_argument("--targets", type=int, default=50)
    parser.add_argument("--kinds", default="", help="only these kinds of trouble, such as cell,quota")
    parser.add_argument("--keep", type=Path, help="a folder to keep the databases in")
    asked = parser.parse_args()
    differences = 0
    for seed in seeds(asked.seeds):
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="soak-") as made:
            folder = asked.keep / f"seed-{seed}" if asked.keep else Path(made)
            folder.mkdir(parents=True, exist_ok=True)
            kinds = [kind for kind in asked.kinds.split(",") if kind]
            opinion = soak(seed, folder, days=asked.days, targets=asked.targets, kinds=kinds)
        differences += len(opinion.differences)
        print("\n".join(opinion.lines()))
        print(f"  {asked.days:g} days in {time.monotonic() - begun:.0f} s", flush=True)
    return 1 if differences else 0


def seeds(text: str) -> list[int]:
    """The seeds that ``1,2,5-7`` names."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


if __name__ == "__main__":
    sys.exit(main())
