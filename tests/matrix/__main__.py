"""``python -m tests.matrix [COLUMN…]``: every fault on every column where it can show, as it is met now.

One line per cell: stage, failure, blame, verdict, milliseconds to the verdict, and a mark where it is not
what `expected.toml` says. It exits with 1 where a cell differs.
"""

from __future__ import annotations

import asyncio
import sys
import time

from tests.matrix.cells import BRIEF, COLUMNS, cells, expected
from tests.matrix.meet_faults import Met, meet


def main() -> int:
    """Print the matrix, column by column."""
    chosen = sys.argv[1:] or [column.name for column in COLUMNS]
    began, differing, count = time.monotonic(), 0, 0
    for column in chosen:
        print(f"\n{column}\n")
        for met in asyncio.run(_column(column)):
            line, agrees = _line(met)
            print(line)
            differing += not agrees
            count += 1
    print(f"\n{count} cells in {time.monotonic() - began:.0f} s, {differing} not as expected")
    return 1 if differing else 0


async def _column(name: str) -> list[Met]:
    agreed = expected()
    known = [cell for cell in cells() if cell.column.name == name]

    return await meet(
        known,
        lambda cell: agreed[cell.row, name].deadline if (cell.row, name) in agreed else BRIEF,
    )


def _line(met: Met) -> tuple[str, bool]:
    stage, failure, blame, verdict = met.told
    agreed = expected().get((met.cell.row, met.cell.column.name))
    agrees = agreed is not None and agreed.fits(met.told, met.said)
    mark = "" if agrees else "  ← differs"
    named = f"{stage:10} {failure:10} {blame:9} {verdict:13} {met.ms:6.0f} ms"
    return f"  {met.cell.row:26} {named}  {met.said[:70]}{mark}", agrees


if __name__ == "__main__":
    sys.exit(main())
