"""``python -m benchmarks [NAME…] [--long]``: every figure beside the mark it is held to.

``python -m benchmarks realtime`` measures one of them. The ratios are what to compare between machines
and between days. It exits with 0 whatever the figures are: a benchmark informs, a test decides.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial

from benchmarks import (
    added,
    darkness,
    disk,
    footprint,
    hostile,
    importing,
    lateness,
    noise,
    pages,
    realtime,
    recording,
    replay,
    rest,
    tabs,
    trouble,
)
from benchmarks.history import keeping
from benchmarks.measure import Figure

BENCHMARKS: Mapping[str, Callable[[], Iterator[Figure]]] = {
    "realtime": realtime.run,
    "rest": rest.run,
    "added": added.run,
    "recording": recording.run,
    "importing": importing.run,
    "replay": replay.run,
    "pages": pages.run,
    "disk": disk.run,
    "footprint": footprint.run,
    "lateness": lateness.run,
    "hostile": hostile.run,
    "tabs": tabs.run,
    "noise": noise.run,
    "trouble": trouble.run,
    "darkness": darkness.run,
}
LONG = 10_000_000
_SHARE_A_HISTORY = {"replay", "pages", "disk"}


def main() -> None:
    """Print the table, benchmark by benchmark, and what missed its mark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; else all")
    parser.add_argument(
        "--long", action="store_true", help=f"replay {LONG:,} outcomes too: ten minutes more, 4 GB"
    )
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    chosen = {name: BENCHMARKS[name] for name in asked.names or BENCHMARKS}
    if asked.long:
        chosen[f"replay of {LONG:,}"] = partial(replay.run, count=LONG)
    _print_load()
    missed = list(_measure(chosen))
    print(f"\n{len(missed)} missed their mark" + (":" if missed else ""))
    for figure in missed:
        print(figure.row())


def _measure(chosen: Mapping[str, Callable[[], Iterator[Figure]]]) -> Iterator[Figure]:
    """Print every figure as it comes; give those that missed."""
    began = time.monotonic()
    with ExitStack() as kept:
        for name, benchmark in chosen.items():
            print(f"\n{name} ({time.monotonic() - began:.0f} s in)", flush=True)
            if name in _SHARE_A_HISTORY:
                kept.enter_context(keeping(replay.FULL))
            for figure in benchmark():
                print(figure.row(), flush=True)
                if figure.verdict == "MISSED":
                    yield figure


def _print_load() -> None:
    """What the machine was doing already."""
    load = os.getloadavg()[0]
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {load:.1f} at the start")
    if load > 0.5:
        print("Something else runs: read the ratios and the CPU times, not the tails and the wall clock.")


if __name__ == "__main__":
    main()
