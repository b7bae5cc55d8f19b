"""Three ways of one answer: the official SDK's types, the practice provider, and aimock where Node has it.

Every difference is explained by a row of the table in `docs/sandbox.md`, and no row is out of date.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.three_ways import (
    ROOT,
    Shape,
    aimock,
    aimock_command,
    answers_of,
    sandbox,
    shape,
    unlike_the_sdk,
)

_ROW = re.compile(
    r"^\| (?P<with>SDK, not in its types|aimock, lacks|aimock, adds) \| `(?P<place>[^`]+)` \| .{3,} \|$"
)


def explained(comparison: str) -> frozenset[str]:
    """The places that the table explains for one comparison."""
    lines = (ROOT / "docs" / "sandbox.md").read_text("utf-8").splitlines()
    rows = [found for line in lines if (found := _ROW.match(line))]
    return frozenset(row["place"] for row in rows if row["with"] == comparison)


def covered(places: Shape, rows: frozenset[str]) -> tuple[list[str], list[str]]:
    """The places that no row explains, and the rows that explain none; a row stands for all beneath it."""

    def fits(place: str, row: str) -> bool:
        return place == row or place.startswith((f"{row}.", f"{row}[]", f"{row}:"))

    bare = sorted(place for place in places if not any(fits(place, row) for row in rows))
    idle = sorted(row for row in rows if not any(fits(place, row) for place in places))
    return bare, idle


async def test_the_sandbox_differs_from_the_sdk_only_where_it_is_explained() -> None:
    """What its types do not know, and what they require, is sent for a reason that is written down."""
    async with sandbox() as base:
        unlike = unlike_the_sdk(await answers_of(base))
    assert covered(unlike, explained("SDK, not in its types")) == ([], [])


@pytest.mark.skipif(aimock_command() is None, reason="needs Node and aimock: make drift installs it")
async def test_the_sandbox_differs_from_aimock_only_where_it_is_explained(tmp_path: Path) -> None:
    """Two practice providers that know nothing of each other, asked the same."""
    async with sandbox() as ours, aimock(tmp_path) as theirs:
        own, other = shape(await answers_of(ours)), shape(await answers_of(theirs))
    assert covered(own - other, explained("aimock, lacks")) == ([], [])
    assert covered(other - own, explained("aimock, adds")) == ([], [])


def test_a_difference_without_a_row_is_told() -> None:
    """And a row without a difference; a row does not stand for what only begins alike."""
    rows = frozenset({"a: b"})
    assert covered(frozenset({"a: b.c", "a: bc"}), rows) == (["a: bc"], [])
    assert covered(frozenset(), rows) == ([], ["a: b"])
