"""Every numbered fault has its proof, and every proof that is named is there."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.matrix.cells import expected
from tests.matrix.faults import PROOFS

TESTS = Path(__file__).parent.parent


@cache
def names_in(path: str) -> frozenset[str]:
    """The names of the tests in a file."""
    tree = ast.parse((TESTS / path).read_text("utf-8"))
    return frozenset(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_every_number_is_covered() -> None:
    """What a provider, a network or a recording can show: 1 to 46, and 56."""
    assert sorted(PROOFS) == [*range(1, 47), 56]


@pytest.mark.parametrize("number", PROOFS)
def test_every_proof_is_there(number: int) -> None:
    """A cell stands in the table, a test in its file."""
    assert PROOFS[number].shown
    for proof in PROOFS[number].shown:
        path, named, name = proof.partition("::")
        if named:
            assert name in names_in(path), proof
        else:
            row, _, column = proof.partition(" × ")
            assert (row, column) in expected(), proof
